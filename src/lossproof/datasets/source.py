"""What a data set's file declares of its raw files: names, addresses, checksums, usual places.

Read from the ``CATALOGUE`` literal, so that planning imports no loader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lossproof.catalogue import catalogue


@dataclass(frozen=True)
class RemoteFile:
    """One published file.

    ``checksum`` is "<algorithm>:<hex digest>" as its publisher prints it. Where ``unpacked_sha256`` is given, a
    ``.gz`` that somebody packed anew and the unpacked file are accepted too. ``bytes``: what a
    download will take, for the plan; the checksum alone decides.
    """

    name: str
    urls: tuple[str, ...]
    checksum: str
    unpacked_sha256: str = ""
    bytes: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which the file may lie."""
        unpacked = self.name.removesuffix(".gz")
        return (self.name, unpacked) if self.unpacked_sha256 and unpacked != self.name else (self.name,)


@dataclass(frozen=True)
class Source:
    """A data set's raw files: published ones (``files``), ones behind a licence (``by_hand``), or none.

    ``folders``: where else below the cache such files usually lie. ``expect``: sizes, classes and form after
    preparation. ``by_hand``: {"folder": name below the cache, "files": [names], "how": where to ask for them}.
    """

    name: str
    files: tuple[RemoteFile, ...]
    folders: tuple[str, ...]
    expect: dict[str, Any]
    by_hand: dict[str, Any] | None


def source_of(name: str) -> Source:
    """The source that a file in this folder declares; KeyError where there is none of that name."""
    about = catalogue("datasets")[name].about
    files = tuple(RemoteFile(**{**entry, "urls": tuple(entry["urls"])}) for entry in about.get("files", ()))
    return Source(name, files, tuple(about.get("folders", ())), about.get("expect", {}), about.get("by_hand"))


def keeps_files(settings: Mapping[str, Any]) -> bool:
    """Whether a data set of these settings (``source`` and parameters) stays image files that are decoded in use.

    Its source says so: ``form`` "encoded" for always, or ``encoded_above`` an ``image_size`` in pixels.
    """
    about = catalogue("datasets")[settings["source"]].about
    if "encoded_above" in about:
        return bool(settings["image_size"] > about["encoded_above"])
    return about.get("form") == "encoded"
