"""SVHN, format 2 (cropped 32x32 house-number digits), from its MATLAB files; `extra` is not used."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lossproof.datasets.expect import check_labels
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
    """Both splits as [N, 3, 32, 32]. ValueError names the file that is cut off or holds something else."""
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
    from scipy.io.matlab import MatReadError

    try:
        found = loadmat(path, variable_names=["X", "y"])
        images, labels = found["X"], found["y"]
    except KeyError as error:
        raise ValueError(f"{path}: variable {error} is missing; expected X and y") from error
    except (
        MatReadError,
        NotImplementedError,
        OSError,
        EOFError,
        IndexError,
        ValueError,
        TypeError,
        zlib.error,
    ) as error:
        raise ValueError(f"{path}: not a whole MATLAB version 5 file ({error})") from error
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[:3] != (32, 32, 3):
        raise ValueError(f"{path}: X is {images.dtype} {images.shape}, expected uint8 (32, 32, 3, N)")
    labels = labels.astype(np.int64).ravel()
    check_labels(labels, range(1, 11), str(path))
    return np.ascontiguousarray(images.transpose(3, 2, 0, 1)), labels % 10
