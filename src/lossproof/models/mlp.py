"""Fully connected networks for images."""

from __future__ import annotations

import torch
from torch import nn

from lossproof.models.backbone import Backbone, check_size, scaled

CATALOGUE = {
    "mlp2": {
        "build": "mlp2",
        "parameters": {
            "width": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 1.0,
                "description": "factor on the 100 hidden units",
            },
        },
    },
}


class MLP2(Backbone):
    """Flatten, one hidden layer, ReLU; with the classifier's head the two-layer network of `sp` (section 4)."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.feature_dim = hidden

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> hidden activations [B, hidden]."""
        return self.hidden(x.flatten(1)).relu_()


def mlp2(*, in_channels: int, image_size: int, width: float = 1.0) -> MLP2:
    """Two-layer fully connected network with 100 * width hidden units.

    Raises ValueError for an empty image.
    """
    check_size("mlp2", image_size, 1)
    return MLP2(in_channels * image_size**2, scaled(100, width))
