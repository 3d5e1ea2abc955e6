"""Small image files for the tests of data sets that are kept as files, and the settings to train on them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from lossproof.datasets.encoded import EncodedImages, decode_settings
from lossproof.datasets.prepared import Prepared


def picture(seed: int, label: int, width: int = 40, height: int = 30) -> Image.Image:
    """Noise that is brighter in one colour: red, green or blue by class."""
    pixels = np.random.default_rng(seed).integers(0, 120, (height, width, 3), dtype=np.uint8)
    pixels[:, :, label % 3] += 100
    return Image.fromarray(pixels)


def content(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """An image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def encoded_set(train: int = 24, test: int = 12, crop: int = 16, side: int = 20) -> Prepared:
    """Three classes in JPEG files of several sizes."""
    settings = decode_settings(side, crop)
    parts: dict[str, Any] = {}
    for split, count, start in (("train", train, 0), ("test", test, 1000)):
        labels = np.arange(count) % 3
        files = [
            content(picture(start + at, int(label), 24 + at % 5 * 7, 50 - at % 7 * 3))
            for at, label in enumerate(labels)
        ]
        parts |= {f"{split}_images": EncodedImages(files, settings, f"files {split}"), f"{split}_labels": labels}
    card = {"name": "files", "form": "encoded", "decode": settings, "channels": 3, "image_size": crop}
    return Prepared(**parts, card=card | {"classes": ["red", "green", "blue"]})


def run_settings(dataset: str, **more: Any) -> dict[str, Any]:
    """A tiny network for one epoch."""
    optimiser = {"name": "adam", "learning_rate": 0.01, "betas": [0.9, 0.999], "schedule": "constant"}
    return {
        "dataset": dataset,
        "arch": "cnn2",
        "training": "ce",
        "model": {"width": 0.25, "normalise": False},
        "criterion": {"name": "ce", "parameters": {}},
        "optimiser": optimiser | {"weight_decay": 0.0},
        "epochs": 1,
        "batch_size": 5,
        "augmentation": "none",
        "precision": "fp32",
        "compile": False,
        "selection": "last",
        "held_out_share": 0.25,
    } | more
