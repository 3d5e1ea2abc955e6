"""From a source's files to a data set that is what it should be."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lossproof.catalogue import load
from lossproof.datasets.expect import check_expected
from lossproof.datasets.prepared import Prepared
from lossproof.datasets.source import Source


def arrive(source: Source, files: Mapping[str, Path], dataset: str, parameters: Mapping[str, Any]) -> Prepared:
    """Prepare ``dataset`` from its source's ``files`` (name -> place); its card gains their published checksums.

    Raises ValueError, with the file's name, for a file that cannot be read or a data set that is not as expected.
    """
    data = load("datasets", source.name)(files, name=dataset, **parameters)
    if source.expect:
        check_expected(data, source.expect)
    checksums = {file.name: file.checksum for file in source.files}
    return dataclasses.replace(data, card=data.card | {"checksums": checksums}) if checksums else data
