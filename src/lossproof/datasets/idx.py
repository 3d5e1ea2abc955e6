"""Reading IDX files (the MNIST family's format), packed or not, with clear errors."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

UNSIGNED_BYTE = 8


def read(path: Path, rank: int) -> np.ndarray:
    """The array of an IDX file of unsigned bytes with ``rank`` dimensions (3: images, 1: labels).

    ValueError names the file and what is wrong: not gzip, truncated, another type, rank or length.
    """
    raw = path.read_bytes()
    if path.suffix == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: not a whole gzip file ({error})") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != UNSIGNED_BYTE:
        raise ValueError(f"{path}: not an IDX file of unsigned bytes (starts with {raw[:4].hex()})")
    if raw[3] != rank:
        raise ValueError(f"{path}: {raw[3]} dimensions, {rank} expected")
    if len(raw) < 4 + 4 * rank:
        raise ValueError(f"{path}: the IDX header is cut off")
    shape = struct.unpack(f">{rank}I", raw[4 : 4 + 4 * rank])
    expected = 4 + 4 * rank + int(np.prod(shape))
    if len(raw) != expected:
        raise ValueError(f"{path}: {len(raw)} bytes unpacked, {expected} expected for shape {shape}")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape).copy()
