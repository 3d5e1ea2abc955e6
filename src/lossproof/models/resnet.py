"""ResNet-18 and ResNet-34 of torchvision, with stem and width to choose.

He et al., Deep Residual Learning for Image Recognition (CVPR 2016).
"""

from __future__ import annotations

import torch
from torch import nn
from torchvision import models
from torchvision.models.resnet import BasicBlock

from lossproof.models.backbone import STEM, WIDTH, HeBackbone, check_size, draw, scaled, stem_convolution

CATALOGUE = {
    "resnet18": {
        "build": "resnet18",
        "parameters": {"width": WIDTH, "stem": STEM},
    },
    "resnet34": {
        "build": "resnet34",
        "parameters": {"width": WIDTH, "stem": STEM},
    },
}


FEWEST = 8
"""Channels of a narrow network's first stage, at least.

The gradient of a strided 1x1 convolution of fewer is written beyond its end by oneDNN (torch 2.15, float32, processors
with AVX2 but not AVX-512).
"""


def _channels(planes: int, width: float) -> int:
    """A stage's channels at a width factor."""
    return max(FEWEST, scaled(planes, width))


class ResNet(HeBackbone, models.ResNet):
    """torchvision's network, from images [B, C, H, W] to features [B, 512 * width] (at least 8)."""

    channels_last = True

    def __init__(self, depths: list[int], in_channels: int, width: float, stem: str) -> None:
        self.width = width
        with torch.random.fork_rng(devices=[]):
            super().__init__(BasicBlock, depths)
            channels = _channels(64, width)
            self.conv1, self.bn1 = stem_convolution(in_channels, channels, stem), nn.BatchNorm2d(channels)
            if stem == "cifar":
                self.maxpool = nn.Identity()
            self.fc = nn.Identity()
        self.feature_dim = self.inplanes
        draw(self)

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False):  # type: ignore[no-untyped-def]
        """One of the four stages; torchvision's own widths are those of the bottlenecks in deeper networks."""
        if stride == 1:  # the first stage follows the stem
            self.inplanes = _channels(planes, self.width)
        return super()._make_layer(block, _channels(planes, self.width), blocks, stride, dilate)


def resnet18(*, in_channels: int, image_size: int, width: float = 1.0, stem: str = "imagenet") -> ResNet:
    """ResNet-18. Raises ValueError for an unknown stem or an empty image."""
    check_size("resnet18", image_size, 1)
    return ResNet([2, 2, 2, 2], in_channels, width, stem)


def resnet34(*, in_channels: int, image_size: int, width: float = 1.0, stem: str = "imagenet") -> ResNet:
    """ResNet-34. Raises ValueError for an unknown stem or an empty image."""
    check_size("resnet34", image_size, 1)
    return ResNet([3, 4, 6, 3], in_channels, width, stem)
