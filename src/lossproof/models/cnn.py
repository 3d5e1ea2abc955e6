"""Small convolutional networks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from lossproof.models.backbone import Backbone, check_size, scaled

CATALOGUE = {
    "cnn2": {
        "build": "cnn2",
        "parameters": {
            "width": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 1.0,
                "description": "factor on the 16 and 32 channels",
            },
        },
    },
}


class CNN2(Backbone):
    """Two 5x5 convolutions, each with ReLU and 2x2 max-pool (`sp` fig_7, whose paper says no more than "two-layer").

    The padding of 2 keeps the size, so 28 x 28 pixels become 7 x 7.
    """

    channels_last = True

    def __init__(self, in_channels: int, image_size: int, width: float) -> None:
        super().__init__()
        first, second = scaled(16, width), scaled(32, width)
        self.conv1 = nn.Conv2d(in_channels, first, kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(first, second, kernel_size=5, padding=2)
        self.feature_dim = second * (image_size // 4) ** 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> flattened maps [B, feature_dim]."""
        # ReLU and max-pool commute: the rectifier sees a quarter of the values.
        x = F.max_pool2d(self.conv1(x), 2).relu_()
        x = F.max_pool2d(self.conv2(x), 2).relu_()
        return x.flatten(1)


def cnn2(*, in_channels: int, image_size: int, width: float = 1.0) -> CNN2:
    """Two convolutions with 16 and 32 channels times `width`.

    Raises ValueError for images below 4 x 4 pixels.
    """
    check_size("cnn2", image_size, 4)
    return CNN2(in_channels, image_size, width)
