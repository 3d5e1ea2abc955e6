"""LeNet-5 with ReLU and max-pool."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from lossproof.models.backbone import Backbone, check_size, scaled

WIDTH = {
    "type": "number",
    "exclusiveMinimum": 0,
    "default": 1.0,
    "description": "factor on the 6 and 16 channels and the 120 and 84 units",
}
CATALOGUE = {
    "lenet5": {"build": "lenet5", "parameters": {"width": WIDTH}},
    "lenet5_3d": {"build": "lenet5_3d", "parameters": {"width": WIDTH}},
}
SMALLEST = 28


class LeNet5(Backbone):
    """Convolutions of 6 and 16 channels (5x5), each with ReLU and 2x2 max-pool, then 120 and 84 units.

    The layout of the released code of `pc` (xinli0928/PC-LC). Images of 28 pixels are padded by 2 in the first
    convolution, so that the fully connected part is the same as for 32 pixels; larger ones have a larger one.
    ``embedding`` > 0 adds a linear layer to so many units (no activation), which then are the features.
    """

    channels_last = True

    def __init__(self, in_channels: int, image_size: int, width: float, embedding: int = 0) -> None:
        super().__init__()
        first, second, third, fourth = (scaled(count, width) for count in (6, 16, 120, 84))
        padding = max(0, (32 - image_size) // 2)
        side = ((image_size + 2 * padding - 4) // 2 - 4) // 2
        self.conv1 = nn.Conv2d(in_channels, first, kernel_size=5, padding=padding)
        self.conv2 = nn.Conv2d(first, second, kernel_size=5)
        self.fc1 = nn.Linear(second * side * side, third)
        self.fc2 = nn.Linear(third, fourth)
        self.embedding = nn.Linear(fourth, embedding) if embedding else None
        self.feature_dim = embedding or fourth

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W], as built -> last hidden activations [B, 84 * width], or their embedding."""
        # ReLU and max-pool commute: the rectifier sees a quarter of the values.
        x = F.max_pool2d(self.conv1(x), 2).relu_()
        x = F.max_pool2d(self.conv2(x), 2).relu_()
        x = self.fc1(x.flatten(1)).relu_()
        x = self.fc2(x).relu_()
        return x if self.embedding is None else self.embedding(x)


def lenet5(*, in_channels: int, image_size: int, width: float = 1.0) -> LeNet5:
    """LeNet-5 (6-16-120-84 times `width`) for images of 28 pixels a side or more.

    Raises ValueError for smaller ones.
    """
    check_size("lenet5", image_size, SMALLEST)
    return LeNet5(in_channels, image_size, width)


def lenet5_3d(*, in_channels: int, image_size: int, width: float = 1.0) -> LeNet5:
    """LeNet-5 with a linear layer to three units before its head, at any width.

    Raises ValueError for images below 28 pixels a side.
    """
    check_size("lenet5_3d", image_size, SMALLEST)
    return LeNet5(in_channels, image_size, width, embedding=3)
