"""The one form in which every data set is kept: uint8 arrays per split and a card.

A prepared data set is a folder with ``train_images.npy`` and ``test_images.npy`` (uint8,
[N, C, H, W]), ``train_labels.npy`` and ``test_labels.npy`` (int64, [N]) and ``card.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lossproof.records import read_json, whole, write_json

SPLITS = ("train", "test")
FILES = (*(f"{split}_{part}.npy" for split in SPLITS for part in ("images", "labels")), "card.json")


@dataclass(frozen=True)
class Prepared:
    """A data set in memory. Images are uint8 (pixel 255 is 1.0), labels int64 from 0."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    card: dict[str, Any]

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of ``train`` or ``test``."""
        return (self.train_images, self.train_labels) if name == "train" else (self.test_images, self.test_labels)

    @property
    def num_classes(self) -> int:
        return len(self.card["classes"])


def check(data: Prepared) -> None:
    """Assert form and agreement with the card; ValueError says what is wrong."""
    card = data.card
    shape = (card["channels"], card["image_size"], card["image_size"])
    for split in SPLITS:
        images, labels = data.split(split)
        if images.dtype != np.uint8 or images.shape[1:] != shape:
            raise ValueError(f"{card['name']}: {split} images are {images.dtype} {images.shape[1:]}, not uint8 {shape}")
        if labels.dtype != np.int64 or len(labels) != len(images):
            raise ValueError(f"{card['name']}: {len(labels)} {split} labels ({labels.dtype}), {len(images)} images")
        if set(np.unique(labels)) != set(range(data.num_classes)):
            raise ValueError(f"{card['name']}: {split} labels are not 0..{data.num_classes - 1}, each present")


def save(folder: Path | str, data: Prepared) -> None:
    """Write a checked data set; the card gains the splits' sizes beside those it may have of other parts."""
    check(data)
    folder = Path(folder)
    for split in SPLITS:
        for part, array in zip(("images", "labels"), data.split(split), strict=True):
            with whole(folder / f"{split}_{part}.npy") as path:
                np.save(path, np.ascontiguousarray(array), allow_pickle=False)
    sizes = data.card.get("sizes", {}) | {split: len(data.split(split)[1]) for split in SPLITS}
    write_json(folder / "card.json", data.card | {"sizes": sizes})


def load(folder: Path | str) -> Prepared:
    """Read a prepared data set."""
    folder = Path(folder)
    arrays = {name[:-4]: np.load(folder / name, allow_pickle=False) for name in FILES if name.endswith(".npy")}
    return Prepared(**arrays, card=read_json(folder / "card.json"))
