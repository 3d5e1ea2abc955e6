"""Whether a raw file is the published one."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import zlib
from pathlib import Path

from lossproof.datasets.source import RemoteFile


def unpacked_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, of a ``.gz`` of those inside; ValueError where that is no whole gzip file."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: not a whole gzip file ({error})") from None


def fitting(path: Path, file: RemoteFile) -> str:
    """Which published checksum ``path`` has: "<algorithm>:<digest>", "unpacked sha256:<digest>", or "" for none."""
    if _found(path, file) == file.checksum.lower():
        return file.checksum
    if file.unpacked_sha256:
        with contextlib.suppress(ValueError):
            if unpacked_sha256(path) == file.unpacked_sha256:
                return f"unpacked sha256:{file.unpacked_sha256}"
    return ""


def misfit(path: Path, file: RemoteFile) -> str:
    """Which checksum ``path`` has instead of the published file's; "" where it is that file."""
    return "" if fitting(path, file) else f"checksum {_found(path, file)}"


def _found(path: Path, file: RemoteFile) -> str:
    """The path's own checksum, by the algorithm of the published one."""
    algorithm = file.checksum.partition(":")[0]
    with path.open("rb") as opened:
        return f"{algorithm}:{hashlib.file_digest(opened, algorithm).hexdigest()}"
