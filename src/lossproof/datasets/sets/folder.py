"""Any folder of images, <split>/<class>/*.{png,jpg,jpeg}: one's own pictures, or a set that was downloaded as files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lossproof.datasets.encoded import EncodedImages, decode_settings, decoded
from lossproof.datasets.files_on_disk import FilesOnDisk
from lossproof.datasets.on_disk import PICTURES, is_picture
from lossproof.datasets.prepared import Images, Prepared
from lossproof.datasets.source import keeps_files
from lossproof.paths import SPLITS
from lossproof.progress import track

CATALOGUE = {
    "folder": {
        "build": "prepare",
        "parameters": {
            "path": {
                "type": "string",
                "minLength": 1,
                "default": "images",
                "description": "folder with a folder per split, each with a folder per class",
            },
            "image_size": {
                "type": "integer",
                "minimum": 1,
                "maximum": 1024,
                "default": 32,
                "description": "side in pixels; other images are resized (bilinear, shorter side), then centre-cropped",
            },
            "channels": {"enum": [1, 3], "default": 3, "description": "1: gray, 3: RGB"},
            "train": {"type": "string", "minLength": 1, "default": "train", "description": "folder of the train split"},
            "test": {"type": "string", "minLength": 1, "default": "test", "description": "folder of the test split"},
            "note": {"type": "string", "default": "", "description": "said in the card, e.g. 'JPEG, lossy'"},
        },
        "encoded_above": 64,  # pixels of image_size; larger pictures stay the files that they are
    }
}


def prepare(
    files: Mapping[str, Path],
    *,
    name: str,
    path: str,
    image_size: int,
    channels: int,
    train: str,
    test: str,
    note: str,
) -> Prepared:
    """[N, channels, image_size, image_size], sorted by class and file name; classes sorted by name.

    Above 64 pixels the images are not in memory but stay files, and the first bad one shows when they are saved.
    The card holds a SHA-256 over the sorted names and bytes of all images. Other files are left out, and counted
    there. ValueError names the folder without images, the classes that only one split has, or the unreadable image.
    """
    root = Path(path)
    trees = {split: _tree(root / folder) for split, folder in zip(SPLITS, (train, test), strict=True)}
    classes = sorted(trees["train"])
    if classes != sorted(trees["test"]):
        only = set(classes) ^ set(trees["test"])
        raise ValueError(f"{root}: only one of {train} and {test} has the classes {', '.join(sorted(only))}")
    digest = hashlib.sha256()

    settings = decode_settings(image_size, image_size, channels)
    large = keeps_files({"source": "folder", "image_size": image_size})

    def read(split: str) -> tuple[Images, np.ndarray]:
        chosen = [(label, file) for label, title in enumerate(classes) for file in trees[split][title]]
        paths = [file for _, file in chosen]
        encoded = EncodedImages(FilesOnDisk(paths), settings, f"{name} {split}", [str(path) for path in paths])
        images = np.empty((0 if large else len(paths), *encoded.shape[1:]), np.uint8)
        for row, path in enumerate(track(paths, len(paths), f"{name}/{split}")):
            raw = path.read_bytes()
            digest.update(f"{split}/{path.parent.name}/{path.name}/{len(raw)}/".encode() + raw)
            if not large:
                images[row] = decoded(raw, settings, str(path))
        return encoded if large else images, np.array([label for label, _ in chosen], np.int64)

    splits = (*read("train"), *read("test"))
    images_found = sum(len(found) for tree in trees.values() for found in tree.values())
    files_found = sum(file.is_file() for folder in (train, test) for file in (root / folder).rglob("*"))
    card: dict[str, Any] = {
        "name": name,
        "source": f"folder of images, {train} and {test}",
        "licence": "that of the images",
        "processing": f"8 bits, {channels} channel(s); where the size differs: bilinear, shorter side to {image_size}, "
        "centre crop",
        "note": note,
        "ignored_files": files_found - images_found,
        "sha256": digest.hexdigest(),
        "channels": channels,
        "image_size": image_size,
        "classes": classes,
    }
    if large:
        card |= {"form": "encoded", "decode": settings}
    return Prepared(*splits, card)


def _tree(folder: Path) -> dict[str, list[Path]]:
    """The images of each class folder, sorted by name; hidden entries are none."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder; expected one folder per class in it")
    classes = {entry.name: sorted(_images(entry)) for entry in _entries(folder) if entry.is_dir()}
    if not classes:
        raise ValueError(f"{folder}: no class folder in it")
    for name, images in classes.items():
        if not images:
            raise ValueError(f"{folder / name}: no image in it ({', '.join(PICTURES)})")
    return classes


def _entries(folder: Path) -> Iterator[Path]:
    return (entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _images(folder: Path) -> Iterator[Path]:
    return (entry for entry in _entries(folder) if is_picture(entry.name))
