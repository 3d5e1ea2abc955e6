"""Image files (PNG, JPEG) to pixels, from bytes or straight out of an archive into an array that is there already."""

from __future__ import annotations

import io
import struct
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lossproof.datasets.archives import members
from lossproof.progress import track

if TYPE_CHECKING:
    from PIL import Image

MODES = {1: "L", 3: "RGB"}
# Pillow would clip these to 8 bits.
DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")


def decode(raw: bytes, place: str, channels: int) -> Image.Image:
    """The picture in 8 bits, gray (1 channel) or RGB (3); transparency is dropped. ValueError names ``place``."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(raw), formats=("PNG", "JPEG")) as picture:
            mode = picture.mode
            # Loads the pixels too, so what is cut off shows here.
            converted = picture.convert(MODES[channels])
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    ) as error:
        raise ValueError(f"{place}: not a readable image ({error})") from error
    if mode in DEEP:
        raise ValueError(f"{place}: more than 8 bits per channel (mode {mode})")
    return converted


def pixels(picture: Image.Image) -> np.ndarray:
    """uint8 [C, H, W] of a gray or RGB picture."""
    array = np.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def listed(archive: Path, **limits: int) -> list[str]:
    """The names of an archive's files, none of which is read. ValueError for a name that stands there twice."""
    names: list[str] = []

    def note(member: str) -> bool:
        names.append(member)
        return False

    for _ in members(archive, note, **limits):
        pass
    if len(set(names)) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise ValueError(f"{archive}: {twice} is there twice")
    return names


def fill(archive: Path, rows: Mapping[str, tuple[np.ndarray, int]], label: str, **limits: int) -> None:
    """Decode each member named in ``rows`` into its place: a row of an array uint8 [N, C, H, W].

    One picture is in memory at a time besides the arrays. ValueError names the member that is no image of that size.
    """
    for member, raw in track(members(archive, rows.__contains__, **limits), len(rows), label):
        images, row = rows[member]
        place = f"{archive}: {member}"
        _, channels, height, width = images.shape
        picture = decode(raw, place, channels)
        if picture.size != (width, height):
            raise ValueError(f"{place}: {picture.size[0]}x{picture.size[1]} pixels, {width}x{height} expected")
        images[row] = pixels(picture)
