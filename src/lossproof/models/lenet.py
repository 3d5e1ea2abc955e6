"""LeNet-5 with ReLU and max-pool."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from lossproof.models.backbone import Backbone, scaled

CATALOGUE = {
    "lenet5": {
        "build": "lenet5",
        "parameters": {
            "width": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 1.0,
                "description": "factor on the 6 and 16 channels and the 120 and 84 units",
            },
        },
    },
}


class LeNet5(Backbone):
    """Convolutions of 6 and 16 channels (5x5), each with ReLU and 2x2 max-pool, then 120 and 84 units.

    The layout of the released code of `pc` (xinli0928/PC-LC). Images of 28 pixels are padded by 2 in the first
    convolution, so that the fully connected part is the same as for 32 pixels.
    """

    channels_last = True

    def __init__(self, in_channels: int, image_size: int, width: float) -> None:
        super().__init__()
        first, second, third, fourth = (scaled(count, width) for count in (6, 16, 120, 84))
        self.conv1 = nn.Conv2d(in_channels, first, kernel_size=5, padding=(32 - image_size) // 2)
        self.conv2 = nn.Conv2d(first, second, kernel_size=5)
        self.fc1 = nn.Linear(second * 5 * 5, third)
        self.fc2 = nn.Linear(third, fourth)
        self.feature_dim = fourth

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, 28, 28] or [B, C, 32, 32], as built -> last hidden activations [B, 84 * width]."""
        # ReLU and max-pool commute: the rectifier sees a quarter of the values.
        x = F.max_pool2d(self.conv1(x), 2).relu_()
        x = F.max_pool2d(self.conv2(x), 2).relu_()
        x = self.fc1(x.flatten(1)).relu_()
        return self.fc2(x).relu_()


def lenet5(*, in_channels: int, image_size: int, width: float = 1.0) -> LeNet5:
    """LeNet-5 (6-16-120-84 times `width`) for images of 28 or 32 pixels a side.

    Raises ValueError for another size.
    """
    if image_size not in (28, 32):
        raise ValueError(f"lenet5 takes images of 28 x 28 or 32 x 32 pixels, not {image_size}")
    return LeNet5(in_channels, image_size, width)
