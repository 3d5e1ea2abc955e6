"""DenseNet-121 of torchvision, with stem and width to choose.

Huang et al., Densely Connected Convolutional Networks (CVPR 2017).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torchvision import models

from lossproof.models.backbone import STEM, WIDTH, Backbone, check_size, draw, scaled, stem_convolution

CATALOGUE = {
    "densenet121": {
        "build": "densenet121",
        "parameters": {"width": WIDTH, "stem": STEM},
    },
}


class DenseNet(Backbone, models.DenseNet):
    """torchvision's network, from images [B, C, H, W] to features [B, 1024 * width].

    ``width`` is a factor on the growth rate and on the channels of the first convolution.
    """

    channels_last = True
    features: nn.Sequential
    classifier: Any

    def __init__(self, in_channels: int, image_size: int, width: float, stem: str) -> None:
        channels = scaled(64, width)
        with torch.random.fork_rng(devices=[]):
            super().__init__(growth_rate=scaled(32, width), num_init_features=channels)
            self.features.conv0 = stem_convolution(in_channels, channels, stem)
        self.feature_dim = self.classifier.in_features
        self.classifier = nn.Identity()
        if stem == "cifar":
            self.features.pool0 = nn.Identity()
        if (-(-image_size // 4) if stem == "imagenet" else image_size) < 8:
            # Three halvings leave nothing of so few pixels (28-pixel images) unless they round up.
            for module in self.features.modules():
                if isinstance(module, nn.AvgPool2d):
                    module.ceil_mode = True
        draw(self)

    @staticmethod
    def initialise(module: nn.Module) -> None:
        """He's normal distribution by fan-in for convolutions, zero bias for linear layers."""
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)


def densenet121(*, in_channels: int, image_size: int, width: float = 1.0, stem: str = "imagenet") -> DenseNet:
    """DenseNet-121. Raises ValueError for an unknown stem or an empty image."""
    check_size("densenet121", image_size, 1)
    return DenseNet(in_channels, image_size, width, stem)
