"""Test images in the space of a network's features by t-SNE, clean and attacked (pc fig_1, fig_3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lossproof import tidy
from lossproof.drawing import classes, labels, style

NEEDED = ("dataset", "data", "arch", "training", "seed", "quantity", "attack", "epsilon_printed", "value")
PARTS = ("points", "labels", "fooling", "perplexity")
ACROSS = 4
LARGEST = 2.3
"""Inches of a panel, without its title."""
USUAL = 30
"""The perplexity that no panel needs to state."""


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw the points of seed 0, coloured by true class, digits beside the middle of each class.

    A panel per data set and training; where an attack is shown two, clean images alone and with the attacked ones that
    fool the network, as crosses. t-SNE has no axes worth a number. Raises ValueError where the table or the arrays
    lack something.
    """
    table = tidy.rows(csv_path, NEEDED, exhibit.get("networks"))
    attacked = [row for row in table if row["attack"] != "none"]
    panels = ("clean", "attacked") if attacked else ("clean",)
    places = ["/".join(place) for place in tidy.distinct(table, "dataset", "training")]
    names = [f"{part}/{panel}/{place}" for place in places for panel in panels for part in PARTS]
    arrays = tidy.arrays(npz_path, names)
    groups = tidy.distinct(table, "dataset", "data", "arch")
    trainings = tidy.order(exhibit.get("trainings"), (row["training"] for row in table))
    rows, columns = style.tiles(len(trainings), ACROSS // len(panels))
    columns *= len(panels)
    width = style.FULL if columns > 2 else min(style.FULL, columns * LARGEST)
    panel = min(width / columns, LARGEST)
    shown = sorted({int(label) for name in names if name.startswith("labels/") for label in np.unique(arrays[name])})
    with style.page(
        out_stem, width, len(groups) * (rows * (panel + 0.35) + 0.2) + (0.4 if columns > 2 else 0.6)
    ) as figure:
        bands = figure.subfigures(len(groups), 1, squeeze=False)[:, 0]
        for band, group in zip(bands, groups, strict=True):
            band.suptitle(f"{labels.dataset(*group[:2])}, {labels.name(group[2])}", fontsize=8, fontweight="bold")
            axes = band.subplots(rows, columns, squeeze=False).ravel()
            for number, (training, kind) in enumerate((one, kind) for one in trainings for kind in panels):
                place = f"{kind}/{group[0]}/{training}"
                _points(axes[number], *(arrays[f"{part}/{place}"] for part in PARTS[:3]))
                lines = [style.look(training).label]
                if kind == "attacked":
                    lines.append(_fooling(attacked, int(arrays[f"fooling/{place}"].sum())))
                elif attacked:
                    lines.append("clean")
                perplexity = float(arrays[f"perplexity/{place}"])
                lines += [f"perplexity {labels.short(perplexity)}"] if perplexity < USUAL else []
                axes[number].set_title("\n".join(lines), fontsize=6.5)
            for empty in axes[len(trainings) * len(panels) :]:
                empty.set_axis_off()
        handles = classes.keys(shown)
        if attacked:
            handles.append(
                Line2D([], [], linestyle="", marker="+", markersize=5, color="#444444", label="attacked, misclassified")
            )
        style.legend_below(figure, handles, len(handles) if columns > 2 and not attacked else 6)


def _points(axes: Axes, points: np.ndarray, truth: np.ndarray, fooling: np.ndarray) -> None:
    """Draw points [N, 2]."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color="#bbbbbb")
    if not np.isfinite(points).all():
        axes.text(0.5, 0.5, "not a number", transform=axes.transAxes, ha="center", fontsize=7)
        return
    colours = np.array([classes.colour(int(label)) for label in truth])
    x, y = points.T
    size = classes.dot_size((~fooling).sum())
    axes.scatter(x[~fooling], y[~fooling], s=size, c=colours[~fooling], alpha=0.55, linewidths=0, rasterized=True)
    if fooling.any():
        size = min(max(4000 / fooling.sum(), 6), 22)
        axes.scatter(x[fooling], y[fooling], s=size, c=colours[fooling], marker="+", linewidths=0.6, rasterized=True)
    for label in np.unique(truth[~fooling]):
        mine = points[(truth == label) & ~fooling]
        # A class may lie in several places: the digit stands on an image of it, the one nearest to their median.
        at = np.linalg.norm(mine - np.median(mine, axis=0), axis=1).argmin()
        classes.outlined(axes.text(mine[at, 0], mine[at, 1], str(label)))
    axes.margins(0.06)
    axes.set_box_aspect(1)


def _fooling(attacked: list[tidy.Row], count: int) -> str:
    """What is added to the clean images, in words."""
    (attack, epsilon), *_ = tidy.distinct(attacked, "attack", "epsilon_printed")
    return f"and {labels.attack(attack)}, ε = {epsilon}: {count} fool it"
