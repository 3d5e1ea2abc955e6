"""The 1,797 handwritten digits that ship with scikit-learn: the embedded edition's real data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lossproof.datasets.prepared import Prepared
from lossproof.seeding import seed_of

CATALOGUE = {
    "digits": {
        "build": "prepare",
        "extent": {"total": 1797, "classes": 10},
        "parameters": {
            "channels": {"enum": [1, 3], "default": 1, "description": "1 keeps gray; 3 repeats it"},
            "image_size": {
                "type": "integer",
                "minimum": 8,
                "maximum": 512,
                "default": 28,
                "description": "side in pixels after bilinear resizing from 8",
            },
            "test_share": {
                "type": "number",
                "exclusiveMinimum": 0,
                "exclusiveMaximum": 1,
                "default": 0.2,
                "description": "share of each class that is kept for testing",
            },
        },
    }
}


def prepare(files: Mapping[str, Path], *, name: str, channels: int, image_size: int, test_share: float) -> Prepared:
    """Resize all digits, split them stratified by class with a seed of its own. Needs no file."""
    from PIL import Image
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    source = load_digits()
    small = np.rint(source.images * (255 / 16)).astype(np.uint8)
    size = (image_size, image_size)
    images = np.stack([np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)) for image in small])
    images = np.repeat(images[:, None], channels, axis=1)
    labels = source.target.astype(np.int64)
    # The split's seed does not depend on the form, so that gray and colour hold the same digits.
    train, test = train_test_split(
        np.arange(len(labels)), test_size=test_share, stratify=labels, random_state=seed_of("digits", "split") % 2**32
    )
    train, test = np.sort(train), np.sort(test)
    card: dict[str, Any] = {
        "name": name,
        "source": "scikit-learn load_digits (UCI optical recognition of handwritten digits), 8x8, 17 grey levels",
        "licence": "CC BY 4.0",
        "processing": f"bilinear to {image_size}x{image_size}, {channels} channel(s), stratified split",
        "channels": channels,
        "image_size": image_size,
        "classes": [str(digit) for digit in range(10)],
    }
    return Prepared(images[train], labels[train], images[test], labels[test], card)
