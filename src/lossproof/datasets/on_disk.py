"""What a data set without published files is made from, as it lies on the disk: a change makes its arrays stale."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lossproof.datasets import by_hand
from lossproof.datasets.source import source_of

PICTURES = (".png", ".jpg", ".jpeg")


def is_picture(name: str) -> bool:
    """Whether a file that is not hidden is taken for a picture, by its name."""
    return Path(name).suffix.lower() in PICTURES


def state(settings: Mapping[str, Any], cache: Path | str) -> str:
    """A digest of a data set's own files; "" where it has none, or published ones, whose checksums say more.

    ``settings``: source and parameters. Reads no picture, as every dry run asks. A ``folder``: names, sizes and times
    of its pictures, so that a copy of it, or ``touch``, counts as a change too; what is made from equal pictures
    is equal all the same. Files placed by hand: the bytes of the lists. The pictures that these name are too many to
    look at each time; one that is gone, or damaged, stops the preparing.
    """
    source = source_of(settings["source"])
    digest = hashlib.sha256()
    if source.by_hand:
        for name, place in by_hand.places(source.by_hand, Path(cache)).items():
            digest.update(f"{name}\0".encode())
            if place.is_file():
                digest.update(hashlib.sha256(place.read_bytes()).digest())
    elif source.name == "folder":
        for split in ("train", "test"):
            for line in sorted(_pictures(Path(settings["path"], settings[split]))):
                digest.update(os.fsencode(f"{split}/{line}\0"))
    else:
        return ""
    return digest.hexdigest()


def _pictures(split: Path) -> Iterator[str]:
    """Class, name, size and time of each picture of a split; none where there is no such folder."""
    if not split.is_dir():
        return
    for title in (entry for entry in _entries(split) if entry.is_dir()):
        for entry in _entries(Path(title.path)):
            if is_picture(entry.name):
                with contextlib.suppress(FileNotFoundError):  # a link to nowhere
                    found = entry.stat()
                    yield f"{title.name}/{entry.name} {found.st_size} {found.st_mtime_ns}"


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]
