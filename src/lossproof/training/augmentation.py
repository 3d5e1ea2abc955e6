"""Random changes of a batch on its device, drawn on the CPU: equal draws on any device.

Not torchvision's ``transforms.v2``, which draws once for a whole batch and from the global generator: image by image it
takes three to four times as long (``docs/libraries.md``).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

PADDING = 4
SHARE = 0.8
DEGREES = 10.0
AREA = (0.08, 1.0)
RATIO = (3 / 4, 4 / 3)
TRIES = 10


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


def _uniform(low: float, high: float, size: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(size, generator=generator)


def random_boxes(
    count: int, height: int, width: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Top, left, height and width [count] of random boxes, whole pixels as floats.

    As torchvision's RandomResizedCrop draws them: area 8 to 100 percent of the image, side ratio 3/4 to 4/3 evenly
    on a logarithmic scale, the first of ten draws that fits, else the whole image (torchvision: the largest central
    box of an allowed ratio, the same for square images).
    """
    area = height * width * _uniform(*AREA, (TRIES, count), generator)
    ratio = _uniform(math.log(RATIO[0]), math.log(RATIO[1]), (TRIES, count), generator).exp()
    tall, wide = (area / ratio).sqrt().round(), (area * ratio).sqrt().round()
    fits = (tall <= height) & (wide <= width) & (tall >= 1) & (wide >= 1)
    first = fits.int().argmax(0, keepdim=True)
    tall = torch.where(fits.any(0), tall.gather(0, first)[0], height)
    wide = torch.where(fits.any(0), wide.gather(0, first)[0], width)
    top = (torch.rand(count, generator=generator) * (height - tall + 1)).floor()
    left = (torch.rand(count, generator=generator) * (width - wide + 1)).floor()
    return top, left, tall, wide


def flip_rotate_crop(images: Tensor, generator: torch.Generator) -> Tensor:
    """With probability 0.8: flip (half of them), rotate within 10 degrees, enlarge a random box to the image's size.

    The recipe of the compact-probability paper's released code for Tiny ImageNet. ``images`` is [N, C, H, W];
    ``generator`` lives on the CPU. The three are one map, so the pixels are interpolated (bilinearly) once, where
    torchvision's chain first rotates to the nearest pixel; outside the image is zero. The other images stay as
    they are, to the bit. Grids are products of float32 scalars, not matrices, so TF32 cannot move a pixel.
    """
    count, _, height, width = images.shape
    applied = torch.rand(count, generator=generator) < SHARE
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    angle = torch.deg2rad(_uniform(-DEGREES, DEGREES, (count,), generator))
    top, left, tall, wide = random_boxes(count, height, width, generator)
    # Where each output pixel's centre lies, in pixels from the image's centre: in the box, then turned and flipped.
    steps_x, steps_y = (torch.arange(width) + 0.5) / width, (torch.arange(height) + 0.5) / height
    x = (left - width / 2)[:, None] + wide[:, None] * steps_x
    y = (top - height / 2)[:, None] + tall[:, None] * steps_y
    cosine, sine, mirror, x, y = (
        part.to(images.device)
        for part in (angle.cos()[:, None, None], angle.sin()[:, None, None], mirror[:, None, None], x, y)
    )
    x, y = x[:, None, :], y[:, :, None]
    # grid_sample counts from -1 to 1 between the outer edges.
    grid = torch.stack((mirror * (cosine * x - sine * y) * (2 / width), (sine * x + cosine * y) * (2 / height)), -1)
    moved = F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return torch.where(applied.to(images.device)[:, None, None, None], moved, images)


AUGMENTATIONS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "none": lambda images, generator: images,
    "crop_flip": crop_flip,
    "flip_rotate_crop": flip_rotate_crop,
}


def augment(images: Tensor, name: str, generator: torch.Generator) -> Tensor:
    """Apply the named augmentation to a float batch [N, C, H, W]; ValueError for an unknown name."""
    if name not in AUGMENTATIONS:
        raise ValueError(f"no augmentation '{name}'; known: {', '.join(AUGMENTATIONS)}")
    return AUGMENTATIONS[name](images, generator)
