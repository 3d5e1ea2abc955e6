"""The eight-layer convolutional network of `isce`."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from lossproof.models.backbone import HeBackbone, check_size, scaled

CATALOGUE = {
    "cnn8": {
        "build": "cnn8",
        "parameters": {
            "width": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 1.0,
                "description": "factor on the 64 to 256 channels and the 256 hidden units",
            },
        },
    },
}


class CNN8(HeBackbone):
    """Six 3x3 convolutions with batch norm and ReLU, a 2x2 max-pool after each pair, and 256 units with ReLU.

    With the head eight layers (IS-A16: the paper says no more than "eight-layer"; the 256 units are ours).
    """

    channels_last = True

    def __init__(self, in_channels: int, image_size: int, width: float) -> None:
        super().__init__()
        channels = [in_channels, *(scaled(count, width) for count in (64, 64, 128, 128, 256, 256))]
        # Batch norm makes the convolutions' biases idle.
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False) for before, after in pairwise(channels)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in channels[1:])
        self.feature_dim = scaled(256, width)
        self.hidden = nn.Linear(channels[-1] * (image_size // 8) ** 2, self.feature_dim)
        self.apply(self.initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> hidden activations [B, 256 * width]."""
        for layer, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = norm(convolution(x))
            if layer % 2:  # ReLU and max-pool commute: the rectifier sees a quarter of the values.
                x = F.max_pool2d(x, 2)
            x = x.relu_()
        return self.hidden(x.flatten(1)).relu_()


def cnn8(*, in_channels: int, image_size: int, width: float = 1.0) -> CNN8:
    """Six convolutions with 64, 64, 128, 128, 256 and 256 channels and 256 hidden units, all times `width`.

    Raises ValueError for images below 8 x 8 pixels.
    """
    check_size("cnn8", image_size, 8)
    return CNN8(in_channels, image_size, width)
