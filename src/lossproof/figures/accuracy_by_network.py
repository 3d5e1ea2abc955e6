"""An accuracy table for a few trainings: one panel per attack, networks below each other."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.figure import FigureBase

from lossproof.figures import labels, style, tidy
from lossproof.figures.accuracy_dots import GROUP, SPLITS, Panel, dot, key, keys, panels, said

ACROSS = 5
LEGEND = 75
"""Letters that a line of the legend has room for."""

Group = tuple[str, ...]


def draw(table: list[tidy.Row], trainings: list[str], out_stem: Path) -> None:
    """Draw the networks as rows of every panel, their trainings side by side in the looks of the legend.

    Networks that are attacked differently have panels of their own, one block below the other.
    """
    blocks: dict[tuple[Panel, ...], list[Group]] = {}
    for group in tidy.distinct(table, *GROUP):
        blocks.setdefault(tuple(panels(_of(table, group))), []).append(group)
    splits = [split for split in SPLITS if any(row["split"] == split for row in table)]
    across = [style.tiles(len(shown), ACROSS) for shown in blocks]
    dots = len(trainings) * len(splits)
    heights = [
        rows * (0.62 + 0.095 * len(groups) * (dots + 1.5))
        for (rows, _), groups in zip(across, blocks.values(), strict=True)
    ]
    with style.page(out_stem, style.FULL, sum(heights) + 0.7) as figure:
        parts: list[FigureBase] = [figure]
        if len(blocks) > 1:
            parts = list(figure.subfigures(len(blocks), 1, squeeze=False, height_ratios=heights)[:, 0])
        for part, (shown, groups), (rows, columns) in zip(parts, blocks.items(), across, strict=True):
            grid = part.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
            _block(grid, table, list(shown), groups, trainings, splits)
        handles = [key(style.look(t).label, style.look(t).colour, style.look(t).marker) for t in trainings]
        handles += keys(splits)
        wide = len(handles) > 7 or sum(len(str(handle.get_label())) for handle in handles) > LEGEND
        style.legend_below(figure, handles, math.ceil(len(handles) / 2) if wide else len(handles))


def _of(table: list[tidy.Row], group: Group) -> list[tidy.Row]:
    """The rows of one network."""
    return tidy.select(table, **dict(zip(GROUP, group, strict=True)))


def _block(
    grid: np.ndarray,
    table: list[tidy.Row],
    shown: list[Panel],
    groups: list[Group],
    trainings: list[str],
    splits: list[str],
) -> None:
    """The panels of some networks that were attacked alike."""
    step = 1 / (len(trainings) * len(splits) + 1.5)
    for axes, panel in zip(grid, shown, strict=False):
        here = tidy.select(table, **said(panel))
        for i, group in enumerate(groups):
            mine = _of(here, group)
            for j, (training, split) in enumerate((t, s) for t in trainings for s in splits):
                offset = (j - (len(trainings) * len(splits) - 1) / 2) * step
                dot(axes, tidy.select(mine, training=training, split=split), training, split, i + offset)
            if i:
                axes.axhline(i - 0.5, color="#cccccc", linewidth=0.5)
        axes.set_title(_title(panel), fontsize=7)
        axes.set(xlim=(-3, 103), xticks=range(0, 101, 25), ylim=(len(groups) - 0.5, -0.5))
        several = len({group[:2] for group in tidy.distinct(table, *GROUP)}) > 1
        axes.set_yticks(range(len(groups)), [_group(group, several) for group in groups])
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelbottom=True)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
    for axes in grid[len(shown) :]:
        axes.remove()
    for i in range(len(shown)):
        grid[i].set_xlabel("accuracy (%)", fontsize=7)


def _title(panel: Panel) -> str:
    what = said(panel)
    if what["attack"] == "none":
        return labels.attack("none")
    aim = "" if what["targeted"] == "untargeted" else labels.targeted(what["targeted"])
    more = ", ".join(filter(None, (aim, labels.reading(what["reading"]))))
    name = labels.attack(what["attack"], {*what["reading"].split("_"), what["reading"]} - {""})
    title = f"{name}\n{labels.budget(what['epsilon_printed'])} ({what['track']})"
    return f"{title}\n{more}" if more else title


def _group(group: Group, several: bool) -> str:
    """A network, with its data set where there are several."""
    return labels.name(group[2]) + (f"\n{labels.dataset(*group[:2])}" if several else "")
