"""DenseNet-121: torchvision's topology, names and initial weights, with stem and width to choose.

Huang et al., Densely Connected Convolutional Networks (CVPR 2017).
"""

from __future__ import annotations

import torch
from torch import nn

from lossproof.models.backbone import STEM, WIDTH, Backbone, check_size, global_average, scaled, stem_convolution

CATALOGUE = {
    "densenet121": {
        "build": "densenet121",
        "parameters": {"width": WIDTH, "stem": STEM},
    },
}

BOTTLENECK = 4  # the 1x1 convolution makes this many times the growth rate


class DenseLayer(nn.Module):
    """Batch norm, ReLU, 1x1 convolution; batch norm, ReLU, 3x3 convolution."""

    def __init__(self, in_channels: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, BOTTLENECK * growth, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(BOTTLENECK * growth)
        self.conv2 = nn.Conv2d(BOTTLENECK * growth, growth, kernel_size=3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, in_channels, H, W] -> the new maps [B, growth, H, W]."""
        x = self.conv1(self.norm1(x).relu_())
        return self.conv2(self.norm2(x).relu_())


class DenseBlock(nn.Module):
    """Layers that each see the maps of all layers before."""

    def __init__(self, depth: int, in_channels: int, growth: int) -> None:
        super().__init__()
        for index in range(depth):
            self.add_module(f"denselayer{index + 1}", DenseLayer(in_channels + index * growth, growth))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, in_channels, H, W] -> [B, in_channels + depth * growth, H, W]."""
        # The stack grows layer by layer instead of being rebuilt from a list of all maps: the same values,
        # but the backward pass then adds one gradient per layer, not one per pair of layers.
        for layer in self.children():
            x = torch.cat((x, layer(x)), 1)
        return x


class Transition(nn.Module):
    """Half the channels (1x1 convolution) and half the size (2x2 average pool)."""

    def __init__(self, in_channels: int, out_channels: int, ceil_mode: bool) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2, ceil_mode=ceil_mode)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, in_channels, H, W] -> [B, out_channels, H / 2, W / 2]."""
        return self.pool(self.conv(self.norm(x).relu_()))


class DenseNet(Backbone):
    """Stem, four dense blocks with transitions between them, batch norm, ReLU, global average."""

    channels_last = True

    def __init__(
        self, depths: tuple[int, int, int, int], in_channels: int, image_size: int, width: float, stem: str
    ) -> None:
        super().__init__()
        growth, channels = scaled(32, width), scaled(64, width)
        size = -(-image_size // 4) if stem == "imagenet" else image_size
        self.features = nn.Sequential()
        self.features.add_module("conv0", stem_convolution(in_channels, channels, stem))
        self.features.add_module("norm0", nn.BatchNorm2d(channels))
        self.features.add_module("relu0", nn.ReLU(inplace=True))
        if stem == "imagenet":
            self.features.add_module("pool0", nn.MaxPool2d(kernel_size=3, stride=2, padding=1))
        for index, depth in enumerate(depths, start=1):
            self.features.add_module(f"denseblock{index}", DenseBlock(depth, channels, growth))
            channels += depth * growth
            if index < len(depths):
                # Three halvings leave nothing of fewer than 8 pixels (28-pixel images) unless they round up.
                transition = Transition(channels, max(1, channels // 2), ceil_mode=size < 8)
                self.features.add_module(f"transition{index}", transition)
                channels = max(1, channels // 2)
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.feature_dim = channels
        self.apply(self.initialise)

    @staticmethod
    def initialise(module: nn.Module) -> None:
        """He's normal distribution by fan-in for convolutions, zero bias for linear layers."""
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> [B, 1024 * width]."""
        return global_average(self.features(x).relu_())


def densenet121(*, in_channels: int, image_size: int, width: float = 1.0, stem: str = "imagenet") -> DenseNet:
    """DenseNet-121; the width factor scales the growth rate and the first convolution.

    Raises ValueError for an unknown stem or an empty image.
    """
    check_size("densenet121", image_size, 1)
    return DenseNet((6, 12, 24, 16), in_channels, image_size, width, stem)
