"""Where raw files lie: the places that are looked at, and finding again what was fetched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lossproof.datasets import by_hand
from lossproof.datasets.source import RemoteFile, Source
from lossproof.records import read_json, sha256


def places(source: Source, file: RemoteFile, cache: Path) -> list[Path]:
    """Every path that the file may have, best first: our own folder, the source's usual ones, the cache itself."""
    folders = [cache / source.name, *(cache / folder for folder in source.folders), cache]
    return [folder / name for folder in folders for name in file.names]


def locate(source: Source, cache: Path, manifest: Path | None = None) -> dict[str, Path]:
    """File name -> its place, without any network: what the ``prepare`` of a data set gets as ``files``.

    ``manifest`` is files.json, as the download step left it (None for a source without published files). Cheap: only
    a file of the right name and size is read, once, to compare its SHA-256; preparing then finds it in the page
    cache. Files behind a licence have no manifest and are found by name. FileNotFoundError says what is missing,
    where it was looked for, and what to do; ValueError names a manifest that is no JSON.
    """
    cache = Path(cache)
    known = read_json(manifest) if manifest else {}
    found = {}
    for file in source.files:
        place = _found(source, file, cache, known.get(file.name, {}))
        if not place:
            looked = ", ".join(str(place) for place in places(source, file, cache))
            raise FileNotFoundError(
                f"{source.name}: {file.name} is not what it was when it was fetched, or gone; looked at {looked}; "
                f"delete {manifest or 'files.json'} to fetch it again"
            )
        found[file.name] = place
    if source.by_hand:
        if why := by_hand.absent(source.name, source.by_hand, cache):
            raise FileNotFoundError(f"{why} (data.cache is {cache.absolute()})")
        found |= by_hand.places(source.by_hand, cache)
    return found


def _found(source: Source, file: RemoteFile, cache: Path, known: Mapping[str, Any]) -> Path | None:
    for place in places(source, file, cache):
        if place.is_file() and place.stat().st_size == known.get("bytes") and sha256(place) == known["sha256"]:
            return place
    return None
