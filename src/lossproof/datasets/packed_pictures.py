"""Images straight out of an archive into an array that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lossproof.datasets.archives import members
from lossproof.datasets.pictures import decode, pixels
from lossproof.progress import track


def listed(archive: Path) -> list[str]:
    """The names of an archive's files, none of which is read."""
    names: list[str] = []

    def note(member: str) -> bool:
        names.append(member)
        return False

    for _ in members(archive, note):
        pass
    return names


def fill(archive: Path, rows: Mapping[str, tuple[np.ndarray, int]], label: str) -> None:
    """Decode each member named in ``rows`` into its place: a row of an array uint8 [N, C, H, W].

    One picture is in memory at a time besides the arrays.
    """
    for member, raw in track(members(archive, rows.__contains__), len(rows), label):
        images, row = rows[member]
        images[row] = pixels(decode(raw, f"{archive}: {member}", images.shape[1]))
