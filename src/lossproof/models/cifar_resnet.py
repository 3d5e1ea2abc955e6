"""ResNets for small images: three stages of basic blocks, shortcuts without parameters.

He et al., Deep Residual Learning for Image Recognition (CVPR 2016), section 4.2, and with ``activation: pre`` Identity
Mappings in Deep Residual Networks (ECCV 2016). `isce` names "ResNet-32" and cites the second paper (IS-A4).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from lossproof.models.backbone import WIDTH, HeBackbone, check_size, global_average, scaled

ACTIVATION = {
    "type": "string",
    "enum": ["post", "pre"],
    "default": "post",
    "description": "batch norm and ReLU after each convolution, or before it with one more pair at the end",
}

CATALOGUE = {
    "resnet32": {"build": "resnet32", "parameters": {"width": WIDTH, "activation": ACTIVATION}},
    "resnet56": {"build": "resnet56", "parameters": {"width": WIDTH, "activation": ACTIVATION}},
    "resnet32_3d": {"build": "resnet32_3d", "parameters": {"width": WIDTH, "activation": ACTIVATION}},
}


def _convolution(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1, bias=False)


class _Block(nn.Module):
    """Two 3x3 convolutions and a shortcut; where the shape changes it takes every second pixel and pads zero channels.

    The zeros (option A of the first paper) keep the shortcut free of parameters.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.stride, self.more = stride, out_channels - in_channels
        self.conv1 = _convolution(in_channels, out_channels, stride)
        self.conv2 = _convolution(out_channels, out_channels)

    def shortcut(self, x: torch.Tensor) -> torch.Tensor:
        """[B, in_channels, H, W] -> [B, out_channels, H / stride, W / stride]."""
        if self.stride == 1:
            return x
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))


class PostBlock(_Block):
    """Batch norm and ReLU after each convolution, the last ReLU after the sum."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__(in_channels, out_channels, stride)
        self.bn1, self.bn2 = nn.BatchNorm2d(out_channels), nn.BatchNorm2d(out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, in_channels, H, W] -> [B, out_channels, H / stride, W / stride]."""
        out = self.bn1(self.conv1(x)).relu_()
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return out.relu_()


class PreBlock(_Block):
    """Batch norm and ReLU before each convolution; nothing happens to the sum."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__(in_channels, out_channels, stride)
        self.bn1, self.bn2 = nn.BatchNorm2d(in_channels), nn.BatchNorm2d(out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, in_channels, H, W] -> [B, out_channels, H / stride, W / stride]."""
        out = self.conv1(self.bn1(x).relu_())
        out = self.conv2(self.bn2(out).relu_())
        out += self.shortcut(x)
        return out


BLOCKS = {"post": PostBlock, "pre": PreBlock}


class CifarResNet(HeBackbone):
    """A 3x3 convolution, three stages of ``depth`` blocks with 16, 32 and 64 channels times ``width``, global average.

    ``embedding`` > 0 adds a linear layer to so many units (no activation), which then are the features.
    Raises ValueError for an unknown ``activation``.
    """

    channels_last = True

    def __init__(self, depth: int, in_channels: int, width: float, activation: str, embedding: int = 0) -> None:
        super().__init__()
        if activation not in BLOCKS:
            raise ValueError(f"unknown activation '{activation}'; known: {', '.join(BLOCKS)}")
        first, second, third = (scaled(count, width) for count in (16, 32, 64))
        self.conv1 = _convolution(in_channels, first)
        # Before the blocks (post) or behind them (pre).
        self.bn = nn.BatchNorm2d(first if activation == "post" else third)
        self.pre = activation == "pre"
        block = BLOCKS[activation]
        stages = []
        for before, after, stride in ((first, first, 1), (first, second, 2), (second, third, 2)):
            stages += [block(before, after, stride), *(block(after, after, 1) for _ in range(depth - 1))]
        self.blocks = nn.Sequential(*stages)
        self.embedding = nn.Linear(third, embedding) if embedding else None
        self.feature_dim = embedding or third
        self.apply(self.initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> [B, feature_dim]."""
        x = self.conv1(x)
        x = self.bn(self.blocks(x)).relu_() if self.pre else self.blocks(self.bn(x).relu_())
        x = global_average(x)
        return x if self.embedding is None else self.embedding(x)


def resnet32(*, in_channels: int, image_size: int, width: float = 1.0, activation: str = "post") -> CifarResNet:
    """ResNet-32: five blocks per stage. Raises ValueError for an unknown activation or an empty image."""
    check_size("resnet32", image_size, 1)
    return CifarResNet(5, in_channels, width, activation)


def resnet56(*, in_channels: int, image_size: int, width: float = 1.0, activation: str = "post") -> CifarResNet:
    """ResNet-56: nine blocks per stage. Raises ValueError for an unknown activation or an empty image."""
    check_size("resnet56", image_size, 1)
    return CifarResNet(9, in_channels, width, activation)


def resnet32_3d(*, in_channels: int, image_size: int, width: float = 1.0, activation: str = "post") -> CifarResNet:
    """ResNet-32 with a linear layer to three units before its head, at any width (`isce` fig_9).

    Raises ValueError for an unknown activation or an empty image.
    """
    check_size("resnet32_3d", image_size, 1)
    return CifarResNet(5, in_channels, width, activation, embedding=3)
