"""The usual last layer."""

from __future__ import annotations

from torch import nn

CATALOGUE = {"linear": {"build": "linear", "parameters": {}}}


def linear(feature_dim: int, num_classes: int) -> nn.Linear:
    """``W x + b``: features [B, feature_dim] -> logits [B, num_classes]."""
    return nn.Linear(feature_dim, num_classes)
