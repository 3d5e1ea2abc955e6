"""MNIST from its four IDX files in the cache folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lossproof.datasets import idx
from lossproof.datasets.prepared import Prepared

CATALOGUE = {
    "mnist": {
        "build": "prepare",
        "parameters": {},
        "expect": {"train": 60000, "test": 10000, "channels": 1, "image_size": 28, "classes": 10},
    }
}

# SHA-256 of the unpacked files.
FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def prepare(cache: Path, *, name: str) -> Prepared:
    """Read, check and shape MNIST. The files may be packed, in ``cache``, ``cache/mnist`` or ``cache/MNIST/raw``."""
    folders = [cache / "mnist", cache / "MNIST" / "raw", cache]
    arrays = {stem: idx.read(idx.find(folders, stem), checksum) for stem, checksum in FILES.items()}
    card: dict[str, Any] = {
        "name": name,
        "source": "MNIST, four IDX files",
        "licence": "CC BY-SA 3.0",
        "checksums": FILES,
        "processing": "none",
        "channels": 1,
        "image_size": 28,
        "classes": [str(digit) for digit in range(10)],
    }
    return Prepared(
        arrays["train-images-idx3-ubyte"][:, None],
        arrays["train-labels-idx1-ubyte"].astype(np.int64),
        arrays["t10k-images-idx3-ubyte"][:, None],
        arrays["t10k-labels-idx1-ubyte"].astype(np.int64),
        card,
    )
