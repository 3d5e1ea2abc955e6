"""MNIST, Fashion-MNIST and KMNIST: one format (four IDX files each), one reader.

Addresses and checksums are those that torchvision publishes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lossproof.datasets import idx
from lossproof.datasets.prepared import Prepared

DIGITS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
GARMENTS = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]
HIRAGANA = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]

CATALOGUE = {
    "mnist": {
        "build": "mnist",
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
                "bytes": 9912422,
            },
            {
                "name": "train-labels-idx1-ubyte.gz",
                "urls": [
                    "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
                    "http://yann.lecun.com/exdb/mnist/train-labels-idx1-ubyte.gz",
                ],
                "checksum": "md5:d53e105ee54ea40749a09fcbcd1e9432",
                "unpacked_sha256": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "bytes": 28881,
            },
            {
                "name": "t10k-images-idx3-ubyte.gz",
                "urls": [
                    "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
                    "http://yann.lecun.com/exdb/mnist/t10k-images-idx3-ubyte.gz",
                ],
                "checksum": "md5:9fb629c4189551a2d022fa330f9573f3",
                "unpacked_sha256": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "bytes": 1648877,
            },
            {
                "name": "t10k-labels-idx1-ubyte.gz",
                "urls": [
                    "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
                    "http://yann.lecun.com/exdb/mnist/t10k-labels-idx1-ubyte.gz",
                ],
                "checksum": "md5:ec29112dd5afa0611ce80d1b7f02629c",
                "unpacked_sha256": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                "bytes": 4542,
            },
        ],
        "folders": ["MNIST/raw"],
        "expect": {"train": 60000, "test": 10000, "channels": 1, "image_size": 28, "classes": DIGITS},
        "licence": "CC BY-SA 3.0",
    },
    "fashion_mnist": {
        "build": "fashion_mnist",
        "parameters": {},
        "files": [
            {
                "name": "train-images-idx3-ubyte.gz",
                "urls": ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz"],
                "checksum": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "bytes": 26421880,
            },
            {
                "name": "train-labels-idx1-ubyte.gz",
                "urls": ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz"],
                "checksum": "md5:25c81989df183df01b3e8a0aad5dffbe",
                "bytes": 29515,
            },
            {
                "name": "t10k-images-idx3-ubyte.gz",
                "urls": ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz"],
                "checksum": "md5:bef4ecab320f06d8554ea6380940ec79",
                "bytes": 4422102,
            },
            {
                "name": "t10k-labels-idx1-ubyte.gz",
                "urls": ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz"],
                "checksum": "md5:bb300cfdad3c16e7a12a480ee83cd310",
                "bytes": 5148,
            },
        ],
        "folders": ["FashionMNIST/raw"],
        "expect": {"train": 60000, "test": 10000, "channels": 1, "image_size": 28, "classes": GARMENTS},
        "licence": "MIT",
    },
    "kmnist": {
        "build": "kmnist",
        "parameters": {},
        "files": [
            {
                "name": "train-images-idx3-ubyte.gz",
                "urls": ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-images-idx3-ubyte.gz"],
                "checksum": "md5:bdb82020997e1d708af4cf47b453dcf7",
                "bytes": 18165135,
            },
            {
                "name": "train-labels-idx1-ubyte.gz",
                "urls": ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-labels-idx1-ubyte.gz"],
                "checksum": "md5:e144d726b3acfaa3e44228e80efcd344",
                "bytes": 29497,
            },
            {
                "name": "t10k-images-idx3-ubyte.gz",
                "urls": ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-images-idx3-ubyte.gz"],
                "checksum": "md5:5c965bf0a639b31b8f53240b1b52f4d7",
                "bytes": 3041136,
            },
            {
                "name": "t10k-labels-idx1-ubyte.gz",
                "urls": ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-labels-idx1-ubyte.gz"],
                "checksum": "md5:7320c461ea6c1c855c0b718fb2a4b134",
                "bytes": 5120,
            },
        ],
        "folders": ["KMNIST/raw"],
        "expect": {"train": 60000, "test": 10000, "channels": 1, "image_size": 28, "classes": HIRAGANA},
        "licence": "CC BY-SA 4.0",
    },
}


def mnist(files: Mapping[str, Path], *, name: str) -> Prepared:
    """Handwritten digits, 28x28x1."""
    return _family(files, name, "mnist", "MNIST", DIGITS)


def fashion_mnist(files: Mapping[str, Path], *, name: str) -> Prepared:
    """Garments, 28x28x1."""
    return _family(files, name, "fashion_mnist", "Fashion-MNIST", GARMENTS)


def kmnist(files: Mapping[str, Path], *, name: str) -> Prepared:
    """Cursive hiragana, 28x28x1."""
    return _family(files, name, "kmnist", "Kuzushiji-MNIST", HIRAGANA)


def _family(files: Mapping[str, Path], name: str, source: str, title: str, classes: list[str]) -> Prepared:
    train, test = _split(files, "train"), _split(files, "t10k")
    card: dict[str, Any] = {
        "name": name,
        "source": f"{title}, four IDX files",
        "licence": CATALOGUE[source]["licence"],
        "processing": "none",
        "channels": 1,
        "image_size": train[0].shape[2],
        "classes": classes,
    }
    return Prepared(*train, *test, card)


def _split(files: Mapping[str, Path], part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images [N, 1, 28, 28] and labels [N] of one split."""
    images, labels = (idx.read(files[f"{part}-{name}-ubyte.gz"]) for name in ("images-idx3", "labels-idx1"))
    return images[:, None], labels.astype(np.int64)
