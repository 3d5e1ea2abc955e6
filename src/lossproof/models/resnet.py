"""ResNets of basic blocks: torchvision's topology, names and initial weights, with stem and width to choose.

He et al., Deep Residual Learning for Image Recognition (CVPR 2016).
"""

from __future__ import annotations

import torch
from torch import nn

from lossproof.models.backbone import STEM, WIDTH, HeBackbone, check_size, global_average, scaled, stem_convolution

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


def _convolution(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut, projected by a 1x1 convolution where the shape changes."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, project: bool) -> None:
        super().__init__()
        self.conv1 = _convolution(in_channels, out_channels, stride)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = _convolution(out_channels, out_channels)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Sequential | None = None
        if project:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, in_channels, H, W] -> [B, out_channels, H / stride, W / stride]."""
        out = self.bn1(self.conv1(x)).relu_()
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return out.relu_()


class ResNet(HeBackbone):
    """Four stages of basic blocks with 64, 128, 256 and 512 channels times `width`."""

    channels_last = True
    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(self, depths: tuple[int, int, int, int], in_channels: int, width: float, stem: str) -> None:
        super().__init__()
        channels = [scaled(count, width) for count in (64, 64, 128, 256, 512)]
        self.conv1 = stem_convolution(in_channels, channels[0], stem)
        self.bn1 = nn.BatchNorm2d(channels[0])
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1) if stem == "imagenet" else nn.Identity()
        for stage, depth in enumerate(depths, start=1):
            before, after = channels[stage - 1], channels[stage]
            # The first stage keeps size and channels, so it needs no projection at any width.
            first = BasicBlock(before, after, 1, False) if stage == 1 else BasicBlock(before, after, 2, True)
            blocks = [first, *(BasicBlock(after, after, 1, False) for _ in range(depth - 1))]
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
        self.feature_dim = channels[-1]
        self.apply(self.initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> [B, 512 * width]."""
        x = self.maxpool(self.bn1(self.conv1(x)).relu_())
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return global_average(x)


def resnet18(*, in_channels: int, image_size: int, width: float = 1.0, stem: str = "imagenet") -> ResNet:
    """ResNet-18. Raises ValueError for an unknown stem or an empty image."""
    check_size("resnet18", image_size, 1)
    return ResNet((2, 2, 2, 2), in_channels, width, stem)


def resnet34(*, in_channels: int, image_size: int, width: float = 1.0, stem: str = "imagenet") -> ResNet:
    """ResNet-34. Raises ValueError for an unknown stem or an empty image."""
    check_size("resnet34", image_size, 1)
    return ResNet((3, 4, 6, 3), in_channels, width, stem)
