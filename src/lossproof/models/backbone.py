"""What all backbones share: the base class, the width factor and the two stems."""

from __future__ import annotations

import torch
from torch import nn

STEMS = ("imagenet", "cifar")

# Parameters that families share, for their CATALOGUE.
WIDTH = {"type": "number", "exclusiveMinimum": 0, "default": 1.0, "description": "factor on every channel count"}
STEM = {
    "type": "string",
    "enum": ["imagenet", "cifar"],
    "default": "imagenet",
    "description": "imagenet: 7x7 stride 2 and max-pool; cifar: 3x3 stride 1, no max-pool",
}


class Backbone(nn.Module):
    """A network from images [B, C, H, W] to features [B, feature_dim]."""

    feature_dim: int
    # Convolutional families set this: on a CPU their layers are faster with channels last (input gradients of the
    # smallest twice as fast). A network follows the layout of its input; stored weights keep theirs.
    channels_last = False

    @staticmethod
    def initialise(module: nn.Module) -> None:
        """Draw one module's initial weights as the family does; the classifier applies it to its head too.

        Here: nothing, so PyTorch's own initial weights stay.
        """


class HeBackbone(Backbone):
    """A network with batch norm whose convolutions start as He et al. draw them."""

    @staticmethod
    def initialise(module: nn.Module) -> None:
        """He's normal distribution by fan-out for convolutions (batch norm starts at 1 and 0, linear at default)."""
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def draw(network: Backbone) -> None:
    """Draw a library's network again, from torch's global generator: each layer as it is built, then the family's way.

    The library draws while it builds, in ``fork_rng``, also for a stem and classes that are then replaced: none of
    that may move our draws.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.reset_parameters()
    network.apply(network.initialise)


def scaled(channels: int, width: float) -> int:
    """A channel count times the width factor, rounded, at least 1."""
    return max(1, round(channels * width))


def check_size(name: str, image_size: int, minimum: int) -> None:
    """Raise ValueError where a square image of `image_size` pixels a side is too small for the network."""
    if image_size < minimum:
        raise ValueError(f"{name} needs images of at least {minimum} x {minimum} pixels, not {image_size}")


def stem_convolution(in_channels: int, out_channels: int, stem: str) -> nn.Conv2d:
    """The first convolution: 7x7 stride 2 (`imagenet`) or 3x3 stride 1 (`cifar`, which also has no max-pool).

    Raises ValueError for another stem.
    """
    if stem not in STEMS:
        raise ValueError(f"unknown stem '{stem}'; known: {', '.join(STEMS)}")
    if stem == "imagenet":
        return nn.Conv2d(in_channels, out_channels, kernel_size=7, stride=2, padding=3, bias=False)
    return nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False)


def global_average(x: torch.Tensor) -> torch.Tensor:
    """The mean of each channel: [B, C, H, W] -> [B, C]."""
    return x.mean((-1, -2))
