"""A linear layer on features that are divided by their length (the other reading of IS-A1)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

CATALOGUE = {"normalised_features": {"build": "NormalisedFeatures", "parameters": {}}}


class NormalisedFeatures(nn.Linear):
    """``W h / ||h||_2 + b``: features [B, d] -> logits [B, K]; the weights are free."""

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(functional.normalize(features, dim=-1, eps=1e-12))
