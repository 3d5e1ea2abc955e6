"""Members of an archive, one after the other in memory: nothing is unpacked to disk, nothing is trusted."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

# Room for what lies around the members of a tar file: headers, long names, padding at its end.
ROOM = 1 << 24  # bytes between two files
BLOCK = 512  # bytes, of a tar file
ZIP_END = struct.Struct("<4s6xH10x")  # a zip's last record: mark and number of members
UNTOLD = 0xFFFF  # more members than the number can say
FAULTS = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError)


class ArchiveError(ValueError):
    """An archive that is damaged, too large or holds something else than plain files: archive, member, what."""


def members(
    archive: Path, wanted: Callable[[str], bool] | None = None, *, at_most_bytes: int, at_most_files: int
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file in a zip, tar, tar.gz, tar.xz or tar.bz2, told by its first bytes, in its order.

    ``wanted(name)`` chooses; names have no leading ``./``. The limits are for all files together, chosen or not.
    Raises ArchiveError (a ValueError) as soon as it meets: an absolute name or one with ``..``; a symbolic or hard
    link, a device or anything else than a file or folder; more files or bytes than allowed; a damaged archive.
    The last is certain only at the end, so use what you got when the iteration is over. A plain tar has no checksum
    of its contents.
    """
    archive = Path(archive)
    budget = _Budget(archive, at_most_bytes, at_most_files)
    with archive.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        try:
            if head.startswith(b"PK"):
                yield from _zip(file, wanted, budget)
            else:
                yield from _tar(file, head, wanted, budget)
        except ArchiveError:
            raise
        except FAULTS as error:
            raise ArchiveError(f"{archive}: damaged, or no archive ({error})") from error


class _Budget:
    """What an archive may still hold; says no in words."""

    def __init__(self, archive: Path, at_most_bytes: int, at_most_files: int) -> None:
        self.archive = archive
        self.at_most_bytes, self.at_most_files = at_most_bytes, at_most_files
        self.bytes = self.files = 0

    def refuse(self, member: str, why: str) -> ArchiveError:
        return ArchiveError(f"{self.archive}: {member}: {why}")

    def admit(self, member: str, size: int) -> str:
        """Count a file; its name in plain form."""
        name = self.name(member)
        self.bytes += size
        self.files += 1
        if size < 0:
            raise self.refuse(member, f"a size of {size}")
        if self.bytes > self.at_most_bytes:
            raise self.refuse(member, f"{self.bytes} bytes up to here, at most {self.at_most_bytes} allowed")
        if self.files > self.at_most_files:
            raise self.refuse(member, f"file {self.files}, at most {self.at_most_files} allowed")
        return name

    def name(self, member: str) -> str:
        """A relative path that stays below its start, on any system."""
        parts = re.split(r"[/\\]", member)
        if not member or parts[0] == "" or ".." in parts or re.match(r"[A-Za-z]:", member) or "\0" in member:
            raise self.refuse(member, "an absolute path, or one that leaves its folder")
        return str(PurePosixPath(member))


def _zip(file: IO[bytes], wanted: Callable[[str], bool] | None, budget: _Budget) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as archive:
        # zipfile does not compare the number of members with the one at the archive's end.
        file.seek(-ZIP_END.size - len(archive.comment), os.SEEK_END)
        mark, told = ZIP_END.unpack(file.read(ZIP_END.size))
        if mark != b"PK\5\6" or told not in (len(archive.infolist()), UNTOLD):
            raise zipfile.BadZipFile(f"{len(archive.infolist())} members found, {told} expected")
        chosen = []
        # The directory tells all sizes at once; reading stops at a member's told size and checks its CRC.
        for member in archive.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise budget.refuse(member.filename, "neither a file nor a folder")
            if member.is_dir():
                budget.name(member.filename)
                continue
            name = budget.admit(member.filename, member.file_size)
            if wanted is None or wanted(name):
                chosen.append((name, member))
        for name, member in chosen:
            yield name, archive.read(member)


class _Metered:
    """A stream of which only so much may be read; remembers where its last byte that is not zero lies."""

    def __init__(self, stream: IO[bytes], budget: _Budget) -> None:
        self.stream, self.budget = stream, budget
        self.left = ROOM
        self.count = self.last = 0

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise self.budget.refuse(f"at byte {self.count}", f"more than {ROOM} bytes of headers or padding")
        if content := len(data.rstrip(b"\0")):
            self.last = self.count + content
        self.count += len(data)
        return data


def _unpacked(file: IO[bytes], head: bytes) -> IO[bytes]:
    """The tar file within a packed one."""
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(file)  # type: ignore[return-value]
    if head.startswith(b"\xfd7zX"):
        return lzma.open(file)  # type: ignore[return-value]
    if head.startswith(b"BZh"):
        return bz2.open(file)  # type: ignore[return-value]
    return file


def _tar(
    file: IO[bytes], head: bytes, wanted: Callable[[str], bool] | None, budget: _Budget
) -> Iterator[tuple[str, bytes]]:
    stream = _Metered(_unpacked(file, head), budget)
    end = 0
    with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]
        while (member := archive.next()) is not None:
            archive.members.clear()  # or the headers of all files stay in memory
            if not (member.isreg() or member.isdir()) or member.issparse():
                raise budget.refuse(member.name, "neither a plain file nor a folder (a link, a device, ...)")
            end = member.offset_data + -(-member.size // BLOCK) * BLOCK
            if member.isdir():
                budget.name(member.name)
                continue
            name = budget.admit(member.name, member.size)
            stream.left = member.size + ROOM
            if wanted is None or wanted(name):
                content = archive.extractfile(member)
                assert content is not None
                yield name, content.read()
    # tarfile takes a damaged header for the end, and stops before the checksum of a packed file. So read on: after
    # the last member there must be at least one block of zeros, and nothing else.
    while stream.read(BLOCK * 128):
        pass
    if stream.count < end + BLOCK or stream.last > end:
        raise budget.refuse(f"at byte {end}", "damaged: no proper end after the last member")
