"""Tiny ImageNet (200 classes, 64x64): the labelled `val` images are the test split, those of `test` have no labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from lossproof.datasets.archives import members
from lossproof.datasets.packed_pictures import fill, listed
from lossproof.datasets.prepared import Prepared

CATALOGUE = {
    "tiny_imagenet": {
        "build": "prepare",
        "parameters": {},
        "files": [
            {
                "name": "tiny-imagenet-200.zip",
                "urls": ["http://cs231n.stanford.edu/tiny-imagenet-200.zip"],
                "checksum": "md5:90528d7ca1a48142e341f4ef8d21d0de",
                "bytes": 248100043,
            }
        ],
        "folders": ["tiny-imagenet-200", "TinyImageNet"],
        # The class names and their order stand in the archive's wnids.txt.
        "expect": {"train": 100000, "test": 10000, "channels": 3, "image_size": 64, "classes": 200},
        "licence": "none stated; the images are ImageNet's, for non-commercial research",
    }
}

TEXTS = ("wnids.txt", "val_annotations.txt")


def prepare(files: Mapping[str, Path], *, name: str) -> Prepared:
    """[N, 3, 64, 64]; classes are the WordNet ids in the order of wnids.txt. The pixels are held once."""
    archive = files["tiny-imagenet-200.zip"]
    small = members(archive, lambda member: PurePosixPath(member).name in TEXTS)
    texts = {PurePosixPath(member).name: raw.decode() for member, raw in small}
    classes = texts["wnids.txt"].split()
    labels = {wnid: label for label, wnid in enumerate(classes)}
    # "<file> <wnid> <box>" per line.
    annotated = dict(line.split()[:2] for line in texts["val_annotations.txt"].splitlines() if line.strip())
    train: list[tuple[int, str]] = []
    test: list[tuple[int, str]] = []
    for member in listed(archive):
        match PurePosixPath(member).parts[-4:]:
            case ("train", wnid, "images", _):
                train.append((labels[wnid], member))
            case (_, "val", "images", file) | ("val", "images", file):
                test.append((labels[annotated[file]], member))
    rows: dict[str, tuple[np.ndarray, int]] = {}

    def split(part: list[tuple[int, str]]) -> tuple[np.ndarray, np.ndarray]:
        images = np.empty((len(part), 3, 64, 64), np.uint8)
        rows.update({member: (images, row) for row, (_, member) in enumerate(sorted(part))})
        return images, np.array(sorted(label for label, _ in part), np.int64)

    splits = (*split(train), *split(test))
    fill(archive, rows, name)
    card: dict[str, Any] = {
        "name": name,
        "source": "tiny-imagenet-200.zip; the test split is `val`",
        "licence": CATALOGUE["tiny_imagenet"]["licence"],
        "processing": "JPEG decoded, gray images to RGB",
        "channels": 3,
        "image_size": 64,
        "classes": classes,
    }
    return Prepared(*splits, card)
