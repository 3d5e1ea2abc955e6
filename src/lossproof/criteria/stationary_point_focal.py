"""Stationary-point focal loss (SP focal): the loss of every network in the paper."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

from lossproof.criteria.focal import focal_term

CATALOGUE = {
    "sp_focal": {
        "build": "StationaryPointFocal",
        "parameters": {
            "alpha": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 0.25,
                "description": "factor of the focal term",
            },
            "gamma": {"type": "number", "minimum": 0, "default": 2, "description": "exponent of the focal term"},
            "eta": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 0.03,
                "description": "weight of the regulariser; for two classes, alpha 0.25 and gamma 2, "
                "the stationary point lies on the correct side only below 0.2983",
            },
            "regulariser": {
                "enum": ["true_class", "whole_vector"],
                "default": "true_class",
                "description": "square of the true-class probability (the reading behind eq. 11) "
                "or of the whole softmax vector",
            },
        },
    }
}


class StationaryPointFocal(nn.Module):
    """``-alpha (1 - p_y)^gamma log p_y + eta R`` per sample (sp, eq. 10).

    R is ``p_y^2`` (``true_class``: the only reading with the gradient of eq. 11) or ``sum_k p_k^2``
    (``whole_vector``). Raises ValueError for another regulariser.
    """

    def __init__(
        self, *, alpha: float = 0.25, gamma: float = 2, eta: float = 0.03, regulariser: str = "true_class"
    ) -> None:
        super().__init__()
        if regulariser not in ("true_class", "whole_vector"):
            raise ValueError(f"the regulariser of SP focal is true_class or whole_vector, not '{regulariser}'")
        self.alpha, self.gamma, self.eta, self.regulariser = alpha, gamma, eta, regulariser

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of logits [B, K] and targets [B]."""
        cross_entropy = functional.cross_entropy(logits, targets, reduction="none")
        if self.regulariser == "true_class":
            square = (-cross_entropy).exp().square()
        else:
            square = logits.softmax(dim=1).square().sum(dim=1)
        return focal_term(cross_entropy, self.alpha, self.gamma) + self.eta * square

    def stationary_probability(self, num_classes: int) -> float | None:
        """The true-class probability in (0, 1) at which the loss is stationary, or None (gamma 0, small eta).

        The root, by bisection, of eq. 11 divided by ``1 - x``; ``whole_vector`` assumes equal false
        logits, which its minimum has; ``true_class`` does not depend on ``num_classes``.
        """

        def slope(x: float) -> float:
            false = (1 - x) / (num_classes - 1) if self.regulariser == "whole_vector" else 0.0
            focal = self.alpha * (1 - x) ** (self.gamma - 1) * (self.gamma * x * math.log(x) - 1 + x)
            return focal + 2 * self.eta * x * (x - false)

        low, high = 1e-12, 1 - 1e-12
        if slope(high) <= 0:
            return None
        while (middle := (low + high) / 2) not in (low, high):
            low, high = (middle, high) if slope(middle) < 0 else (low, middle)
        return middle
