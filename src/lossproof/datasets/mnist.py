"""MNIST from its four IDX files.

But for the words on its card, ``prepare`` fits any set that comes as four such files (Fashion-MNIST, KMNIST).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lossproof.datasets import idx
from lossproof.datasets.prepared import Prepared
from lossproof.datasets.source import source_of

# Addresses and checksums of the packed files as torchvision has them.
CATALOGUE = {
    "mnist": {
        "build": "prepare",
        "parameters": {},
        "files": [
            {
                "name": "train-images-idx3-ubyte.gz",
                "urls": [
                    "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
                    "http://yann.lecun.com/exdb/mnist/train-images-idx3-ubyte.gz",
                ],
                "checksum": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "unpacked_sha256": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            },
            {
                "name": "train-labels-idx1-ubyte.gz",
                "urls": [
                    "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
                    "http://yann.lecun.com/exdb/mnist/train-labels-idx1-ubyte.gz",
                ],
                "checksum": "md5:d53e105ee54ea40749a09fcbcd1e9432",
                "unpacked_sha256": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            },
            {
                "name": "t10k-images-idx3-ubyte.gz",
                "urls": [
                    "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
                    "http://yann.lecun.com/exdb/mnist/t10k-images-idx3-ubyte.gz",
                ],
                "checksum": "md5:9fb629c4189551a2d022fa330f9573f3",
                "unpacked_sha256": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            },
            {
                "name": "t10k-labels-idx1-ubyte.gz",
                "urls": [
                    "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
                    "http://yann.lecun.com/exdb/mnist/t10k-labels-idx1-ubyte.gz",
                ],
                "checksum": "md5:ec29112dd5afa0611ce80d1b7f02629c",
                "unpacked_sha256": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            },
        ],
        "folders": ["MNIST/raw"],
        "expect": {
            "train": 60000,
            "test": 10000,
            "channels": 1,
            "image_size": 28,
            "classes": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        },
        "licence": "CC BY-SA 3.0",
    }
}


def prepare(files: Mapping[str, Path], *, name: str) -> Prepared:
    """Read and shape the four files. ``files``: where each lies, packed or not, by its published name."""
    arrays = {file.removesuffix(".gz"): idx.read(path) for file, path in files.items()}
    published = source_of("mnist")
    card: dict[str, Any] = {
        "name": name,
        "source": "MNIST, four IDX files",
        "licence": "CC BY-SA 3.0",
        "checksums": {file.name: file.checksum for file in published.files},
        "processing": "none",
        "channels": 1,
        "image_size": 28,
        "classes": published.expect["classes"],
    }
    return Prepared(
        arrays["train-images-idx3-ubyte"][:, None],
        arrays["train-labels-idx1-ubyte"].astype(np.int64),
        arrays["t10k-images-idx3-ubyte"][:, None],
        arrays["t10k-labels-idx1-ubyte"].astype(np.int64),
        card,
    )
