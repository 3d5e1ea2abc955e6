"""What figures of a sweep share: which rows they draw, which point is the best, and which are not told from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lossproof import tidy
from lossproof.drawing.accuracy_dots import COLUMNS, SPLITS

NEEDED = (*COLUMNS, "rival", "x_parameter", "x", "y_parameter", "y")


def shown(csv_path: Path, networks: Mapping[str, str] | None) -> tuple[list[tidy.Row], str]:
    """The rows over all seeds of one split (test images, where there are some), and that split.

    Raises ValueError where the table lacks a column, or an accuracy over the seeds.
    """
    table = [row for row in tidy.rows(csv_path, NEEDED, networks) if not row["seed"]]
    splits = [split for split in SPLITS if any(row["split"] == split and row["attack"] != "none" for row in table)]
    splits = splits or [split for split in SPLITS if any(row["split"] == split for row in table)]
    if not splits:
        raise ValueError(f"{csv_path}: no rows with an accuracy over the seeds")
    return tidy.select(table, split=splits[0]), splits[0]


def accuracies(panel: list[tidy.Row]) -> list[tidy.Row]:
    """The rows of a panel with an accuracy."""
    return [row for row in panel if row["metric"] != "difference"]


def best(panel: list[tidy.Row]) -> str:
    """The training that the others of a panel are compared with."""
    return next((row["rival"] for row in panel if row["rival"]), panel[0]["training"])


def not_told_apart(panel: list[tidy.Row]) -> set[str]:
    """The trainings whose paired difference to the best has zero in its 95 % interval."""
    gaps = (row for row in panel if row["metric"] == "difference")
    return {row["training"] for row in gaps if tidy.plotted(row["ci_low"]) <= 0 <= tidy.plotted(row["ci_high"])}
