"""GoogLeNet with batch norm: torchvision's topology, names and initial weights, with stem and width to choose.

Szegedy et al., Going Deeper with Convolutions (CVPR 2015). Without auxiliary heads and input transform. As in
torchvision, the "5x5" branch has 3x3 convolutions.
"""

from __future__ import annotations

import torch
from torch import nn

from lossproof.models.backbone import STEM, WIDTH, Backbone, check_size, global_average, scaled, stem_convolution

CATALOGUE = {
    "googlenet": {
        "build": "googlenet",
        "parameters": {"width": WIDTH, "stem": STEM},
    },
}

# Channels of each inception block at width 1: 1x1; 3x3 reduction, 3x3; 5x5 reduction, 5x5; pool projection.
INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class ConvNormReLU(nn.Module):
    """A convolution, batch norm and ReLU."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv
        self.bn = nn.BatchNorm2d(conv.out_channels, eps=0.001)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, in_channels, H, W] -> [B, out_channels, H', W']."""
        return self.bn(self.conv(x)).relu_()


def _unit(in_channels: int, out_channels: int, kernel_size: int) -> ConvNormReLU:
    return ConvNormReLU(nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False))


class Inception(nn.Module):
    """Four parallel branches whose maps are stacked."""

    def __init__(self, in_channels: int, one: int, reduce3: int, three: int, reduce5: int, five: int, pool: int):
        super().__init__()
        self.branch1 = _unit(in_channels, one, 1)
        self.branch2 = nn.Sequential(_unit(in_channels, reduce3, 1), _unit(reduce3, three, 3))
        self.branch3 = nn.Sequential(_unit(in_channels, reduce5, 1), _unit(reduce5, five, 3))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), _unit(in_channels, pool, 1))
        self.out_channels = one + three + five + pool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, in_channels, H, W] -> [B, out_channels, H, W]."""
        return torch.cat((self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)), 1)


class GoogLeNet(Backbone):
    """Stem, nine inception blocks, global average, dropout 0.2 (off in evaluation mode)."""

    channels_last = True
    inception3a: Inception
    inception3b: Inception
    inception4a: Inception
    inception4b: Inception
    inception4c: Inception
    inception4d: Inception
    inception4e: Inception
    inception5a: Inception
    inception5b: Inception

    def __init__(self, in_channels: int, width: float, stem: str) -> None:
        super().__init__()
        channels = scaled(64, width)
        self.conv1 = ConvNormReLU(stem_convolution(in_channels, channels, stem))
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True) if stem == "imagenet" else nn.Identity()
        self.conv2 = _unit(channels, channels, 1)
        self.conv3 = _unit(channels, scaled(192, width), 3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        channels = scaled(192, width)
        for name, counts in INCEPTIONS.items():
            block = Inception(channels, *(scaled(count, width) for count in counts))
            self.add_module(f"inception{name}", block)
            channels = block.out_channels
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.dropout = nn.Dropout(0.2)
        self.feature_dim = channels
        self.apply(self.initialise)

    @staticmethod
    def initialise(module: nn.Module) -> None:
        """A truncated normal distribution of standard deviation 0.01 for convolutions and linear layers."""
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(module.weight, mean=0.0, std=0.01, a=-2, b=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> [B, 1024 * width]."""
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4e(self.inception4d(self.inception4c(self.inception4b(self.inception4a(x)))))
        x = self.inception5b(self.inception5a(self.maxpool4(x)))
        return self.dropout(global_average(x))


def googlenet(*, in_channels: int, image_size: int, width: float = 1.0, stem: str = "imagenet") -> GoogLeNet:
    """GoogLeNet. The `cifar` stem replaces the first convolution and the pool behind it; later pools stay.

    Raises ValueError for an unknown stem or images too small for the pools (15 pixels, `cifar` 4).
    """
    check_size("googlenet", image_size, 15 if stem == "imagenet" else 4)
    return GoogLeNet(in_channels, width, stem)
