"""How large a data set is, before it is fetched or prepared: read from the catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossproof.catalogue import catalogue
from lossproof.datasets.source import keeps_files
from lossproof.paths import SPLITS
from lossproof.records import read_json


@dataclass(frozen=True)
class Extent:
    """Images per split, their form, and bytes to fetch (None: not known, 0: nothing to fetch)."""

    train: int
    test: int
    channels: int
    image_size: int
    classes: int
    download: int | None
    by_hand: bool = False
    encoded: bool = False

    def images(self, split: str) -> int:
        return self.train if split == "train" else self.test

    @property
    def prepared(self) -> int:
        """Bytes of the prepared form: arrays, or the image files themselves, taken as large as their download."""
        if self.encoded and self.download:
            return self.download
        return (self.train + self.test) * (self.channels * self.image_size**2 + 8)


def extent_of(settings: Mapping[str, Any], card: Path) -> Extent | None:
    """The extent of a data set by its settings (``source`` and parameters), None where nobody knows it yet.

    From the catalogue's ``expect``, its ``extent`` for what the former leaves open (``total`` is shared out by
    ``test_share``; images that are left out on the way still count), and the ``card`` of the prepared data set,
    where there is one.
    """
    about = catalogue("datasets")[settings["source"]].about
    known = {**about.get("extent", {}), **about.get("expect", {})}
    known |= {key: settings[key] for key in ("channels", "image_size") if settings.get(key)}
    if "total" in known:
        test = math.ceil(known["total"] * settings["test_share"])  # as scikit-learn splits
        known |= {"train": known["total"] - test, "test": test}
    if card.is_file():
        found = read_json(card)
        known |= {key: found[key] for key in ("channels", "image_size", "classes")} | found["sizes"]
    if not {*SPLITS, "channels", "image_size", "classes"} <= known.keys():
        return None
    classes = known["classes"]
    files = [file.get("bytes") for file in about.get("files", ())]
    return Extent(
        train=known["train"],
        test=known["test"],
        channels=known["channels"],
        image_size=known["image_size"],
        classes=classes if isinstance(classes, int) else len(classes),
        download=None if None in files else sum(files),
        by_hand="by_hand" in about,
        encoded=keeps_files(settings),
    )
