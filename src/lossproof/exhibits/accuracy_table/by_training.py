"""An accuracy table for many trainings: per network one panel per attack, with the trainings named at its side."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lossproof import tidy
from lossproof.drawing import labels, style
from lossproof.drawing.accuracy_dots import GROUP, SPLITS, dot, keys, panel_titles, panels, said

ACROSS = 5
LINE = 0.125
"""Inches between two trainings."""


def draw(table: list[tidy.Row], trainings: list[str], rival: str, out_stem: Path) -> None:
    """Draw a block per network. The broken line in a panel is the rival's mean, which the others are read against."""
    groups = tidy.distinct(table, *GROUP)
    splits = [split for split in SPLITS if any(row["split"] == split for row in table)]
    blocks = {group: tidy.select(table, **dict(zip(GROUP, group, strict=True))) for group in groups}
    heights = [_height(len(panels(rows)), len(trainings)) for rows in blocks.values()]
    with style.page(out_stem, style.FULL, sum(heights) + 0.35) as figure:
        bands = figure.subfigures(len(blocks), 1, squeeze=False, height_ratios=heights)[:, 0]
        for band, (group, rows) in zip(bands, blocks.items(), strict=True):
            band.suptitle(f"{labels.dataset(*group[:2])}, {labels.name(group[2])}", fontsize=8, fontweight="bold")
            _block(band, rows, trainings, splits, rival)
        handles: list[Any] = keys(splits)
        if rival in trainings:
            label = f"{style.look(rival).label}, mean"
            handles.append(Line2D([], [], color=style.look(rival).colour, linestyle=":", linewidth=0.9, label=label))
        style.legend_below(figure, handles, len(handles))


def _height(count: int, trainings: int) -> float:
    return style.tiles(count, ACROSS)[0] * (0.72 + LINE * (trainings + 1)) + 0.2


def _block(band: Any, table: list[tidy.Row], trainings: list[str], splits: list[str], rival: str) -> None:
    shown = panels(table)
    rows, columns = style.tiles(len(shown), ACROSS)
    grid = band.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    titles = panel_titles(shown)
    for axes, panel in zip(grid, shown, strict=False):
        here = tidy.select(table, **said(panel))
        for j, training in enumerate(trainings):
            for k, split in enumerate(splits):
                rows_ = tidy.select(here, training=training, split=split)
                dot(axes, rows_, training, split, j + (k - (len(splits) - 1) / 2) * 0.36)
        _rival(axes, tidy.select(here, training=rival, split=splits[0]), rival)
        axes.set_title(titles[panel], fontsize=6.5)
        axes.set(xlim=(-3, 103), xticks=range(0, 101, 25), ylim=(len(trainings) - 0.5, -0.5))
        axes.set_yticks(range(len(trainings)), [style.look(training).label for training in trainings])
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelbottom=True)
        axes.set_xlabel("accuracy (%)", fontsize=7)
        axes.grid(axis="both")
        axes.set_axisbelow(True)
    for axes in grid[len(shown) :]:
        axes.remove()


def _rival(axes: Axes, table: list[tidy.Row], rival: str) -> None:
    for row in tidy.select(table, seed=""):
        mean = tidy.plotted(row["value"])
        if math.isfinite(mean):
            axes.axvline(mean, color=style.look(rival).colour, linestyle=":", linewidth=0.9, zorder=1)
