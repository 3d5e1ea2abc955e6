"""From a source's files to a data set that is what it should be."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lossproof.catalogue import load
from lossproof.datasets.checksums import fitting
from lossproof.datasets.expect import check_expected
from lossproof.datasets.prepared import Prepared
from lossproof.datasets.source import RemoteFile, Source
from lossproof.records import sha256


def arrive(source: Source, files: Mapping[str, Path], dataset: str, parameters: Mapping[str, Any]) -> Prepared:
    """Prepare ``dataset`` from its source's ``files`` (name -> place); its card gains what the published ones were.

    Under ``checksums``, by name: the ``sha256`` of the bytes, and the ``published`` checksum that they have, or null
    (which no download leaves). Equal for equal bytes, wherever they lie.
    Raises ValueError, with the file's name, for a file that cannot be read or a data set that is not as expected.
    """
    data = load("datasets", source.name)(files, name=dataset, **parameters)
    if source.expect:
        check_expected(data, source.expect)
    read = {file.name: _read(files[file.name], file) for file in source.files}
    return dataclasses.replace(data, card=data.card | {"checksums": read}) if read else data


def _read(path: Path, file: RemoteFile) -> dict[str, str | None]:
    return {"sha256": sha256(path), "published": fitting(path, file) or None}
