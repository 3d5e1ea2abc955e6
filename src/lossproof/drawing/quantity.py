"""What a number of a table or of the report is called."""

from __future__ import annotations

from collections.abc import Mapping

from lossproof.display_names import attack, budget, name, reading, steps, targeted

SPLITS = {"train": "training images", "test": "test images"}


def quantity(row: Mapping[str, str]) -> str:
    """What a claim or a tidy row measures: 'PGD, ε = 8/255, 40 steps' or 'test accuracy'."""
    if row["attack"] in ("", "none"):
        return name(row["metric"])
    # Of the words of its id those are left out that the other parts say.
    parts = [attack(row["attack"], (row["steps"], row.get("reading", "")))]
    parts.append(budget(row["epsilon_printed"] or row["epsilon"]))
    parts.append(steps(row["attack"], row["steps"]))
    if row.get("targeted") != "untargeted":  # as nearly every attack is
        parts.append(targeted(row.get("targeted", "")))
    parts.append(reading(row.get("reading", "")))
    return ", ".join(filter(None, parts))
