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


def misfit(path: Path, file: RemoteFile) -> str:
    """Which checksum ``path`` has instead of the published file's; "" where it is that file."""
    from pooch import file_hash

    algorithm = file.checksum.partition(":")[0]
    found = f"{algorithm}:{file_hash(path, alg=algorithm)}"
    if found == file.checksum.lower():
        return ""
    if file.unpacked_sha256:
        with contextlib.suppress(ValueError):
            if unpacked_sha256(path) == file.unpacked_sha256:
                return ""
    return f"checksum {found}"
