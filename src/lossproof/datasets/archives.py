"""Members of an archive whose checksum is known to be right, one after the other: nothing is unpacked to disk."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

FAULTS = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError)


def members(archive: Path, wanted: Callable[[str], bool] | None = None) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file in a zip or a tar, packed or not, in its order.

    ``wanted(name)`` chooses; names have no leading ``./``. ValueError names an archive that is none or is damaged, or
    a chosen member whose name leads out of the archive's folder.
    """
    try:
        for name, content in (_zip if zipfile.is_zipfile(archive) else _tar)(archive, wanted or (lambda name: True)):
            if ".." in (path := PurePosixPath(name)).parts or path.is_absolute():
                raise ValueError(f"{archive}: member '{name}' leads out of its folder")
            yield name, content
    except FAULTS as error:
        raise ValueError(f"{archive}: damaged, or no archive ({error})") from error


def _zip(archive: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            if not member.is_dir() and wanted(member.filename):
                yield member.filename, opened.read(member)


def _tar(archive: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive, "r|*") as opened:
        while (member := opened.next()) is not None:
            opened.members.clear()  # type: ignore[attr-defined]  # or the headers of all files stay in memory
            name = str(PurePosixPath(member.name))
            if member.isreg() and wanted(name) and (content := opened.extractfile(member)):
                yield name, content.read()
