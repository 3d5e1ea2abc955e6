"""Lists of an exhibit that are one for all of its data sets, or one for each."""

from __future__ import annotations

from typing import Any

LISTS = {
    "type": ["array", "object"],
    "items": {"type": "string"},
    "minItems": 1,
    "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    "description": "one list for all data sets, or a list for each",
}


def of(declaration: dict[str, Any], key: str, dataset: str) -> list[str]:
    """The list of a declaration for one data set."""
    said = declaration[key]
    return said[dataset] if isinstance(said, dict) else said
