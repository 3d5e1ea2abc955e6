"""Reading IDX files (the MNIST family's format), packed or not."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np


def read(path: Path) -> np.ndarray:
    """The array of an IDX file of unsigned bytes (images have 3 dimensions, labels 1)."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    start = 4 + 4 * raw[3]
    shape = struct.unpack(f">{raw[3]}I", raw[4:start])
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape).copy()
