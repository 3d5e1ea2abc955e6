"""Reading IDX files (the MNIST family's format), packed or not, with clear errors."""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np

UNSIGNED_BYTE = 8


def find(folders: list[Path], stem: str) -> Path:
    """The file ``stem`` or ``stem.gz`` in the first folder that has it; FileNotFoundError says where it looked."""
    for folder in folders:
        for name in (stem, f"{stem}.gz"):
            if (folder / name).is_file():
                return folder / name
    places = ", ".join(str(folder) for folder in folders)
    raise FileNotFoundError(f"{stem}[.gz] not found in {places}; put it there or set data.cache to its folder")


def read(path: Path, checksum: str | None = None) -> np.ndarray:
    """The array of an IDX file of unsigned bytes.

    ``checksum`` is the SHA-256 of the unpacked file. ValueError names the file and what is wrong:
    not gzip, truncated, another type, another length, another checksum.
    """
    raw = path.read_bytes()
    if path.suffix == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: not a whole gzip file ({error})") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != UNSIGNED_BYTE:
        raise ValueError(f"{path}: not an IDX file of unsigned bytes (starts with {raw[:4].hex()})")
    rank = raw[3]
    if len(raw) < 4 + 4 * rank:
        raise ValueError(f"{path}: the IDX header is cut off")
    shape = struct.unpack(f">{rank}I", raw[4 : 4 + 4 * rank])
    expected = 4 + 4 * rank + int(np.prod(shape))
    if len(raw) != expected:
        raise ValueError(f"{path}: {len(raw)} bytes unpacked, {expected} expected for shape {shape}")
    found = hashlib.sha256(raw).hexdigest()
    if checksum and found != checksum:
        raise ValueError(f"{path}: SHA-256 of the unpacked file is {found}, expected {checksum}")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape).copy()
