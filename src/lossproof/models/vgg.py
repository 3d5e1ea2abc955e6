"""VGG-13 as `pc` trains it: with batch norm and dropout."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from lossproof.models.backbone import HeBackbone, check_size, scaled

CATALOGUE = {
    "vgg13": {
        "build": "vgg13",
        "parameters": {
            "width": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 1.0,
                "description": "factor on the 64 to 512 channels and the 512 hidden units",
            },
        },
    },
}
CHANNELS = (64, 64, 128, 128, 256, 256, 512, 512, 512, 512)
SMALLEST = 32  # leaves one pixel after the fifth pool


class VGG13(HeBackbone):
    """Ten 3x3 convolutions with batch norm and ReLU, a 2x2 max-pool after each pair, dropout, 512 units with ReLU.

    The layout of the released code of `pc` (xinli0928/PC-LC). 32 pixels become 1 x 1, 64 become 2 x 2 (2048 inputs of
    the hidden layer).
    """

    channels_last = True

    def __init__(self, in_channels: int, image_size: int, width: float) -> None:
        super().__init__()
        channels = [in_channels, *(scaled(count, width) for count in CHANNELS)]
        # Batch norm makes the convolutions' biases idle.
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False) for before, after in pairwise(channels)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in channels[1:])
        self.dropout = nn.Dropout(0.5)
        self.feature_dim = scaled(512, width)
        self.hidden = nn.Linear(channels[-1] * (image_size // 32) ** 2, self.feature_dim)
        self.apply(self.initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> hidden activations [B, 512 * width]."""
        for layer, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = norm(convolution(x))
            if layer % 2:  # ReLU and max-pool commute: the rectifier sees a quarter of the values.
                x = F.max_pool2d(x, 2)
            x = x.relu_()
        return self.hidden(self.dropout(x.flatten(1))).relu_()


def vgg13(*, in_channels: int, image_size: int, width: float = 1.0) -> VGG13:
    """Ten convolutions with 64 to 512 channels and 512 hidden units, all times `width`.

    Raises ValueError for images below 32 x 32 pixels.
    """
    check_size("vgg13", image_size, SMALLEST)
    return VGG13(in_channels, image_size, width)
