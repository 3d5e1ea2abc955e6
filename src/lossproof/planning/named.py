"""What a declaration names, and what is left of it without data sets that are not there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def named_datasets(declaration: Any) -> set[str]:
    """Data sets that a declaration names, at any depth."""
    return _named(declaration, "dataset")


def named_archs(declaration: Any) -> set[str]:
    """Architectures that a declaration names, at any depth."""
    return _named(declaration, "arch")


def _named(declaration: Any, what: str, inside: bool = False) -> set[str]:
    """What stands under the keys ``what`` and ``what``s: a name, a list, or lists by data set."""
    if isinstance(declaration, dict):
        parts = [_named(value, what, inside or key in (what, f"{what}s")) for key, value in declaration.items()]
        return set().union(*parts)
    if isinstance(declaration, list):
        return set().union(*(_named(item, what, inside) for item in declaration))
    return {declaration} if inside and isinstance(declaration, str) else set()


def without(declaration: dict[str, Any], absent: Collection[str]) -> dict[str, Any] | None:
    """A declaration without the ``datasets`` and ``panels`` of absent data sets; None where nothing to show is left."""
    if not absent:
        return declaration
    left = dict(declaration)
    if "datasets" in left:
        left["datasets"] = [name for name in left["datasets"] if name not in absent]
    if "panels" in left:
        left["panels"] = [panel for panel in left["panels"] if not named_datasets(panel) & set(absent)]
    empty = any(not left[key] for key in ("datasets", "panels") if key in left)
    return None if empty or named_datasets(left) & set(absent) else left
