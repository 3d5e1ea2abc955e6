"""Images straight out of an archive into an array that is there already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lossproof.datasets.archives import members
from lossproof.datasets.pictures import decode, pixels
from lossproof.progress import track


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
