"""Mean probability gaps on clean test images, as dots with intervals (pc, introduction)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lossproof import tidy
from lossproof.drawing import labels, style
from lossproof.drawing.accuracy_dots import GROUP, MEASURED, dot, keys

NEEDED = (*GROUP, "training", "split", "metric", *MEASURED)
METRIC = "mean_probability_gap"
ACROSS = 3
LINE = 0.16
"""Inches between two trainings."""


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw a panel per data set and network with a line per training. Raises ValueError where there is no gap."""
    table = tidy.select(tidy.rows(csv_path, NEEDED, exhibit.get("networks")), metric=METRIC)
    if not table:
        raise ValueError(f"{csv_path}: no rows with a {labels.name(METRIC)}")
    trainings = tidy.order(exhibit.get("trainings"), (row["training"] for row in table))
    groups = tidy.distinct(table, *GROUP)
    rows, columns = style.tiles(len(groups), ACROSS)
    width = style.FULL if columns > 1 else style.COLUMN
    with style.page(out_stem, width, rows * (0.65 + LINE * (len(trainings) + 1)) + 0.35) as figure:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, group in zip(grid, groups, strict=False):
            here = tidy.select(table, **dict(zip(GROUP, group, strict=True)))
            for at, training in enumerate(trainings):
                dot(axes, tidy.select(here, training=training), training, "test", at)
            axes.set_title(f"{labels.dataset(*group[:2])}, {labels.name(group[2])}")
            axes.set_yticks(range(len(trainings)), [style.look(training).label for training in trainings])
            axes.set(xlim=(_left(table), 1.02), ylim=(len(trainings) - 0.5, -0.5), xlabel=labels.name(METRIC))
            axes.tick_params(axis="y", length=0)
            axes.tick_params(axis="x", labelbottom=True)
            axes.grid(axis="both")
            axes.set_axisbelow(True)
        for axes in grid[len(groups) :]:
            axes.remove()
        style.legend_below(figure, keys(["test"]), 3 if width == style.FULL else 2)


def _left(table: list[tidy.Row]) -> float:
    """The left end of the axis: 0, or what lies below."""
    ends = [tidy.plotted(row[key]) for row in table for key in ("value", "ci_low")]
    return min([0.0, *filter(math.isfinite, ends)]) - 0.02
