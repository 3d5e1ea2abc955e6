"""A table of accuracies as dots with intervals, by network and training; the home of how it is laid out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lossproof import tidy
from lossproof.drawing.accuracy_dots import COLUMNS
from lossproof.exhibits.accuracy_table import by_network, by_training

CROWDED = 4
"""With more trainings than this a reader no longer finds them by colour and marker: their names stand at the side."""


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw one panel per attack (first: none): accuracy in percent with its 95 % interval over all seeds.

    Filled: test images; hollow: training images. All panels share their axes. A few trainings stand side by side
    in every network; many get a line each, one block of panels per network. Raises ValueError where the table
    lacks a column.
    """
    table = [row for row in tidy.rows(csv_path, COLUMNS, exhibit.get("networks")) if row["metric"] != "difference"]
    if not table:
        raise ValueError(f"{csv_path}: no rows with an accuracy")
    trainings = tidy.order(exhibit.get("trainings"), (row["training"] for row in table))
    if len(trainings) > CROWDED:
        by_training.draw(table, trainings, str(exhibit.get("rival", "")), out_stem)
    else:
        by_network.draw(table, trainings, out_stem)
