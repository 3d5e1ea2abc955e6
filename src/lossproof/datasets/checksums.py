"""Whether a raw file is the published one."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import zlib
from pathlib import Path

from lossproof.datasets.source import RemoteFile


def fitting(path: Path, file: RemoteFile) -> str:
    """Which published checksum ``path`` has: "<algorithm>:<digest>", "unpacked sha256:<digest>", or "" for none."""
    algorithm, _, digest = file.checksum.lower().partition(":")
    with path.open("rb") as opened:
        if hashlib.file_digest(opened, algorithm).hexdigest() == digest:
            return file.checksum
    if file.unpacked_sha256:
        with (
            contextlib.suppress(gzip.BadGzipFile, EOFError, zlib.error),
            gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened,
        ):
            if hashlib.file_digest(opened, "sha256").hexdigest() == file.unpacked_sha256:  # type: ignore[arg-type]
                return f"unpacked sha256:{file.unpacked_sha256}"
    return ""
