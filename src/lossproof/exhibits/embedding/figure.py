"""Clean test images in the space of a network's features, in three dimensions (isce fig_9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mpl_toolkits.mplot3d import Axes3D

from lossproof import tidy
from lossproof.drawing import classes, labels, style

NEEDED = ("dataset", "data", "arch", "training", "seed", "quantity", "value")
ACROSS = 5
INSIDE = 99.5
"""Percent of the points that the axes hold; a few far ones would press the others into a dot."""
LARGEST = 2.1
"""Inches of a panel, without its title."""


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw the points of seed 0, one panel per data set and training, coloured by class, digits at class means.

    The three axes of a panel have one scale and one length; the title states it, as panels differ. Features of more
    than three dimensions are shown on their first three principal axes; the title states their share of the variance.
    Raises ValueError where the table or the arrays lack something.
    """
    table = tidy.rows(csv_path, NEEDED, exhibit.get("networks"))
    places = ["/".join(place) for place in tidy.distinct(table, "dataset", "training")]
    arrays = tidy.arrays(npz_path, [f"{part}/{place}" for place in places for part in ("points", "labels", "share")])
    groups = tidy.distinct(table, "dataset", "data", "arch")
    trainings = tidy.order(exhibit.get("trainings"), (row["training"] for row in table))
    rows, columns = style.tiles(len(trainings), ACROSS)
    shown = sorted({int(label) for place in places for label in np.unique(arrays[f"labels/{place}"])})
    width = style.FULL if columns > 1 else style.COLUMN
    panel = min(width / columns, LARGEST) + 0.3
    with style.page(out_stem, width, len(groups) * (rows * panel + 0.2) + 0.4) as figure:
        bands = figure.subfigures(len(groups), 1, squeeze=False)[:, 0]
        for band, group in zip(bands, groups, strict=True):
            # The empty line keeps it off the panels' titles, which constrained layout puts too high in 3-D.
            where = f"{labels.dataset(*group[:2])}, {labels.name(group[2])}\n"
            band.suptitle(where, fontsize=8, fontweight="bold", linespacing=0.6)
            for at, training in enumerate(trainings):
                place = f"{group[0]}/{training}"
                axes = band.add_subplot(rows, columns, at + 1, projection="3d", computed_zorder=False)
                reach = _points(axes, arrays[f"points/{place}"], arrays[f"labels/{place}"])
                here = tidy.select(table, dataset=group[0], data=group[1], arch=group[2], training=training)
                axes.set_title(_title(here, training, reach, float(arrays[f"share/{place}"])), fontsize=6.5)
        style.legend_below(figure, classes.keys(shown), len(shown) if width == style.FULL else 5)


def _points(axes: Axes3D, points: np.ndarray, truth: np.ndarray) -> float:
    """Draw points [N, 3]; half the length of every axis, NaN where no point is finite."""
    kept = np.isfinite(points).all(1)
    points, truth = points[kept], truth[kept]
    axes.set_axis_off()
    if not len(points):
        axes.text2D(0.5, 0.5, "not a number", transform=axes.transAxes, ha="center", fontsize=7)
        return float("nan")
    middle = (points.max(0) + points.min(0)) / 2
    reach = float(np.percentile(np.abs(points - middle).max(1), INSIDE)) or 1.0
    _cage(axes, middle, reach)
    inside = (np.abs(points - middle) <= reach).all(1)
    colours = [classes.colour(int(label)) for label in truth[inside]]
    size = classes.dot_size(len(points))
    axes.scatter(*points[inside].T, s=size, c=colours, alpha=0.55, linewidths=0, depthshade=False, rasterized=True)
    for label in np.unique(truth):
        centre = np.clip(points[truth == label].mean(0), middle - reach, middle + reach)
        classes.outlined(axes.text(*centre, str(label)))
    axes.set(**{f"{axis}lim": (at - reach, at + reach) for axis, at in zip("xyz", middle, strict=True)})
    axes.set_box_aspect((1, 1, 1), zoom=1.1)
    axes.view_init(elev=22, azim=-55)
    return reach


def _cage(axes: Axes3D, middle: np.ndarray, reach: float) -> None:
    """The three far edges and faces' outlines, thin: what is left of axes whose numbers nobody would read."""
    low, high = middle - reach, middle + reach
    x, y, z = ([low[i], high[i]] for i in range(3))
    grey = {"color": "#bbbbbb", "linewidth": 0.5, "zorder": 0}
    for fixed in (z[0], z[1]):
        axes.plot([x[0], x[0], x[1]], [y[0], y[1], y[1]], [fixed] * 3, **grey)
    axes.plot([x[0], x[1], x[1]], [y[0], y[0], y[1]], [z[0]] * 3, **grey)
    for corner in ((x[0], y[0]), (x[0], y[1]), (x[1], y[1])):
        axes.plot([corner[0]] * 2, [corner[1]] * 2, z, **grey)


def _title(table: list[tidy.Row], training: str, reach: float, share: float) -> str:
    scale = f"each axis ± {labels.short(reach)}" if np.isfinite(reach) else ""
    (dimension, *_) = [*tidy.numbers(tidy.select(table, quantity="dimension", seed="0"), "value"), 3.0]
    shown = f"main 3 of {dimension:.0f} axes: {100 * share:.0f} %" if dimension > 3 else ""
    return "\n".join(filter(None, (style.look(training).label, scale, shown)))
