"""A table of accuracies as dots with intervals, by network and training (sp table_1 to table_6)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lossproof.figures import labels, style, tidy

CATALOGUE = {"accuracy_table": {"build": "draw"}}

SAID, MEASURED = ("track", "attack", "epsilon_printed"), ("seed", "value", "ci_low", "ci_high")
GROUP = ("dataset", "data", "arch")
COLUMNS = (*GROUP, "training", "split", "metric", *SAID, *MEASURED)
SPLITS = ("test", "train")


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw one panel per attack (first: none): accuracy in percent with its 95 % interval over all seeds.

    Filled: test images; hollow: training images. All panels share their axes. Raises ValueError
    where the table lacks a column.
    """
    table = [row for row in tidy.rows(csv_path, COLUMNS) if row["metric"] != "difference"]
    if not table:
        raise ValueError(f"{csv_path}: no rows with an accuracy")
    panels = sorted(tidy.distinct(table, *SAID), key=_rank)
    groups = tidy.distinct(table, *GROUP)
    trainings = tidy.order(exhibit.get("trainings"), (row["training"] for row in table))
    splits = [split for split in SPLITS if any(row["split"] == split for row in table)]
    step = 1 / (len(trainings) * len(splits) + 1.5)
    # as few rows as possible, and then as few empty places
    rows, _, columns = min((math.ceil(len(panels) / n), -len(panels) % n, n) for n in (1, 2, 3, 4, 5))
    height = rows * (0.62 + 0.095 * len(groups) * (len(trainings) * len(splits) + 1.5)) + 0.7
    with style.page(out_stem, style.FULL, height) as figure:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, panel in zip(grid, panels, strict=False):
            here = tidy.select(table, **dict(zip(SAID, panel, strict=True)))
            for i, group in enumerate(groups):
                mine = tidy.select(here, **dict(zip(GROUP, group, strict=True)))
                for j, (training, split) in enumerate((t, s) for t in trainings for s in splits):
                    offset = (j - (len(trainings) * len(splits) - 1) / 2) * step
                    _dot(axes, tidy.select(mine, training=training, split=split), training, split, i + offset)
                if i:
                    axes.axhline(i - 0.5, color="#cccccc", linewidth=0.5)
            axes.set_title(_title(*panel), fontsize=7)
            axes.set(xlim=(-3, 103), xticks=range(0, 101, 25), ylim=(len(groups) - 0.5, -0.5))
            axes.set_yticks(range(len(groups)), [_group(group, groups) for group in groups])
            axes.tick_params(axis="y", length=0)
            axes.tick_params(axis="x", labelbottom=True)
            axes.grid(axis="x")
            axes.set_axisbelow(True)
        for axes in grid[len(panels) :]:
            axes.remove()
        for i in range(len(panels)):
            grid[i].set_xlabel("accuracy (%)", fontsize=7)
        handles = [_key(style.look(t).label, style.look(t).colour, style.look(t).marker) for t in trainings]
        handles += [_key(labels.name(s), "#555555", "o", hollow=s == "train") for s in splits]
        handles.append(Line2D([], [], color="#555555", linewidth=0.9, label="95 % interval"))
        handles.append(_key("single seed", "#555555", "|"))
        style.legend_below(figure, handles, len(handles) if len(handles) < 8 else math.ceil(len(handles) / 2))


def _rank(panel: tuple[str, ...]) -> tuple[bool, bool]:
    """No attack first, then as printed, then the honest track; else in the order of the table."""
    return panel[1] != "none", panel[0] == "honest"


def _title(track: str, attack: str, epsilon: str) -> str:
    if attack == "none":
        return labels.attack(attack)
    return f"{labels.attack(attack)}\nε = {epsilon} ({track})"


def _group(group: tuple[str, ...], groups: list[tuple[str, ...]]) -> str:
    several = len({one[:2] for one in groups}) > 1
    return labels.name(group[2]) + (f"\n{labels.dataset(*group[:2])}" if several else "")


def _dot(axes: Axes, table: list[tidy.Row], training: str, split: str, y: float) -> None:
    if not table:  # an empty line that is not clipped would count as one at the page's corner
        return
    look = style.look(training)
    pooled = tidy.select(table, seed="") or table
    single = tidy.numbers([row for row in table if row["seed"]], "value")
    axes.plot(single, np.full(len(single), y), linestyle="", marker="|", markersize=3, color=look.colour, alpha=0.5)
    for row in pooled:
        low, high = tidy.number(row["ci_low"]), tidy.number(row["ci_high"])
        axes.plot([low, high], [y, y], color=look.colour, linewidth=0.9)
    face = "white" if split == "train" else look.colour
    axes.plot(
        tidy.numbers(pooled, "value"),
        np.full(len(pooled), y),
        linestyle="",
        marker=look.marker,
        markersize=4,
        color=look.colour,
        markerfacecolor=face,
        markeredgewidth=0.8,
        clip_on=False,
    )


def _key(label: str, colour: str, marker: str, hollow: bool = False) -> Line2D:
    face = "white" if hollow else colour
    return Line2D([], [], linestyle="", marker=marker, color=colour, markerfacecolor=face, label=label)
