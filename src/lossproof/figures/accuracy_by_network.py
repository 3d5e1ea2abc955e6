"""An accuracy table for a few trainings: one panel per attack, networks below each other."""

from __future__ import annotations

import math
from pathlib import Path

from lossproof.figures import labels, style, tidy
from lossproof.figures.accuracy_dots import GROUP, SPLITS, Panel, dot, key, keys, panels, said


LEGEND = 75
"""Letters that a line of the legend has room for."""


def draw(table: list[tidy.Row], trainings: list[str], out_stem: Path) -> None:
    """Draw the networks as rows of every panel, their trainings side by side in the looks of the legend."""
    shown = panels(table)
    groups = tidy.distinct(table, *GROUP)
    splits = [split for split in SPLITS if any(row["split"] == split for row in table)]
    step = 1 / (len(trainings) * len(splits) + 1.5)
    rows, columns = style.tiles(len(shown), 5)
    height = rows * (0.62 + 0.095 * len(groups) * (len(trainings) * len(splits) + 1.5)) + 0.7
    with style.page(out_stem, style.FULL, height) as figure:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, panel in zip(grid, shown, strict=False):
            here = tidy.select(table, **said(panel))
            for i, group in enumerate(groups):
                mine = tidy.select(here, **dict(zip(GROUP, group, strict=True)))
                for j, (training, split) in enumerate((t, s) for t in trainings for s in splits):
                    offset = (j - (len(trainings) * len(splits) - 1) / 2) * step
                    dot(axes, tidy.select(mine, training=training, split=split), training, split, i + offset)
                if i:
                    axes.axhline(i - 0.5, color="#cccccc", linewidth=0.5)
            axes.set_title(_title(panel), fontsize=7)
            axes.set(xlim=(-3, 103), xticks=range(0, 101, 25), ylim=(len(groups) - 0.5, -0.5))
            axes.set_yticks(range(len(groups)), [_group(group, groups) for group in groups])
            axes.tick_params(axis="y", length=0)
            axes.tick_params(axis="x", labelbottom=True)
            axes.grid(axis="x")
            axes.set_axisbelow(True)
        for axes in grid[len(shown) :]:
            axes.remove()
        for i in range(len(shown)):
            grid[i].set_xlabel("accuracy (%)", fontsize=7)
        handles = [key(style.look(t).label, style.look(t).colour, style.look(t).marker) for t in trainings]
        handles += keys(splits)
        wide = len(handles) > 7 or sum(len(str(handle.get_label())) for handle in handles) > LEGEND
        style.legend_below(figure, handles, math.ceil(len(handles) / 2) if wide else len(handles))


def _title(panel: Panel) -> str:
    what = said(panel)
    if what["attack"] == "none":
        return labels.attack("none")
    aim = "" if what["targeted"] == "untargeted" else labels.targeted(what["targeted"])
    more = ", ".join(filter(None, (aim, labels.reading(what["reading"]))))
    name = labels.attack(what["attack"], {*what["reading"].split("_"), what["reading"]} - {""})
    title = f"{name}\n{labels.budget(what['epsilon_printed'])} ({what['track']})"
    return f"{title}\n{more}" if more else title


def _group(group: tuple[str, ...], groups: list[tuple[str, ...]]) -> str:
    several = len({one[:2] for one in groups}) > 1
    return labels.name(group[2]) + (f"\n{labels.dataset(*group[:2])}" if several else "")
