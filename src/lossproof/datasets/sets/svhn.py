"""SVHN, format 2 (cropped 32x32 house-number digits), from its MATLAB files; `extra` is not used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lossproof.datasets.prepared import Prepared

CATALOGUE = {
    "svhn": {
        "build": "prepare",
        "parameters": {},
        "files": [
            {
                "name": "train_32x32.mat",
                "urls": ["http://ufldl.stanford.edu/housenumbers/train_32x32.mat"],
                "checksum": "md5:e26dedcc434d2e4c54c9b2d4a06d8373",
                "bytes": 182040794,
            },
            {
                "name": "test_32x32.mat",
                "urls": ["http://ufldl.stanford.edu/housenumbers/test_32x32.mat"],
                "checksum": "md5:eb5a983be6a315427106f1b164d9cef3",
                "bytes": 64275384,
            },
        ],
        "folders": ["SVHN"],
        "expect": {
            "train": 73257,
            "test": 26032,
            "channels": 3,
            "image_size": 32,
            "classes": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        },
        "licence": "for non-commercial use only",
    }
}


def prepare(files: Mapping[str, Path], *, name: str) -> Prepared:
    """Both splits as [N, 3, 32, 32]."""
    card: dict[str, Any] = {
        "name": name,
        "source": "SVHN format 2, train_32x32.mat and test_32x32.mat",
        "licence": CATALOGUE["svhn"]["licence"],
        "processing": "label 10 (the digit zero) becomes 0",
        "channels": 3,
        "image_size": 32,
        "classes": [str(digit) for digit in range(10)],
    }
    return Prepared(*_read(files["train_32x32.mat"]), *_read(files["test_32x32.mat"]), card)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images [N, 3, 32, 32] and labels [N] of one file, which holds X [row, column, colour, N] and y [N, 1]."""
    from scipy.io import loadmat

    found = loadmat(path, variable_names=["X", "y"])
    return np.ascontiguousarray(found["X"].transpose(3, 2, 0, 1)), found["y"].astype(np.int64).ravel() % 10
