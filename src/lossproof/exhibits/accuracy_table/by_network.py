"""An accuracy table for a few trainings: one panel per attack, networks below each other."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

from matplotlib.figure import FigureBase

from lossproof import tidy
from lossproof.drawing import labels, style
from lossproof.drawing.accuracy_dots import GROUP, SPLITS, Panel, dot, key, keys, panels, said

LEGEND = 75
"""Letters that a line of the legend has room for."""
ACROSS = 5
LINE = 0.095
"""Inches between two dots of a network."""
BETWEEN = 1.5
"""Lines left empty between two networks."""


def draw(table: list[tidy.Row], trainings: list[str], out_stem: Path) -> None:
    """Draw the networks as rows of every panel, their trainings side by side in the looks of the legend.

    Networks that face other attacks than those above them have panels of their own.
    """
    blocks = _blocks(table)
    dense = len(blocks) > 1
    heights = [_height(rows, dense) for rows in blocks]
    with style.page(out_stem, style.FULL, sum(heights) + (0.45 if dense else 0.7)) as figure:
        bands = [figure]
        if dense:
            bands = list(figure.subfigures(len(blocks), 1, squeeze=False, height_ratios=heights)[:, 0])
        several = len(tidy.distinct(table, *GROUP[:2])) > 1
        for band, rows in zip(bands, blocks, strict=True):
            _block(band, rows, trainings, several, dense)
        handles = [key(style.look(t).label, style.look(t).colour, style.look(t).marker) for t in trainings]
        handles += keys(_splits(table))
        wide = len(handles) > 7 or sum(len(str(handle.get_label())) for handle in handles) > LEGEND
        style.legend_below(figure, handles, math.ceil(len(handles) / 2) if wide else len(handles))


def _blocks(table: list[tidy.Row]) -> list[list[tidy.Row]]:
    """The rows of the networks that face the same attacks, each such block where its first network stands."""
    found: dict[frozenset[Panel], list[tidy.Row]] = {}
    for group in tidy.distinct(table, *GROUP):
        mine = tidy.select(table, **_named(group))
        found.setdefault(frozenset(panels(mine)), []).extend(mine)
    return list(found.values()) if len(found) > 1 else [table]


def _height(table: list[tidy.Row], dense: bool) -> float:
    rows, _ = style.tiles(len(panels(table)), ACROSS)
    networks = LINE * len(tidy.distinct(table, *GROUP)) * (_lines(table, dense) + BETWEEN)
    return rows * (0.33 + networks) + 0.3 if dense else rows * (0.62 + networks)


def _lines(table: list[tidy.Row], dense: bool) -> int:
    """Dots of a network below each other; where there is much to show, more than under attack share that room."""
    attacked = [row for row in table if row["attack"] != "none"] if dense else []
    return len(tidy.distinct(table, "training")) * len(_splits(attacked or table))


def _block(band: FigureBase, table: list[tidy.Row], trainings: list[str], several: bool, dense: bool) -> None:
    """The panels of some networks; dense ones tell the scale only where none is below."""
    shown = panels(table)
    groups = tidy.distinct(table, *GROUP)
    trainings = [training for training in trainings if tidy.select(table, training=training)]
    lines = _lines(table, dense)
    rows, columns = style.tiles(len(shown), ACROSS)
    grid = band.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for at, (axes, panel) in enumerate(zip(grid, shown, strict=False)):
        here = tidy.select(table, **said(panel))
        dots = list(product(trainings, _splits(here if dense else table)))
        step = 1 / (max(lines, len(dots)) + BETWEEN)
        for i, group in enumerate(groups):
            mine = tidy.select(here, **_named(group))
            for j, (training, split) in enumerate(dots):
                offset = (j - (len(dots) - 1) / 2) * step
                dot(axes, tidy.select(mine, training=training, split=split), training, split, i + offset)
            if i:
                axes.axhline(i - 0.5, color="#cccccc", linewidth=0.5)
        axes.set_title(_title(panel), fontsize=7)
        axes.set(xlim=(-3, 103), xticks=range(0, 101, 25), ylim=(len(groups) - 0.5, -0.5))
        axes.set_yticks(range(len(groups)), [_group(group, several) for group in groups])
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelbottom=not dense or at + columns >= len(shown))
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        if not dense or at >= (rows - 1) * columns:
            axes.set_xlabel("accuracy (%)", fontsize=7)
    for axes in grid[len(shown) :]:
        axes.remove()


def _splits(table: list[tidy.Row]) -> list[str]:
    return [split for split in SPLITS if tidy.select(table, split=split)]


def _named(group: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(GROUP, group, strict=True))


def _title(panel: Panel) -> str:
    what = said(panel)
    if what["attack"] == "none":
        return labels.attack("none")
    aim = "" if what["targeted"] == "untargeted" else labels.targeted(what["targeted"])
    more = ", ".join(filter(None, (aim, labels.reading(what["reading"]))))
    name = labels.attack(what["attack"], {*what["reading"].split("_"), what["reading"]} - {""})
    title = f"{name}\n{labels.budget(what['epsilon_printed'])} ({what['track']})"
    return f"{title}\n{more}" if more else title


def _group(group: tuple[str, ...], several: bool) -> str:
    return labels.name(group[2]) + (f"\n{labels.dataset(*group[:2])}" if several else "")
