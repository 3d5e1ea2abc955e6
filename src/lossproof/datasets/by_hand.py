"""Data sets whose licence asks every user to fetch them in person: their files are placed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def places(by_hand: Mapping[str, Any], cache: Path) -> dict[str, Path]:
    """Where each file (or folder) of a set is, or should be: name -> place.

    ``by_hand`` is the set's catalogue key: ``folder`` (below ``cache``), ``files`` and ``how``. A file that is
    named in a sub-folder may also lie in ``folder`` itself: archives are unpacked either way.
    """
    folder = cache / by_hand["folder"]
    found = {}
    for name in by_hand["files"]:
        ways = (folder / name, folder / Path(name).name)
        found[name] = next((place for place in ways if place.exists()), ways[0])
    return found


def absent(name: str, by_hand: Mapping[str, Any], cache: Path) -> str:
    """Why a set cannot be prepared: which files are not there, where they belong, how to ask for them; '' if all are.

    The cache's own path is left out, so that a ledger with this reason is the same on every machine.
    """
    gone = [file for file, place in places(by_hand, cache).items() if not place.exists()]
    if not gone:
        return ""
    where = f"folder {by_hand['folder']} of data.cache"
    return f"{name} needs a licence: {', '.join(gone)} not in {where}; {by_hand['how']}"
