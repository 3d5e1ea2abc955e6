"""GoogLeNet with batch norm of torchvision, with stem and width to choose.

Szegedy et al., Going Deeper with Convolutions (CVPR 2015). Without auxiliary heads and input transform. As in
torchvision, the "5x5" branch has 3x3 convolutions.
"""

from __future__ import annotations

import torch
from torch import nn
from torchvision import models
from torchvision.models.googlenet import BasicConv2d, Inception, InceptionAux

from lossproof.models.backbone import STEM, WIDTH, Backbone, check_size, draw, scaled, stem_convolution

CATALOGUE = {
    "googlenet": {
        "build": "googlenet",
        "parameters": {"width": WIDTH, "stem": STEM},
    },
}


class GoogLeNet(Backbone, models.GoogLeNet):
    """torchvision's network, from images [B, C, H, W] to features [B, 1024 * width], with dropout 0.2 at the end."""

    channels_last = True
    conv1: BasicConv2d

    def __init__(self, in_channels: int, width: float, stem: str) -> None:
        given = in_channels  # of the next block; torchvision's own numbers are those of width 1

        def convolution(_: int, out_channels: int, **settings: int) -> BasicConv2d:
            nonlocal given
            before, given = given, scaled(out_channels, width)
            return BasicConv2d(before, given, **settings)

        def inception(_: int, *channels: int) -> Inception:
            nonlocal given
            one, reduce3, three, reduce5, five, pool = (scaled(count, width) for count in channels)
            before, given = given, one + three + five + pool
            return Inception(before, one, reduce3, three, reduce5, five, pool)

        with torch.random.fork_rng(devices=[]):
            super().__init__(aux_logits=False, init_weights=False, blocks=[convolution, inception, InceptionAux])
            self.conv1.conv = stem_convolution(in_channels, scaled(64, width), stem)
            self.fc = nn.Identity()
        if stem == "cifar":
            self.maxpool1 = nn.Identity()
        self.feature_dim = given
        draw(self)

    @staticmethod
    def initialise(module: nn.Module) -> None:
        """A truncated normal distribution of standard deviation 0.01 for convolutions and linear layers."""
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(module.weight, mean=0.0, std=0.01, a=-2, b=2)


def googlenet(*, in_channels: int, image_size: int, width: float = 1.0, stem: str = "imagenet") -> GoogLeNet:
    """GoogLeNet. The `cifar` stem replaces the first convolution and the pool behind it; later pools stay.

    Raises ValueError for an unknown stem or images too small for the pools (15 pixels, `cifar` 4).
    """
    check_size("googlenet", image_size, 15 if stem == "imagenet" else 4)
    return GoogLeNet(in_channels, width, stem)
