"""What an entry of a CATALOGUE may say, by kind of component."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

# What an entry of each kind says beside ``build`` and ``parameters``, with the type of each. Marked * is required.
KEYS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "criteria": {"head": (str, dict), "head_parameters": dict},
    "defences": {"acts*": str},
    "attacks": {
        "track*": str,
        "shared": bool,
        "gradients": int,
        "substitute": bool,
        "members": dict,
        "added": list,
    },
    "datasets": {
        "files": list,
        "folders": list,
        "expect": dict,
        "licence": str,
        "form": str,
        "by_hand": dict,
        "extent": dict,
        "encoded_above": int,
    },
    "jury": {
        **dict.fromkeys(("id*", "of*", "title*", "unit*", "flag*", "source*"), str),
        "threshold*": (int, float, type(None)),
        "last": bool,
    },
    "exhibits": {
        **{"figure": str, "table": str, "audit_table": str, "required": list},
        **dict.fromkeys(("answers", "grids", "judges", "states"), bool),
        "swept": int,
    },
}
SCHEMA = {
    *("additionalProperties", "default", "description", "enum", "exclusiveMaximum", "exclusiveMinimum", "items"),
    *("maxItems", "maximum", "minItems", "minLength", "minimum", "pattern", "properties", "required", "type"),
    "uniqueItems",
}
"""The keywords of JSON schema that describe a parameter."""


def check(kind: str, path: Path, name: str, spec: Any) -> None:
    """ValueError in one line (file, key, found, expected) for an entry that is none of its kind."""

    def need(key: str, value: Any, kinds: type | tuple[type, ...]) -> None:
        allowed = kinds if isinstance(kinds, tuple) else (kinds,)
        if type(value) not in allowed:  # True is no int here
            expected = " or ".join("None" if one is type(None) else one.__name__ for one in allowed)
            raise ValueError(f"{path}: CATALOGUE.{key}: found {value!r}, expected a {expected}")

    def known(key: str, names: Iterable[str], allowed: Iterable[str]) -> None:
        for one in names:
            if one not in allowed:
                raise ValueError(f"{path}: CATALOGUE.{key}.{one}: unknown key, expected one of {', '.join(allowed)}")

    need(name, spec, dict)
    said = {"build*": str, "parameters": dict} | KEYS.get(kind, {})
    types = {key.rstrip("*"): value for key, value in said.items()}
    known(name, spec, types)
    for key, value in spec.items():
        need(f"{name}.{key}", value, types[key])
    for key in said:
        if key.endswith("*") and key[:-1] not in spec:
            raise ValueError(f"{path}: CATALOGUE.{name}: key '{key[:-1]}' is missing")
    for key, value in spec.get("parameters", {}).items():
        need(f"{name}.parameters.{key}", value, dict)
        known(f"{name}.parameters.{key}", value, sorted(SCHEMA))
