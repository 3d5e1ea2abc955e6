"""Pascal VOC 2007 as a set with one class per image (SP-A19), from its two archives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

import numpy as np

from lossproof.datasets.archives import members
from lossproof.datasets.encoded import CHANNELS, EncodedImages, decode_settings
from lossproof.datasets.prepared import Prepared

CLASSES = [
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
]

LICENCE = "images from Flickr under its terms of use; for research"

CATALOGUE = {
    "voc2007": {
        "build": "prepare",
        "parameters": {
            "image_size": {
                "type": "integer",
                "minimum": 8,
                "maximum": 1024,
                "default": 224,
                "description": "shorter side in pixels after resizing, and side of the centre crop",
            },
            "labels": {
                "enum": ["single_class", "largest_box"],
                "default": "single_class",
                "description": "single_class: keep images whose objects are of one class; "
                "largest_box: the class of the largest object (SP-A19). Difficult objects do not count.",
            },
        },
        "form": "encoded",
        "files": [
            {
                "name": "VOCtrainval_06-Nov-2007.tar",
                "urls": ["https://thor.robots.ox.ac.uk/pascal/VOC/voc2007/VOCtrainval_06-Nov-2007.tar"],
                "checksum": "md5:c52e279531787c972589f7e41ab4ae64",
                "bytes": 460032000,
            },
            {
                "name": "VOCtest_06-Nov-2007.tar",
                "urls": ["https://thor.robots.ox.ac.uk/pascal/VOC/voc2007/VOCtest_06-Nov-2007.tar"],
                "checksum": "md5:b6e924de25625d8de591ea690078ad9f",
                "bytes": 451020800,
            },
        ],
        "expect": {"channels": 3, "classes": CLASSES},
        # Before those without a single class are left out.
        "extent": {"train": 5011, "test": 4952},
        "licence": LICENCE,
    }
}

# Per split: archive and list of its images.
PARTS = {"train": ("VOCtrainval_06-Nov-2007.tar", "trainval"), "test": ("VOCtest_06-Nov-2007.tar", "test")}
ROOT = PurePosixPath("VOCdevkit/VOC2007")
SIDES = ("xmin", "ymin", "xmax", "ymax")


def annotation(content: bytes) -> list[tuple[str, float, bool]]:
    """Class, area of the box in pixels and difficulty of every object of an annotation."""
    found = []
    for item in ElementTree.fromstring(content).iter("object"):
        left, top, right, bottom = (float(item.findtext(f"bndbox/{side}", "")) for side in SIDES)
        difficult = item.findtext("difficult", "0").strip() == "1"
        found.append((item.findtext("name", "").strip(), (right - left + 1) * (bottom - top + 1), difficult))
    return found


def label_of(objects: list[tuple[str, float, bool]], labels: str) -> int | None:
    """The class of an image's objects by the rule ``labels``, or None where it has none."""
    counted = [(label, area) for label, area, difficult in objects if not difficult]
    if not counted or (labels == "single_class" and len({label for label, _ in counted}) > 1):
        return None
    return CLASSES.index(max(counted, key=lambda one: one[1])[0])


def _split(archive: Path, part: str, labels: str) -> tuple[int, list[str], list[int], list[bytes]]:
    """Number of a split's images; names, labels and image files that it keeps, in the order of its list."""
    listing = ROOT / "ImageSets/Main" / f"{part}.txt"

    def about_labels(name: str) -> bool:
        path = PurePosixPath(name)
        return path == listing or (path.parent == ROOT / "Annotations" and path.suffix == ".xml")

    texts = {PurePosixPath(name): content for name, content in members(archive, about_labels)}
    names = texts[listing].decode("utf-8").split()
    kept: dict[PurePosixPath, tuple[str, int]] = {}
    for name in names:
        label = label_of(annotation(texts[ROOT / "Annotations" / f"{name}.xml"]), labels)
        if label is not None:
            kept[ROOT / "JPEGImages" / f"{name}.jpg"] = name, label
    del texts
    images = {
        PurePosixPath(name): content for name, content in members(archive, lambda name: PurePosixPath(name) in kept)
    }
    found, numbers = zip(*kept.values(), strict=True)
    return len(names), list(found), list(numbers), [images[path] for path in kept]


def prepare(files: Mapping[str, Path], *, name: str, image_size: int, labels: str) -> Prepared:
    """Images of trainval and test with one label each, as image files (some 300 MB per split in memory).

    ``files``: the archives by name.
    """
    settings = decode_settings(image_size, image_size)
    splits: dict[str, Any] = {}
    sizes = {}
    for split, (archive, part) in PARTS.items():
        total, keys, numbers, contents = _split(files[archive], part, labels)
        splits[f"{split}_images"] = EncodedImages(contents, settings, f"{name} {split}", keys)
        splits[f"{split}_labels"] = np.array(numbers, np.int64)
        sizes[part] = {"images": total, "kept": len(keys)}
    card: dict[str, Any] = {
        "name": name,
        "source": "Pascal VOC 2007, the archives trainval and test",
        "licence": LICENCE,
        "labels": labels,
        "kept": sizes,
        "processing": f"shorter side to {image_size}, centre crop of {image_size}",
        "form": "encoded",
        "decode": settings,
        "channels": CHANNELS,
        "image_size": image_size,
        "classes": CLASSES,
    }
    return Prepared(**splits, card=card)
