"""Files as a sequence of bytes, none of them in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import overload


class FilesOnDisk(Sequence[bytes]):
    """Bytes of files that are read when they are asked for."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            return [path.read_bytes() for path in self.paths[index]]
        return self.paths[index].read_bytes()
