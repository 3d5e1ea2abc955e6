"""CINIC-10: CIFAR-10's classes, with images of CIFAR-10 and shrunken ones of ImageNet.

The archive holds <train|valid|test>/<class>/<image>.png. Training is on `train` (SP-A17); the folder that is
neither trained nor tested on is read for its names only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from lossproof.datasets.packed_pictures import fill, listed
from lossproof.datasets.prepared import Prepared
from lossproof.datasets.sets.cifar import TEN

CATALOGUE = {
    "cinic10": {
        "build": "prepare",
        "parameters": {
            "test": {
                "enum": ["test", "valid"],
                "default": "test",
                "description": "the folder that is the test split (SP-A17)",
            },
        },
        "files": [
            {
                "name": "CINIC-10.tar.gz",
                "urls": [
                    "https://datashare.ed.ac.uk/bitstream/handle/10283/3192/CINIC-10.tar.gz",
                    "https://datashare.ed.ac.uk/server/api/core/bitstreams/e8e186cc-2688-48f1-aa5a-3fda1a43f8b6/content",
                ],
                "checksum": "md5:6ee4d0c996905fe93221de577967a372",
                "bytes": 687544992,
            }
        ],
        "folders": ["CINIC-10", "CINIC10", "cinic-10"],
        "expect": {
            "train": 90000,
            "test": 90000,
            "channels": 3,
            "image_size": 32,
            "classes": TEN,
        },
        "licence": "CC BY 4.0; the images from ImageNet stay under its terms",
    }
}

FOLDERS = ("train", "valid", "test")
# Members by class, per folder.
Tree = dict[str, dict[str, list[str]]]


def prepare(files: Mapping[str, Path], *, name: str, test: str) -> Prepared:
    """[N, 3, 32, 32], sorted by class and file name.

    The pixels are held once: the archive is read twice, first for its names.
    """
    archive = files["CINIC-10.tar.gz"]
    tree = _tree(archive)
    classes = sorted(tree["train"])
    images: dict[str, np.ndarray] = {}
    labels: dict[str, np.ndarray] = {}
    rows: dict[str, tuple[np.ndarray, int]] = {}
    for folder in ("train", test):
        counts = [len(tree[folder][label]) for label in classes]
        images[folder] = np.empty((sum(counts), 3, 32, 32), np.uint8)
        labels[folder] = np.repeat(np.arange(len(classes)), counts)
        ordered = (member for label in classes for member in sorted(tree[folder][label]))
        rows |= {member: (images[folder], row) for row, member in enumerate(ordered)}
    fill(archive, rows, name)
    (unused,) = set(FOLDERS) - {"train", test}
    card: dict[str, Any] = {
        "name": name,
        "source": "CINIC-10.tar.gz",
        "licence": CATALOGUE["cinic10"]["licence"],
        "processing": f"gray images to RGB; test split: folder '{test}'; unused: folder '{unused}'",
        "channels": 3,
        "image_size": 32,
        "classes": classes,
        "sizes": {"unused": sum(len(members) for members in tree[unused].values())},
    }
    return Prepared(images["train"], labels["train"], images[test], labels[test], card)


def _tree(archive: Path) -> Tree:
    tree: Tree = {folder: defaultdict(list) for folder in FOLDERS}
    for member in listed(archive):
        path = PurePosixPath(member)
        # The archive may wrap its folders in one of its own.
        folder, label = path.parts[-3:-1] if len(path.parts) > 2 else ("", "")
        if folder in tree and path.suffix == ".png" and not path.name.startswith("."):
            tree[folder][label].append(member)
    return tree
