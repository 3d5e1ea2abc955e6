"""The classifier: normalisation, backbone and head in one module, so that what is attacked is what predicts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from lossproof.catalogue import catalogue
from lossproof.models.backbone import Backbone


class Scores(NamedTuple):
    """What a loss may see of a batch."""

    logits: torch.Tensor  # [B, K]
    embedding: torch.Tensor  # [B, e]: what the head's scores are made of


class Classifier(nn.Module):
    """From pixels in [0, 1] to logits: a defence's `transform`, (x - mean) / std, then backbone, then head.

    `mean` and `std` are per channel (buffers [1, C, 1, 1]), both or neither; without them the pixels go in as they
    are.
    """

    mean: torch.Tensor | None
    std: torch.Tensor | None

    def __init__(
        self,
        backbone: Backbone,
        head: nn.Module,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        transform: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.transform = transform
        self.backbone = backbone
        self.head = head
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, None if values is None else torch.tensor(values).float().view(1, -1, 1, 1))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Pixels [B, C, H, W] in [0, 1] -> the backbone's features [B, d], the head's input."""
        if self.transform is not None:
            x = self.transform(x)
        if self.backbone.channels_last and x.device.type == "cpu":
            x = x.to(memory_format=torch.channels_last)
        if self.mean is not None and self.std is not None:
            x = (x - self.mean) / self.std
        return self.backbone(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pixels [B, C, H, W] in [0, 1] -> logits [B, K]."""
        return self.head(self.features(x))

    def raw(self, x: torch.Tensor) -> torch.Tensor:
        """Pixels [B, C, H, W] in [0, 1] -> logits [B, K] before a head normalises them; its logits where none does."""
        return getattr(self.head, "raw", self.head)(self.features(x))

    def score(self, features: torch.Tensor) -> Scores:
        """Features [B, d] -> logits, and the embedding behind them (the features, where the head has none)."""
        head: Any = self.head
        if hasattr(head, "embed"):
            embedding = head.embed(features)
            return Scores(head.scores(embedding), embedding)
        return Scores(head(features), features)


def build(
    arch: str,
    *,
    num_classes: int,
    in_channels: int,
    image_size: int,
    width: float = 1.0,
    stem: str = "imagenet",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    head: str = "linear",
    head_parameters: Mapping[str, Any] | None = None,
    transform: nn.Module | None = None,
) -> Classifier:
    """A classifier with freshly drawn weights; the draws come from torch's global generator.

    `image_size` is the side of the square images in pixels; `width` is a factor on every channel count; `mean` and
    `std` (one value per channel, in pixels of [0, 1]) switch normalisation on; `transform` comes before all and gives
    images of `image_size`. Raises ValueError for an unknown
    architecture, stem or head, a setting the architecture does not have, an image size it cannot take, or a
    normalisation that does not fit the channels.
    """
    entries = catalogue("models")
    if arch not in entries:
        raise ValueError(f"unknown architecture '{arch}'; known: {', '.join(sorted(entries))}")
    heads = catalogue("heads")
    if head not in heads:
        raise ValueError(f"unknown head '{head}'; known: {', '.join(sorted(heads))}")
    if not (width > 0 and math.isfinite(width)):
        raise ValueError(f"width must be a positive number, not {width}")
    if num_classes < 1 or in_channels < 1:
        raise ValueError(f"needs at least one class and one channel, not {num_classes} and {in_channels}")
    if (mean is None) != (std is None):
        raise ValueError("give both mean and std, or neither")
    if mean is not None and std is not None:
        if len(mean) != in_channels or len(std) != in_channels:
            raise ValueError(f"mean and std need {in_channels} values each, not {len(mean)} and {len(std)}")
        if min(std) <= 0:
            raise ValueError(f"std must be positive, not {list(std)}")

    settings: dict[str, object] = {"width": width}
    if "stem" in entries[arch].parameters:
        settings["stem"] = stem
    elif stem != "imagenet":
        raise ValueError(f"{arch} has no stem to choose, so '{stem}' cannot be used")
    backbone = entries[arch].load()(in_channels=in_channels, image_size=image_size, **settings)
    top = heads[head].load()(backbone.feature_dim, num_classes, **(head_parameters or {}))
    top.apply(backbone.initialise)
    return Classifier(backbone, top, mean, std, transform)
