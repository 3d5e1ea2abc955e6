"""Stationary-point cross entropy (SP-CE), in the three forms that the paper prints under one name."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

CATALOGUE = {
    "sp_ce": {
        "build": "StationaryPointCE",
        "parameters": {
            "eta": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 0.75,
                "description": "weight of the regulariser; a stationary point exists above 1/4 (form A) or 1/2 (B, C)",
            },
            "form": {
                "enum": ["A", "B", "C"],
                "default": "C",
                "description": "A: eq. 9, whole softmax vector; B: eq. 12, p^2; C: eq. 34, p^2 + (1 - p)^2",
            },
        },
    }
}


class StationaryPointCE(nn.Module):
    """Cross entropy plus a regulariser that stops the true logit at a finite value, per sample (sp).

    With p the softmax vector and p_y its true-class entry, the loss is -log p_y plus

    * form A (eq. 9, full vectors): ``eta (sum_k p_k^2 + sum_k (1 - p_k)^2)``,
    * form B (eq. 12): ``eta p_y^2``,
    * form C (eq. 34): ``eta (p_y^2 + (1 - p_y)^2)``.

    Raises ValueError for another form.
    """

    def __init__(self, *, eta: float = 0.75, form: str = "C") -> None:
        super().__init__()
        if form not in ("A", "B", "C"):
            raise ValueError(f"SP-CE has forms A, B and C, not '{form}'")
        self.eta, self.form = eta, form

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of logits [B, K] and targets [B]."""
        cross_entropy = functional.cross_entropy(logits, targets, reduction="none")
        if self.form == "A":
            probabilities = logits.softmax(dim=1)
            regulariser = (probabilities.square() + (1 - probabilities).square()).sum(dim=1)
        else:
            regulariser = (-cross_entropy).exp().square()
            if self.form == "C":
                regulariser = regulariser + torch.expm1(-cross_entropy).square()
        return cross_entropy + self.eta * regulariser

    def stationary_probability(self, num_classes: int) -> float | None:
        """The true-class probability in (0, 1) at which the loss is stationary, or None.

        Form C gives eq. 42. Form A assumes equal false logits, which its minimum has; forms B and C
        do not depend on ``num_classes``.
        """
        if self.form == "A":
            ratio = num_classes * (num_classes - 1) / self.eta
            probability = (1 + math.sqrt(1 + ratio)) / (2 * num_classes)
        elif self.form == "B":
            probability = 1 / math.sqrt(2 * self.eta)
        else:
            probability = (self.eta + math.sqrt(self.eta * (self.eta + 4))) / (4 * self.eta)
        return probability if probability < 1 else None
