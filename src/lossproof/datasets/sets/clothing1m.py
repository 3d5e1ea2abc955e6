"""The part of Clothing1M with clean labels, from files that its owners hand out on request (SP-A18)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from lossproof.datasets.encoded import CHANNELS, EncodedImages, decode_settings
from lossproof.datasets.files_on_disk import FilesOnDisk
from lossproof.datasets.prepared import Prepared

KEYS = "annotations/clean_{}_key_list.txt"
LABELS = "annotations/clean_label_kv.txt"
NAMES = "annotations/category_names_eng.txt"
IMAGES = "images"
LICENCE = "non-commercial research and education; must not be passed on"

CATALOGUE = {
    "clothing1m": {
        "build": "prepare",
        "parameters": {
            "resize": {
                "type": "integer",
                "minimum": 8,
                "maximum": 1024,
                "default": 256,
                "description": "shorter side in pixels before the crop",
            },
            "image_size": {
                "type": "integer",
                "minimum": 8,
                "maximum": 1024,
                "default": 224,
                "description": "side in pixels of the centre crop",
            },
            "test": {
                "enum": ["valid", "test"],
                "default": "valid",
                "description": "which clean part is tested on: the paper says validation (SP-A18)",
            },
        },
        "form": "encoded",
        "by_hand": {
            "folder": "clothing1m",
            "files": [
                "annotations/clean_train_key_list.txt",
                "annotations/clean_val_key_list.txt",
                "annotations/clean_test_key_list.txt",
                "annotations/clean_label_kv.txt",
                "annotations/category_names_eng.txt",
                "images",
            ],
            "how": "ask for them as https://github.com/Cysu/noisy_label says and unpack them there",
        },
        "expect": {"train": 47570, "channels": 3},
        "licence": LICENCE,
    }
}

# Images per list, and classes, of the whole set.
SIZES = {"train": 47_570, "val": 14_313, "test": 10_526}
CLASSES = 14


def _lines(path: Path) -> list[str]:
    """The non-empty lines of a list; ValueError names a file that is no text."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text file ({error})") from error
    return [line.strip() for line in lines if line.strip()]


def _labels(path: Path) -> dict[str, int]:
    """Class by image key; ValueError names a line of another form."""
    found = {}
    for number, line in enumerate(_lines(path), start=1):
        key, _, label = line.rpartition(" ")
        if not key or not label.isdecimal() or int(label) >= CLASSES:
            raise ValueError(f"{path}: entry {number} is '{line[:80]}', not '<image> <class 0 to {CLASSES - 1}>'")
        found[key.strip()] = int(label)
    return found


def _part(part: str, files: Mapping[str, Path], labels: Mapping[str, int]) -> tuple[list[str], np.ndarray, list[Path]]:
    """Keys, labels and image files of one list, each checked to be there."""
    path = files[KEYS.format(part)]
    keys = _lines(path)
    if len(keys) != SIZES[part]:
        raise ValueError(f"{path}: {len(keys)} images, {SIZES[part]} expected")
    if len(set(keys)) != len(keys):
        raise ValueError(f"{path}: {len(keys) - len(set(keys))} images are named twice")
    images = []
    for key in keys:
        parts = PurePosixPath(key).parts
        if parts[0] != IMAGES or ".." in parts:
            raise ValueError(f"{path}: '{key}' does not lie in {IMAGES}/")
        if key not in labels:
            raise ValueError(f"{path}: '{key}' has no label in {files[LABELS]}")
        images.append(files[IMAGES].joinpath(*parts[1:]))
    gone = [place for place in images if not place.is_file()]
    if gone:
        raise FileNotFoundError(f"{gone[0]} is named in {path} but absent, as are {len(gone) - 1} others")
    return keys, np.array([labels[key] for key in keys], np.int64), images


def prepare(files: Mapping[str, Path], *, name: str, resize: int, image_size: int, test: str) -> Prepared:
    """The clean training part and the clean part to test on, as image files.

    ``files``: the places of the files that the catalogue names. ValueError names a list of another length or form,
    FileNotFoundError an image that a list names and the folder lacks.
    """
    settings = decode_settings(resize, image_size)
    classes = _lines(files[NAMES])
    if len(classes) != CLASSES:
        raise ValueError(f"{files[NAMES]}: {len(classes)} classes, {CLASSES} expected")
    labels = _labels(files[LABELS])
    splits: dict[str, Any] = {}
    for split, part in (("train", "train"), ("test", {"valid": "val", "test": "test"}[test])):
        keys, numbers, paths = _part(part, files, labels)
        splits[f"{split}_images"] = EncodedImages(FilesOnDisk(paths), settings, f"{name} {split}", keys)
        splits[f"{split}_labels"] = numbers
    card: dict[str, Any] = {
        "name": name,
        "source": f"Clothing1M, clean labels; tested on the clean {test} part",
        "licence": LICENCE,
        "processing": f"shorter side to {resize}, centre crop of {image_size}",
        "form": "encoded",
        "decode": settings,
        "channels": CHANNELS,
        "image_size": image_size,
        "classes": classes,
        "parts": {"train": SIZES["train"], "valid": SIZES["val"], "test": SIZES["test"]},
    }
    return Prepared(**splits, card=card)
