"""Accuracy against the size of the perturbation, with intervals (sp fig_5).

Columns: data set and network; rows: attack and the split whose images were attacked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lossproof import tidy
from lossproof.drawing import labels, style

NAMED = ("dataset", "data", "arch", "training", "seed", "split", "metric", "attack", "track")
COLUMNS = (*NAMED, "epsilon", "value", "ci_low", "ci_high")
TICKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw accuracy in percent over epsilon (pixels in [0, 1], logarithmic) for every attack and split.

    Bands are the 95 % intervals over all seeds, thin lines single seeds; the accuracy without
    attack stands at 0, which a logarithmic axis cannot hold, left of the curves; an unbounded
    budget, which no axis holds, is left out. All panels share their axes. Raises ValueError where
    the table lacks a column.
    """
    table = tidy.rows(csv_path, COLUMNS, exhibit.get("networks"))
    attacked = tidy.select(table, metric="adversarial_accuracy")
    if not attacked:
        raise ValueError(f"{csv_path}: no rows with metric adversarial_accuracy")
    columns = tidy.distinct(attacked, "dataset", "data", "arch")
    rows = sorted(tidy.distinct(attacked, "track", "attack", "split"), key=lambda row: (row[0] != "printed", row[1:]))
    trainings = tidy.order(exhibit.get("trainings"), (row["training"] for row in attacked))
    epsilons = tidy.numbers(attacked, "epsilon")
    low, high = np.nanmin(epsilons[epsilons > 0]), np.nanmax(epsilons)
    zero = low / 2.2
    width = style.COLUMN if len(columns) == 1 else style.FULL
    with style.page(out_stem, width, 1.55 * len(rows) + 0.75) as figure:
        grid = figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
        for i, (track, attack, split) in enumerate(rows):
            for j, (dataset, data, arch) in enumerate(columns):
                axes = grid[i, j]
                here = tidy.select(table, dataset=dataset, data=data, arch=arch, split=split)
                for training in trainings:
                    mine = tidy.select(here, training=training)
                    curve = tidy.select(mine, metric="adversarial_accuracy", attack=attack, track=track)
                    _curve(axes, curve, tidy.select(mine, metric=f"{split}_accuracy"), training, zero)
                _axes(axes, zero, low, high)
                if i == 0:
                    axes.set_title(f"{labels.dataset(dataset, data)}\n{labels.name(arch)}")
                if j == 0:
                    axes.set_ylabel(f"{labels.attack(attack)} ({track})\n{labels.name(split)}\naccuracy (%)")
        for axes in grid[-1]:
            axes.set_xlabel("ε (pixels in [0, 1])")
        handles = [*style.keys(trainings), Patch(color="#555555", alpha=0.25, lw=0, label="95 % interval")]
        handles.append(Line2D([], [], color="#555555", linewidth=0.5, label="single seed"))
        style.legend_below(figure, handles, 3 if width == style.COLUMN else len(handles))


def _curve(axes: Axes, table: list[tidy.Row], clean: list[tidy.Row], training: str, zero: float) -> None:
    look = style.look(training)
    seeds = [seed for (seed,) in tidy.distinct(table, "seed") if seed]
    for seed in seeds:
        x, y = tidy.trace(tidy.select(table, seed=seed), "epsilon")
        axes.plot(x, y, color=look.colour, linewidth=0.4, alpha=0.5)
    bounded = [row for row in tidy.select(table, seed="") or table if row["epsilon"]]
    pooled = sorted(bounded, key=lambda row: tidy.plotted(row["epsilon"]))
    x, y = tidy.trace(pooled, "epsilon")
    axes.plot(x, y, label=look.label, **look.plot())
    if len(x) == len(pooled):  # else single seeds only, whose intervals are not that of their mean
        axes.fill_between(
            x, tidy.numbers(pooled, "ci_low"), tidy.numbers(pooled, "ci_high"), color=look.colour, alpha=0.18, lw=0
        )
    unattacked = tidy.numbers(tidy.select(clean, seed="") or clean, "value")
    if np.isfinite(unattacked).any():
        axes.plot([zero], [np.nanmean(unattacked)], **(look.plot() | {"linestyle": ""}), clip_on=False)


def _axes(axes: Axes, zero: float, low: float, high: float) -> None:
    axes.set_xscale("log")
    axes.set(xlim=(zero / 1.25, high * 1.25), ylim=(-3, 103), yticks=range(0, 101, 25))
    axes.xaxis.set_major_locator(FixedLocator([zero, *(tick for tick in TICKS if low / 1.01 <= tick <= high * 1.01)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: "0" if np.isclose(value, zero) else f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.axvline((zero * low) ** 0.5, color="#aaaaaa", linewidth=0.6, linestyle=(0, (2, 2)))  # the axis breaks here
    axes.grid(axis="y")
    axes.set_axisbelow(True)
