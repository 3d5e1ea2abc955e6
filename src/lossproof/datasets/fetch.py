"""Raw files of a data set into the cache: those that lie there are used, pooch downloads and checks the others.

pooch downloads to a temporary name and renames a file once its checksum is right, so that a file under its final name
is whole, and two downloads of one file never meet.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pooch
import requests
from tqdm import tqdm

from lossproof.datasets.checksums import fitting
from lossproof.datasets.locate import places
from lossproof.datasets.source import RemoteFile, Source
from lossproof.progress import LOG_EVERY_SECONDS
from lossproof.records import sha256

TIMEOUT = (10.0, 30.0)  # seconds until connected, and without a byte
RETRIES = 2  # at one address
CHUNK = 1 << 18  # bytes


class FetchError(RuntimeError):
    """A file that is not there and could not be had: which, where it was looked for, what to do."""


def fetch(source: Source, cache: Path, mirrors: Sequence[str] = (), offline: bool = False) -> dict[str, Path]:
    """File name -> its place, for every published file of ``source``, each with the right checksum.

    Looks at cache/<source>/, the source's usual folders and ``cache`` itself. A file with another checksum is left
    alone, but in cache/<source>/ it is renamed to ``<name>.corrupt``. What is missing is downloaded there from
    ``<mirror>/<source>/<name>``, then from the published addresses. Raises FetchError where no address gives a file
    with its checksum (or ``offline``), OSError where the disk refuses. The first says of all missing files what they
    are: after one has failed, no other is asked for.
    """
    cache = Path(cache)
    there = {file.name: _there(source, file, cache) for file in source.files}
    missing = [file for file in source.files if not there[file.name]]
    if missing and offline:
        looked = dict.fromkeys(str(place.parent) for file in missing for place in places(source, file, cache))
        said = f"{len(missing)} of {len(source.files)} files are not in {', '.join(looked)}"
        raise FetchError(f"{source.name}: {said}; {_by_hand(source, missing, cache)}")
    for number, file in enumerate(missing):
        try:
            there[file.name] = _download(source, file, cache, mirrors)
        except FetchError as error:
            raise FetchError(f"{error}; {_by_hand(source, missing[number:], cache)}") from None
    return {name: place for name, place in there.items() if place}


def manifest(files: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """{name: {"sha256": ..., "bytes": ...}}: the same for the same files, wherever they lie."""
    return {name: {"sha256": sha256(path), "bytes": path.stat().st_size} for name, path in files.items()}


def _there(source: Source, file: RemoteFile, cache: Path) -> Path | None:
    """Where the file lies already; one of its name in our own folder with other bytes is set aside."""
    for place in filter(Path.is_file, places(source, file, cache)):
        try:
            if fitting(place, file):
                return place
            if place.parent == cache / source.name:
                aside = place.rename(place.with_name(f"{place.name}.corrupt"))
                print(f"warning: {file.name}: not {file.checksum}; kept as {aside}", file=sys.stderr, flush=True)
        except FileNotFoundError:  # another download has just set it aside
            continue
    return None


def _addresses(source: Source, file: RemoteFile, mirrors: Sequence[str]) -> Iterator[str]:
    yield from (f"{mirror.rstrip('/')}/{source.name}/{quote(file.name)}" for mirror in mirrors)
    yield from file.urls


def _download(source: Source, file: RemoteFile, cache: Path, mirrors: Sequence[str]) -> Path:
    own = cache / source.name
    tried = []
    for address in _addresses(source, file, mirrors):
        keeper = pooch.create(
            own.absolute(), "", registry={file.name: file.checksum}, urls={file.name: address}, retry_if_failed=RETRIES
        )
        try:
            keeper.fetch(file.name, downloader=_get)
            return own / file.name
        except (requests.RequestException, FetchError, ValueError) as error:  # ValueError: another checksum
            # Where there was no connection, why.
            reason = getattr(error.args[0], "reason", error) if error.args else error
            tried.append(f"{address}: {' '.join(str(reason).split())}")
    raise FetchError(f"{source.name}: {file.name} could not be fetched ({'; '.join(tried)})")


def _get(address: str, part: str, keeper: pooch.Pooch) -> None:
    """Download to ``part``; FetchError where the server says that it does not give the file, now or later."""
    Path(part).unlink()  # a temporary file is its owner's alone; a new one has the usual permissions
    # Without a total a bar has no truth value, and pooch asks for it.
    with tqdm(total=1, desc=address, unit="B", unit_scale=True, mininterval=LOG_EVERY_SECONDS) as bar:
        get = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=CHUNK,
            timeout=TIMEOUT,
            headers={"Accept-Encoding": "identity"},
            hooks={"response": _as_stored},
        )
        try:
            get(address, part, keeper)
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            if status >= 500 or status == requests.codes.too_many_requests:
                raise
            raise FetchError(str(error)) from None


def _as_stored(response: Any, **_: Any) -> None:
    """Keep packed files packed: many servers call a plain ``.gz`` an encoding, which would be undone on the way."""
    response.raw.headers.pop("Content-Encoding", None)


def _by_hand(source: Source, missing: Sequence[RemoteFile], cache: Path) -> str:
    listed = ", ".join(f"{file.name} (checksum {file.checksum})" for file in missing)
    what = "it" if len(missing) == 1 else "them"
    return (
        f"put into {(cache / source.name).absolute()} by hand: {listed}; "
        f"or set data.cache to a folder that has {what}, or data.mirrors to an address that serves {what}"
    )
