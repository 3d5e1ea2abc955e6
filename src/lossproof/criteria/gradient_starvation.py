"""The gradient-starvation loss, as the SP paper prints it and as its source defines it."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

CATALOGUE = {
    "gradient_starvation": {
        "build": "GradientStarvation",
        "parameters": {
            "eta": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 0.5,
                "description": "weight of the penalty; on probabilities a positive sample has its stationary point "
                "on the correct side only between 0.269 and 0.755",
            },
            "on": {
                "enum": ["probabilities", "logits"],
                "default": "probabilities",
                "description": "what is penalised: softmax outputs (sp, eq. 8 as reported) or logits (the cited loss)",
            },
        },
    }
}


class GradientStarvation(nn.Module):
    """``log(1 + exp(-Y s)) + (eta / 2) s^2`` per sample, Y = +1 for class 1 and -1 for class 0.

    ``probabilities`` (sp, eq. 8 as reported): s is the softmax output of class 1. The negative class then
    has no stationary point inside (0, 1). ``logits`` (Pezeshki et al., "Gradient starvation", the loss
    that eq. 8 cites): s is the logit of class 1 against class 0, so the first term is cross entropy.

    Both are binary. For K > 2 each class in turn is the positive one against the rest, and the K losses
    are averaged; a class's logit is then taken against the mean of the others, which for K = 2 gives the
    binary logit. Raises ValueError for another ``on``.
    """

    def __init__(self, *, eta: float = 0.5, on: str = "probabilities") -> None:
        super().__init__()
        if on not in ("probabilities", "logits"):
            raise ValueError(f"the gradient-starvation loss is on probabilities or logits, not '{on}'")
        self.eta, self.on = eta, on

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of logits [B, K] and targets [B]."""
        num_classes = logits.shape[1]
        if self.on == "probabilities":
            scores = logits.softmax(dim=1)
        else:
            scores = (logits - logits.mean(dim=1, keepdim=True)) * (num_classes / (num_classes - 1))
        signs = 2 * functional.one_hot(targets, num_classes).to(scores.dtype) - 1
        losses = functional.softplus(-signs * scores) + self.eta / 2 * scores.square()
        return losses[:, 1] if num_classes == 2 else losses.mean(dim=1)
