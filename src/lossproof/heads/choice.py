"""Which head a loss is made for, and with which settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossproof.catalogue import catalogue


def head_of(criterion: str, parameters: Mapping[str, Any] | None = None) -> str:
    """The name of a criterion's head: ``head`` of its catalogue entry, by default ``linear``.

    ``parameters`` of the criterion decide where its entry leaves the choice to one of them; those not given count
    as their defaults. Raises ValueError where the entry names a head that no file of ``heads`` offers.
    """
    entry = catalogue("criteria")[criterion]
    head = entry.about.get("head", "linear")
    if isinstance(head, Mapping):
        ((key, choices),) = head.items()
        head = choices[{**entry.defaults(), **(parameters or {})}[key]]
    if head not in catalogue("heads"):
        raise ValueError(f"criterion '{criterion}' names head '{head}'; known: {', '.join(sorted(catalogue('heads')))}")
    return head


def head_parameters(criterion: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The settings that a criterion shares with its head, by the head's names."""
    entry = catalogue("criteria")[criterion]
    given = {**entry.defaults(), **(parameters or {})}
    return {name: given[key] for name, key in entry.about.get("head_parameters", {}).items()}
