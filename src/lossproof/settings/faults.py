"""The one form of an error about what a user wrote; needs no library, so that every environment has it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SettingsError(ValueError):
    """A fault in a settings file: file, key, what was found, what is allowed, the nearest known name."""


def fault(source: str, key: str, found: str, allowed: str) -> SettingsError:
    """The one form that every settings error has."""
    return SettingsError(f"{source}: {key}: {found}; {allowed}")


def nearest(name: object, known: Iterable[object]) -> str:
    """'allowed: a, b, c; did you mean b?' (the question only where a name is near)."""
    names = sorted(str(item) for item in known)
    shown = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    return f"allowed: {shown or 'nothing'}" + (f"; did you mean '{close[0]}'?" if close else "")


def known(source: str, key: str, name: str, names: Iterable[str], what: str) -> None:
    """Raise unless ``name`` is one of ``names``."""
    names = list(names)
    if name not in names:
        raise fault(source, key, f"unknown {what} '{name}'", nearest(name, names))
