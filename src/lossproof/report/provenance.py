"""How the results came about, as the report shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossproof.display_names import name


def provenance_view(
    provenance: Mapping[str, Any],
) -> tuple[list[tuple[str, str]], list[tuple[str, list[tuple[str, str]]]]]:
    """Scalars, and dictionaries as named tables."""

    def shown(value: Any) -> str:
        return f"{value:.1f}" if isinstance(value, float) else str(value)

    scalars = [(name(key), shown(value)) for key, value in provenance.items() if not isinstance(value, Mapping)]
    tables = [
        (name(key), [(str(inner), shown(entry)) for inner, entry in value.items()])
        for key, value in provenance.items()
        if isinstance(value, Mapping)
    ]
    return scalars, tables
