"""The three-layer network of `pc` whose attacks are handed to LeNet-5."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from lossproof.models.backbone import Backbone, check_size, scaled

CATALOGUE = {
    "cnn3": {
        "build": "cnn3",
        "parameters": {
            "width": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 1.0,
                "description": "factor on the 16, 32 and 64 channels and the 100 units",
            },
        },
    },
}
SMALLEST = 20  # leaves one pixel after the second pool


class CNN3(Backbone):
    """5x5 convolutions of 16 and 32 channels, 2x2 max-pool, one of 64, 2x2 max-pool, 100 units; ReLU, no padding.

    The layout of the released code of `pc` (xinli0928/PC-LC). 28 pixels become 3 x 3, 32 become 4 x 4.
    """

    channels_last = True

    def __init__(self, in_channels: int, image_size: int, width: float) -> None:
        super().__init__()
        first, second, third = (scaled(count, width) for count in (16, 32, 64))
        side = ((image_size - 8) // 2 - 4) // 2
        self.conv1 = nn.Conv2d(in_channels, first, kernel_size=5)
        self.conv2 = nn.Conv2d(first, second, kernel_size=5)
        self.conv3 = nn.Conv2d(second, third, kernel_size=5)
        self.feature_dim = scaled(100, width)
        self.hidden = nn.Linear(third * side * side, self.feature_dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> hidden activations [B, 100 * width]."""
        x = self.conv1(x).relu_()
        # ReLU and max-pool commute: the rectifier sees a quarter of the values.
        x = F.max_pool2d(self.conv2(x), 2).relu_()
        x = F.max_pool2d(self.conv3(x), 2).relu_()
        return self.hidden(x.flatten(1)).relu_()


def cnn3(*, in_channels: int, image_size: int, width: float = 1.0) -> CNN3:
    """Three convolutions with 16, 32 and 64 channels and 100 hidden units, all times `width`.

    Raises ValueError for images below 20 x 20 pixels.
    """
    check_size("cnn3", image_size, SMALLEST)
    return CNN3(in_channels, image_size, width)
