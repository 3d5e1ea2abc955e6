"""CIFAR-10 and CIFAR-100 from their binary archives: the versions without pickles.

Each record is one label byte (CIFAR-100: the coarse, then the fine label) and 3 x 32 x 32 pixel bytes, red plane
first. Addresses, checksums and format are those of https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from lossproof.datasets.archives import members
from lossproof.datasets.prepared import Prepared

PIXELS = 3 * 32 * 32
TEN = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
# fmt: off
HUNDRED = [
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
    "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger",
    "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
]
# fmt: on

CATALOGUE = {
    "cifar10": {
        "build": "cifar10",
        "parameters": {},
        "files": [
            {
                "name": "cifar-10-binary.tar.gz",
                "urls": ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
                "checksum": "md5:c32a1d4ab5d03f1284b67883e8d87530",
                "bytes": 170052171,
            }
        ],
        "folders": ["CIFAR10", "cifar-10"],
        "expect": {"train": 50000, "test": 10000, "channels": 3, "image_size": 32, "classes": TEN},
        "licence": "none stated; its authors ask to cite Krizhevsky (2009)",
    },
    "cifar100": {
        "build": "cifar100",
        "parameters": {},
        "files": [
            {
                "name": "cifar-100-binary.tar.gz",
                "urls": ["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
                "checksum": "md5:03b5dce01913d631647c71ecec9e9cb8",
                "bytes": 168513733,
            }
        ],
        "folders": ["CIFAR100", "cifar-100"],
        "expect": {"train": 50000, "test": 10000, "channels": 3, "image_size": 32, "classes": HUNDRED},
        "licence": "none stated; its authors ask to cite Krizhevsky (2009)",
    },
}


def cifar10(files: Mapping[str, Path], *, name: str) -> Prepared:
    """[N, 3, 32, 32] and labels 0..9."""
    batches = [f"data_batch_{number}.bin" for number in range(1, 6)]
    return _read(files["cifar-10-binary.tar.gz"], name, "cifar10", batches, "test_batch.bin", 1)


def cifar100(files: Mapping[str, Path], *, name: str) -> Prepared:
    """[N, 3, 32, 32] and fine labels 0..99."""
    return _read(files["cifar-100-binary.tar.gz"], name, "cifar100", ["train.bin"], "test.bin", 2)


def _read(archive: Path, name: str, source: str, train: list[str], test: str, label_bytes: int) -> Prepared:
    about: dict[str, Any] = CATALOGUE[source]
    wanted = members(archive, lambda member: PurePosixPath(member).name in {*train, test})
    found = {PurePosixPath(member).name: _records(raw, label_bytes) for member, raw in wanted}

    def split(parts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        images, labels = zip(*(found[part] for part in parts), strict=True)
        return np.concatenate(images), np.concatenate(labels)

    card: dict[str, Any] = {
        "name": name,
        "source": f"{archive.name}, the version without pickles",
        "licence": about["licence"],
        "processing": "fine labels" if label_bytes == 2 else "none",
        "channels": 3,
        "image_size": 32,
        "classes": about["expect"]["classes"],
    }
    return Prepared(*split(train), *split([test]), card)


def _records(raw: bytes, label_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    """Images [N, 3, 32, 32] (a view) and labels [N] of one file's records."""
    records = np.frombuffer(raw, np.uint8).reshape(-1, label_bytes + PIXELS)
    return records[:, label_bytes:].reshape(-1, 3, 32, 32), records[:, label_bytes - 1].astype(np.int64)
