"""Which head a loss is made for."""

from __future__ import annotations

from lossproof.catalogue import catalogue


def head_of(criterion: str) -> str:
    """The name of a criterion's head: ``head`` of its catalogue entry, by default ``linear``.

    Raises ValueError where the entry names a head that no file of ``heads`` offers.
    """
    head = catalogue("criteria")[criterion].about.get("head", "linear")
    if head not in catalogue("heads"):
        raise ValueError(f"criterion '{criterion}' names head '{head}'; known: {', '.join(sorted(catalogue('heads')))}")
    return head
