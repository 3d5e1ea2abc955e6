"""Random crop and flip of a batch on its device."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

AUGMENTATIONS = ("none", "crop_flip")
PADDING = 4


def crop_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pad by four pixels of zero, crop each image at a random place, flip half of them.

    ``images`` is [N, C, H, W]; ``generator`` lives on the CPU so that draws are equal on any device.
    """
    count, channels, height, width = images.shape
    padded = F.pad(images, (PADDING,) * 4)
    shifts = torch.randint(0, 2 * PADDING + 1, (2, count), generator=generator).to(images.device)
    flips = (torch.rand(count, generator=generator) < 0.5).to(images.device)
    rows = shifts[0][:, None] + torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device).expand(count, width)
    columns = torch.where(flips[:, None], width - 1 - columns, columns) + shifts[1][:, None]
    index = torch.arange(count, device=images.device)[:, None, None]
    return padded[index, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()


def augment(images: Tensor, name: str, generator: torch.Generator) -> Tensor:
    """Apply the named augmentation to a float batch."""
    return crop_flip(images, generator) if name == "crop_flip" else images
