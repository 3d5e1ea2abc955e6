"""Image files to pixels: decoded from their bytes, resized and cropped."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

MODES = {1: "L", 3: "RGB"}
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")  # Pillow reads others with programs of the system
# Pillow would clip these to 8 bits.
DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")


def decode(raw: bytes, place: str, channels: int) -> Image.Image:
    """The picture in 8 bits, gray (1 channel) or RGB (3); transparency is dropped. ValueError names ``place``."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as picture:
            mode = picture.mode
            # Loads the pixels too, so what is cut off shows here.
            converted = picture.convert(MODES[channels])
    except UnidentifiedImageError:
        raise ValueError(f"{place}: not a readable image (of none of {', '.join(FORMATS)})") from None
    except Exception as error:  # Pillow raises whatever its readers meet in damaged bytes
        raise ValueError(f"{place}: not a readable image ({error})") from error
    if mode in DEEP:
        raise ValueError(f"{place}: more than 8 bits per channel (mode {mode})")
    return converted


def cropped(picture: Image.Image, side: int, crop: int) -> Image.Image:
    """The middle ``crop`` x ``crop`` pixels of the picture, its shorter side first resized to ``side``.

    Resampling looks at every source pixel (antialiasing), as torchvision's Resize and CenterCrop of PIL images do.
    """
    from PIL import Image

    longer = int(side * max(picture.size) / min(picture.size))
    size = (side, longer) if picture.width <= picture.height else (longer, side)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - crop) / 2), round((size[1] - crop) / 2)
    return picture.crop((left, top, left + crop, top + crop))


def pixels(picture: Image.Image) -> np.ndarray:
    """uint8 [C, H, W] of a gray or RGB picture."""
    array = np.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
