"""Cross entropy towards smoothed labels."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

CATALOGUE = {
    "label_smoothing": {
        "build": "LabelSmoothing",
        "parameters": {
            "smoothing": {
                "type": "number",
                "minimum": 0,
                "exclusiveMaximum": 1,
                "default": 0.1,
                "description": "share of the target spread evenly over all classes",
            }
        },
    }
}


class LabelSmoothing(nn.Module):
    """``-sum_k t_k log p_k`` with t = (1 - smoothing) one-hot + smoothing / K (Szegedy et al. 2016, section 7)."""

    def __init__(self, *, smoothing: float = 0.1) -> None:
        super().__init__()
        self.smoothing = smoothing

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of logits [B, K] and targets [B]."""
        return functional.cross_entropy(logits, targets, reduction="none", label_smoothing=self.smoothing)
