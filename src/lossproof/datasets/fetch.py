"""Raw files of a data set into the cache: those that lie there are used, others are downloaded and checked.

A file appears under its final name only when it is whole and has the published checksum. Each download writes to
a name of its own and is renamed at the end, so that two of them never meet; no lock is needed, which not every
shared file system has.
"""

from __future__ import annotations

import contextlib
import glob
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lossproof.datasets.checksums import misfit
from lossproof.datasets.locate import places
from lossproof.datasets.source import RemoteFile, Source
from lossproof.datasets.transfer import bar
from lossproof.records import sha256, whole

TIMEOUT = (10.0, 30.0)  # seconds until connected, and without a byte
PAUSES = (1.0, 5.0)  # seconds before the second and third attempt at one address
CHUNK = 1 << 18  # bytes
ABANDONED = 600.0  # seconds after which a partial file that nobody writes to is what a killed download left


class FetchError(RuntimeError):
    """A file that is not there and could not be had: which, where it was looked for, what to do."""


class CorruptError(ValueError):
    """Downloaded bytes that are not the published ones."""


def fetch(source: Source, cache: Path, mirrors: Sequence[str] = (), offline: bool = False) -> dict[str, Path]:
    """File name -> its place, for every published file of ``source``, each with the right checksum.

    Looks at cache/<source>/, the source's usual folders and ``cache`` itself. A file with another checksum is left
    alone, but in cache/<source>/ it is renamed to ``<name>.corrupt``. What is missing is downloaded there from
    ``<mirror>/<source>/<name>``, then from the published addresses. Raises FetchError where no address gives a file
    (or ``offline``), ValueError where what they give has another checksum, OSError where the disk refuses. The first
    two say of all missing files what they are: after one has failed, no other is asked for.
    """
    cache = Path(cache)
    there = {file.name: _there(source, file, cache) for file in source.files}
    missing = [file for file in source.files if not there[file.name]]
    if missing and offline:
        looked = ", ".join(
            dict.fromkeys(str(place.parent) for file in missing for place in places(source, file, cache))
        )
        said = f"{len(missing)} of {len(source.files)} files are not in {looked}"
        raise FetchError(f"{source.name}: {said}; {_by_hand(source, missing, cache)}")
    for number, file in enumerate(missing):
        try:
            there[file.name] = _download(source, file, cache, mirrors)
        except (FetchError, CorruptError) as error:
            said = f"{error}; {_by_hand(source, missing[number:], cache)}"
            raise type(error)(said) from None
    return {name: place for name, place in there.items() if place}


def manifest(files: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """{name: {"sha256": ..., "bytes": ...}}: the same for the same files, wherever they lie."""
    return {name: {"sha256": sha256(path), "bytes": path.stat().st_size} for name, path in files.items()}


def _there(source: Source, file: RemoteFile, cache: Path) -> Path | None:
    """Where the file lies already; one of its name in our own folder with other bytes is set aside."""
    own = cache / source.name
    for place in places(source, file, cache):
        if not place.is_file():
            continue
        try:
            found = misfit(place, file)
        except FileNotFoundError:  # another download has just set it aside
            continue
        if not found:
            _say(f"{source.name}: {place} is there")
            return place
        if place.parent == own:
            _set_aside(place, place, found, file)
    return None


def _download(source: Source, file: RemoteFile, cache: Path, mirrors: Sequence[str]) -> Path:
    place = cache / source.name / file.name
    _sweep(place)
    label = f"{source.name}: {file.name}"
    tried: dict[str, str] = {}
    corrupt = False
    for address in (*(f"{mirror.rstrip('/')}/{source.name}/{quote(file.name)}" for mirror in mirrors), *file.urls):
        # Other bytes than the published ones may be a fault on the way: the same address is asked once more.
        for _ in range(2):
            try:
                _get(address, place, file, label)
                return place
            except CorruptError as error:
                corrupt = True
                tried[address] = str(error)
            except FetchError as error:
                tried[address] = str(error)
                break
    reasons = "; ".join(f"{address}: {reason}" for address, reason in tried.items())
    said = f"{label} could not be fetched ({reasons})"
    raise CorruptError(said) if corrupt else FetchError(said)


def _get(address: str, place: Path, file: RemoteFile, label: str) -> None:
    """Download, check, and only then give the final name; FetchError, or CorruptError for other bytes (kept aside)."""
    start = time.monotonic()
    with whole(place) as part:
        _transfer(address, part, label)
        if found := misfit(part, file):
            _set_aside(part, place, found, file)
            raise CorruptError(found)
    _say(f"{label}: {place.stat().st_size / 1e6:.1f} MB in {time.monotonic() - start:.1f} s from {address}")


def _transfer(address: str, part: Path, label: str) -> None:
    """Download to ``part``. A busy or stalled server is asked again; FetchError with a short reason in the end."""
    import requests
    from pooch import HTTPDownloader

    for pause in (*PAUSES, None):
        try:
            with contextlib.closing(bar(label)) as progress:
                ask = HTTPDownloader(
                    progressbar=progress,
                    chunk_size=CHUNK,
                    timeout=TIMEOUT,
                    headers={"Accept-Encoding": "identity"},
                    hooks={"response": _as_stored},
                )
                ask(address, str(part), None)
            return
        except requests.RequestException as error:
            if pause is None or not _may_pass(error):
                raise FetchError(_reason(error)) from None
            _say(f"{label}: {address}: {_reason(error)}; again in {pause:.0f} s")
            time.sleep(pause)


def _as_stored(response: Any, **_: Any) -> None:
    """Keep packed files packed: many servers call a plain ``.gz`` an encoding, which would be undone on the way."""
    response.raw.headers.pop("Content-Encoding", None)


def _may_pass(error: Exception) -> bool:
    """Whether the same address may answer in a moment: a busy server or a broken transfer, but not a missing file."""
    import requests
    from urllib3.exceptions import MaxRetryError

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code >= 500 or error.response.status_code == 429
    # No connection at all: no network, a wrong name, a proxy.
    if isinstance(error, requests.ConnectTimeout) or any(isinstance(part, MaxRetryError) for part in error.args):
        return False
    broken = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, broken)


def _reason(error: Exception) -> str:
    """What went wrong, in one short line."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {TIMEOUT[0]:g} s"
    cause: Any = error.args[0] if error.args else error
    if isinstance(error, requests.Timeout) or "timed out" in str(cause):
        return f"nothing came for {TIMEOUT[1]:g} s"
    return " ".join(str(getattr(cause, "reason", cause)).split())


def _set_aside(path: Path, place: Path, found: str, file: RemoteFile) -> None:
    """Keep a wrong file as ``<place>.corrupt``, for whoever wants to see what it is."""
    aside = place.with_name(f"{place.name}.corrupt")
    # Somebody else may have set it aside meanwhile.
    with contextlib.suppress(FileNotFoundError):
        path.replace(aside)
    _say(f"warning: {file.name}: {found}, expected {file.checksum}; kept as {aside}")


def _sweep(place: Path) -> None:
    """Remove the partial files of killed downloads: names as ``records.whole`` gives them, long untouched."""
    for left in place.parent.glob(f".{glob.escape(place.name)}.????????{glob.escape(place.suffix)}"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()


def _by_hand(source: Source, missing: Sequence[RemoteFile], cache: Path) -> str:
    listed = ", ".join(f"{file.name} (checksum {file.checksum})" for file in missing)
    what = "it" if len(missing) == 1 else "them"
    return (
        f"put into {(cache / source.name).absolute()} by hand: {listed}; "
        f"or set data.cache to a folder that has {what}, or data.mirrors to an address that serves {what}"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
