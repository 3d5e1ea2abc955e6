"""Center loss: cross entropy that also draws features to a moving centre of their class."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CATALOGUE = {
    "center": {
        "build": "Center",
        "parameters": {
            "weight": {"type": "number", "minimum": 0, "default": 0.003, "description": "of the pull to the centre"},
            "rate": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "default": 0.5,
                "description": "how far a centre follows its class's features of a batch",
            },
        },
    }
}


class Center(nn.Module):
    """``-log p_y + weight / 2 ||h - c_y||^2`` (Wen et al., ECCV 2016).

    Centres are no parameters of the optimiser: while training each moves after a batch by
    ``rate * sum_{i in class} (h_i - c) / (1 + count)``, whatever the weight. They start at 0 and predict
    nothing. ``prepare`` must be called first.
    """

    uses_features = True
    centres: Tensor

    def __init__(self, *, weight: float = 0.003, rate: float = 0.5) -> None:
        super().__init__()
        self.weight, self.rate = weight, rate
        self.register_buffer("centres", torch.zeros(0, 0))

    def prepare(self, num_classes: int, feature_dim: int) -> None:
        """Centres [K, d] at 0."""
        self.centres = self.centres.new_zeros(num_classes, feature_dim)

    def forward(self, logits: Tensor, targets: Tensor, features: Tensor) -> Tensor:
        """Losses [B] of logits [B, K], targets [B] and features [B, d]; in training mode the centres move."""
        away = features - self.centres[targets]
        losses = functional.cross_entropy(logits, targets, reduction="none")
        losses = losses + self.weight / 2 * away.square().sum(dim=1)
        if self.training:
            with torch.no_grad():
                count = torch.bincount(targets, minlength=len(self.centres)).to(away)
                moved = torch.zeros_like(self.centres).index_add_(0, targets, away.detach())
                self.centres += self.rate * moved / (1 + count)[:, None]
        return losses
