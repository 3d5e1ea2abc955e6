"""The one form in which every data set is kept: uint8 arrays per split and a card.

A prepared data set is a folder with ``train_images.npy`` and ``test_images.npy`` (uint8,
[N, C, H, W]), ``train_labels.npy`` and ``test_labels.npy`` (int64, [N]) and ``card.json``.
Where the card says ``"form": "encoded"`` the images are packed files, decoded as its ``decode`` says (encoded.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lossproof.datasets.encoded import EncodedImages, Packed
from lossproof.paths import SPLITS
from lossproof.records import read_json, whole, write_json

Images = np.ndarray | EncodedImages


@dataclass(frozen=True)
class Prepared:
    """A data set. Images are uint8 (pixel 255 is 1.0), in memory or decoded where indexed; labels int64 from 0."""

    train_images: Images
    train_labels: np.ndarray
    test_images: Images
    test_labels: np.ndarray
    card: dict[str, Any]

    def split(self, name: str) -> tuple[Images, np.ndarray]:
        """Images and labels of ``train`` or ``test``."""
        return (self.train_images, self.train_labels) if name == "train" else (self.test_images, self.test_labels)

    @property
    def num_classes(self) -> int:
        return len(self.card["classes"])


def check(data: Prepared) -> None:
    """Assert form and agreement with the card; ValueError says what is wrong. Decodes nothing: ``save`` does."""
    card = data.card
    stated = card["decode"] if card.get("form") == "encoded" else None
    shape = (card["channels"], card["image_size"], card["image_size"])
    for split in SPLITS:
        images, labels = data.split(split)
        if (images.settings if isinstance(images, EncodedImages) else None) != stated:
            raise ValueError(f"{card['name']}: {split} images are not in the form that the card states")
        if images.dtype != np.uint8 or images.shape[1:] != shape:
            raise ValueError(f"{card['name']}: {split} images are {images.dtype} {images.shape[1:]}, not uint8 {shape}")
        if labels.dtype != np.int64 or len(labels) != len(images):
            raise ValueError(f"{card['name']}: {len(labels)} {split} labels ({labels.dtype}), {len(images)} images")
        if set(np.unique(labels)) != set(range(data.num_classes)):
            raise ValueError(f"{card['name']}: {split} labels are not 0..{data.num_classes - 1}, each present")


def save(folder: Path | str, data: Prepared) -> None:
    """Write a checked data set; the card gains the splits' sizes beside those it may have of other parts.

    For packed images it gains the statistics of the training pixels too. They go from where they are to the file
    one by one, each decoded once (ValueError names a bad one).
    """
    check(data)
    folder = Path(folder)
    sizes = {split: len(data.split(split)[1]) for split in SPLITS}
    found: dict[str, Any] = {"sizes": data.card.get("sizes", {}) | sizes}
    for split in SPLITS:
        images, labels = data.split(split)
        with whole(folder / f"{split}_images.npy") as path:
            if isinstance(images, EncodedImages):
                statistics = images.pack(path)
                if split == "train":
                    found["pixels"] = statistics
            else:
                np.save(path, np.ascontiguousarray(images), allow_pickle=False)
        with whole(folder / f"{split}_labels.npy") as path:
            np.save(path, np.ascontiguousarray(labels), allow_pickle=False)
    write_json(folder / "card.json", data.card | found)


def load(folder: Path | str) -> Prepared:
    """Read a prepared data set; packed images stay in their file."""
    folder = Path(folder)
    card = read_json(folder / "card.json")
    parts: dict[str, Any] = {}
    for split in SPLITS:
        images = folder / f"{split}_images.npy"
        if card.get("form") == "encoded":
            parts[f"{split}_images"] = EncodedImages(Packed(images), card["decode"], f"{card['name']} {split}")
        else:
            parts[f"{split}_images"] = np.load(images, allow_pickle=False)
        parts[f"{split}_labels"] = np.load(folder / f"{split}_labels.npy", allow_pickle=False)
    return Prepared(**parts, card=card)
