"""The probabilistically compact loss with logit constraints (PC + LC), and each of its halves as a control."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

XI = {"type": "number", "minimum": 0, "default": 0.995, "description": "margin between probabilities; reported"}
WEIGHT = {"type": "number", "minimum": 0, "default": 0.05, "description": "lambda of the logit constraint; reported"}
FALSE_CLASSES = {
    "enum": ["mean", "sum"],
    "default": "mean",
    "description": "over false classes; mean: as released, sum: as reported (PC-A1)",
}
RIVAL = {
    "enum": ["soft", "hard"],
    "default": "soft",
    "description": "soft: false logits weighted by their softmax, as released; hard: the largest, as reported (PC-A2)",
}
CATALOGUE = {
    "pc": {
        "build": "ProbabilisticallyCompact",
        "parameters": {"xi": XI, "weight": WEIGHT, "false_classes": FALSE_CLASSES, "rival": RIVAL},
    },
    "pc_only": {"build": "CompactOnly", "parameters": {"xi": XI, "false_classes": FALSE_CLASSES}},
    "lc_only": {"build": "ConstrainedCrossEntropy", "parameters": {"weight": WEIGHT, "rival": RIVAL}},
}


def compact(logits: Tensor, targets: Tensor, xi: float, false_classes: str) -> Tensor:
    """``sum_{k != y} max(0, p_k + xi - p_y)`` (pc, eq. 6), or its mean over the K - 1 false classes, [B].

    Linear in probabilities: where p_y is 0 its gradient is 0 (eq. 7), so it needs a warm-up.
    """
    probability = logits.softmax(1)
    own = targets[:, None]
    hinges = (probability + xi - probability.gather(1, own)).clamp_min(0).scatter(1, own, 0.0)
    total = hinges.sum(1)
    return total / (logits.shape[1] - 1) if false_classes == "mean" else total


def constraint(logits: Tensor, targets: Tensor, rival: str) -> Tensor:
    """``max(0, a_y - a_j)``, j the false class with the largest logit (pc, eq. 16 without its constant C'), [B].

    soft: the average of that over all false classes, weighted by the softmax of the false logits; the gradient
    goes through the weights too (xinli0928/PC-LC).
    """
    own = targets[:, None]
    false = logits.scatter(1, own, -torch.inf)
    if rival == "hard":
        return (logits.gather(1, own)[:, 0] - false.amax(1)).clamp_min(0)
    return (false.softmax(1) * (logits.gather(1, own) - logits).clamp_min(0)).sum(1)


class ProbabilisticallyCompact(nn.Module):
    """``compact + weight * constraint`` (pc, eq. 16).

    The paper sums over false classes and takes the most probable one as the rival; its released code averages and
    weighs softly, which makes the constraint K - 1 times heavier. ValueError for another ``false_classes`` or
    ``rival``.
    """

    def __init__(
        self, *, xi: float = 0.995, weight: float = 0.05, false_classes: str = "mean", rival: str = "soft"
    ) -> None:
        super().__init__()
        if false_classes not in FALSE_CLASSES["enum"] or rival not in RIVAL["enum"]:
            raise ValueError(f"PC takes the mean or sum over false classes and a soft or hard rival, not "
                             f"'{false_classes}' and '{rival}'")  # fmt: skip
        self.xi, self.weight, self.false_classes, self.rival = xi, weight, false_classes, rival

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of logits [B, K] and targets [B]."""
        losses = compact(logits, targets, self.xi, self.false_classes)
        return losses + self.weight * constraint(logits, targets, self.rival)


class CompactOnly(ProbabilisticallyCompact):
    """The compact term alone, without logit constraint (pc, eq. 6): a control."""

    def __init__(self, *, xi: float = 0.995, false_classes: str = "mean") -> None:
        super().__init__(xi=xi, weight=0, false_classes=false_classes)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of logits [B, K] and targets [B]."""
        return compact(logits, targets, self.xi, self.false_classes)


class ConstrainedCrossEntropy(nn.Module):
    """Cross entropy with the logit constraint: what the constraint does without the compact term, a control.

    Quite alone the constraint has equal logits for its optimum, which is no classifier. ValueError for another
    ``rival``.
    """

    def __init__(self, *, weight: float = 0.05, rival: str = "soft") -> None:
        super().__init__()
        if rival not in RIVAL["enum"]:
            raise ValueError(f"the logit constraint takes a soft or hard rival, not '{rival}'")
        self.weight, self.rival = weight, rival

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of logits [B, K] and targets [B]."""
        losses = functional.cross_entropy(logits, targets, reduction="none")
        return losses + self.weight * constraint(logits, targets, self.rival)
