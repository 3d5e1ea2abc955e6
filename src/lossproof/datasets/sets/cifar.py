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
from lossproof.datasets.expect import check_labels
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
    """[N, 3, 32, 32] and labels 0..9. ValueError names archive and member that are cut off or hold something else."""
    batches = [f"data_batch_{number}.bin" for number in range(1, 6)]
    return _read(files["cifar-10-binary.tar.gz"], name, "cifar10", batches, "test_batch.bin", "batches.meta.txt", 1)


def cifar100(files: Mapping[str, Path], *, name: str) -> Prepared:
    """[N, 3, 32, 32] and fine labels 0..99. ValueError as for CIFAR-10."""
    archive = files["cifar-100-binary.tar.gz"]
    return _read(archive, name, "cifar100", ["train.bin"], "test.bin", "fine_label_names.txt", 2)


def _read(archive: Path, name: str, source: str, train: list[str], test: str, names: str, label_bytes: int) -> Prepared:
    about: dict[str, Any] = CATALOGUE[source]
    classes = about["expect"]["classes"]
    found = _files(archive, {*train, test, names})
    _check_names(found[names].decode().split(), classes, f"{archive}: {names}")

    def split(parts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        places = {part: f"{archive}: {part}" for part in parts}
        batches = [_records(found[part], label_bytes, len(classes), place) for part, place in places.items()]
        images, labels = zip(*batches, strict=True)
        return np.concatenate(images), np.concatenate(labels)

    card: dict[str, Any] = {
        "name": name,
        "source": f"{archive.name}, the version without pickles",
        "licence": about["licence"],
        "processing": "fine labels" if label_bytes == 2 else "none",
        "channels": 3,
        "image_size": 32,
        "classes": classes,
    }
    return Prepared(*split(train), *split([test]), card)


def _files(archive: Path, wanted: set[str]) -> dict[str, bytes]:
    """The members that are wanted, by their names without folder."""
    read = members(archive, lambda member: PurePosixPath(member).name in wanted, at_most_bytes=2**28, at_most_files=100)
    found = {PurePosixPath(member).name: raw for member, raw in read}
    if missing := sorted(wanted - found.keys()):
        raise ValueError(f"{archive}: {', '.join(missing)} missing")
    return found


def _check_names(found: list[str], classes: list[str], place: str) -> None:
    """Number and order of the archive's class names; their spelling may be shorter or longer (maple, maple_tree)."""
    if len(found) != len(classes):
        raise ValueError(f"{place}: {len(found)} class names, {len(classes)} expected")
    for at, (one, other) in enumerate(zip(found, classes, strict=True)):
        if one not in other and other not in one:
            raise ValueError(f"{place}: class {at} is {one}, expected {other}")


def _records(raw: bytes, label_bytes: int, classes: int, place: str) -> tuple[np.ndarray, np.ndarray]:
    """Images [N, 3, 32, 32] (a view) and labels [N] of one file's records."""
    size = label_bytes + PIXELS
    if not raw or len(raw) % size:
        raise ValueError(f"{place}: {len(raw)} bytes, expected a multiple of {size}")
    records = np.frombuffer(raw, np.uint8).reshape(-1, size)
    labels = records[:, label_bytes - 1].astype(np.int64)
    check_labels(labels, range(classes), place)
    return records[:, label_bytes:].reshape(-1, 3, 32, 32), labels
