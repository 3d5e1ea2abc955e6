"""Losses over the plane of two logits, and which way each drives an output (isce fig_2)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D

from lossproof import tidy
from lossproof.drawing import style

COLUMNS = 3
TITLES = {
    "arcface": "ArcFace, features",
    "isce_formula": "I-SCE, logits as they are",
    "isce": "I-SCE, normalised logits",
    "nce": "CE, normalised logits",
}
# Low losses are white; the dark end stays light enough for arrows to show.
LOSS = LinearSegmentedColormap.from_list("loss", ["#ffffff", "#c6d4e3", "#8aa4bf"])
MINIMUM = "#D55E00"


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw one panel per loss: contours (each on its own scale), arrows of steepest descent, the line of minima.

    Raises ValueError where the table or the arrays lack something.
    """
    table = tidy.rows(csv_path, ("training", "quantity", "value"))
    arrays = tidy.arrays(npz_path, ("axis", "arrows"))
    panels = [name for (name,) in tidy.distinct(table, "training") if f"{name}/loss" in arrays]
    if not panels:
        raise ValueError(f"{npz_path}: array '<loss>/loss' is missing")
    rows = math.ceil(len(panels) / COLUMNS)
    with style.page(out_stem, style.FULL, 2.25 * rows + 0.45) as figure:
        grid = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
        for i, axes in enumerate(grid.flat):
            if i >= len(panels):
                axes.axis("off")
                continue
            name = panels[i]
            found = {row["quantity"]: tidy.plotted(row["value"]) for row in tidy.select(table, training=name)}
            _panel(axes, arrays, name, found)
            style.letter(axes, "abcdefghijkl"[i], TITLES.get(name, style.look(name).label))
        for axes in grid[-1]:
            axes.set_xlabel("logit of the true class")
        for axes in grid[:, 0]:
            axes.set_ylabel("other logit")
        handles = [
            Line2D([], [], color="black", marker=">", markersize=3.5, linewidth=0.8, label="steepest descent"),
            Line2D([], [], color=MINIMUM, linewidth=1.6, label="smallest loss"),
            Line2D([], [], color="black", linewidth=0.8, linestyle=(0, (4, 2)), label="decision boundary"),
        ]
        style.legend_below(figure, handles, len(handles))


def _panel(axes: Axes, arrays: dict[str, np.ndarray], name: str, found: dict[str, float]) -> None:
    axis, arrows = arrays["axis"], arrays["arrows"]
    loss = np.ma.masked_invalid(arrays[f"{name}/loss"])
    axes.contourf(axis, axis, loss, levels=14, cmap=LOSS)
    axes.contour(axis, axis, loss, levels=14, colors="white", linewidths=0.4)
    heads: dict[str, Any] = {"headwidth": 4.5, "headlength": 5, "headaxislength": 5}
    directions = arrays[f"{name}/true"], arrays[f"{name}/other"]
    axes.quiver(arrows, arrows, *directions, angles="xy", pivot="mid", scale=17, width=0.006, zorder=3, **heads)
    low, high = float(axis.min()), float(axis.max())
    axes.plot([low, high], [low, high], color="black", linewidth=0.8, linestyle=(0, (4, 2)))
    line: dict[str, Any] = {"color": MINIMUM, "linewidth": 1.6}
    if math.isfinite(found.get("gap", math.nan)):
        axes.plot([low, high], [low - found["gap"], high - found["gap"]], **line)
    if math.isfinite(found.get("angle", math.nan)):
        angle, reach = math.radians(found["angle"]), 2 * high
        axes.plot([0, reach * math.cos(angle)], [0, reach * math.sin(angle)], **line)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.spines[:].set_visible(True)
