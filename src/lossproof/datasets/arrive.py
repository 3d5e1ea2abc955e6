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
from lossproof.datasets.source import Source


def arrive(
    source: Source,
    files: Mapping[str, Path],
    dataset: str,
    parameters: Mapping[str, Any],
    known: Mapping[str, Mapping[str, Any]],
) -> Prepared:
    """Prepare ``dataset`` from its source's ``files`` (name -> place); its card gains what the published ones were.

    ``known``: by name the ``sha256`` of the published files, as the download checked them and ``locate`` found them
    again. The card has it under ``checksums``, with the ``published`` checksum. Equal for equal bytes, wherever they
    lie. Raises ValueError, with the file's name, for a file that cannot be read or a data set that is not as expected.
    """
    data = load("datasets", source.name)(files, name=dataset, **parameters)
    if source.expect:
        check_expected(data, source.expect)
    read = {
        file.name: {
            "sha256": known[file.name]["sha256"],
            # Only a file that may be packed otherwise can have been checked by something else.
            "published": fitting(files[file.name], file) if file.unpacked_sha256 else file.checksum,
        }
        for file in source.files
    }
    return dataclasses.replace(data, card=data.card | {"checksums": read}) if read else data
