"""Decision boundary and confidence of toy networks (sp fig_1, fig_3, fig_6, fig_8 to fig_12).

Several epochs give a grid (rows: trainings, columns: epochs), one epoch gives one row of panels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.lines import Line2D

from lossproof import tidy
from lossproof.drawing import labels, style

# Grey leaves the colours to the classes; the dark end stays light enough for points and line to show.
CONFIDENCE = LinearSegmentedColormap.from_list("confidence", ["#ffffff", "#c9cdd3", "#5c626c"]).with_extremes(
    bad="#f3d9d9"
)


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw the confidence of seed 0 on the grid, the line where both classes are equally likely, and the points.

    Brighter means less confident; confidence is max(p, 1 - p). Points left out of training are
    hollow. Raises ValueError where the table or the arrays lack something.
    """
    table = tidy.rows(csv_path, ("training", "seed", "epoch", "quantity", "value"))
    arrays = tidy.arrays(npz_path, ("grid_x", "grid_y", "points", "labels"))
    panels = [tuple(name.split("/")[1:]) for name in arrays if name.startswith("confidence/")]
    if not panels:
        raise ValueError(f"{npz_path}: array 'confidence/<training>/<epoch>' is missing")
    trainings = tidy.order(exhibit.get("trainings"), (training for training, _ in panels))
    epochs = sorted({epoch for _, epoch in panels}, key=int)
    one_row = len(epochs) == 1
    rows, columns = (1, len(trainings)) if one_row else (len(trainings), len(epochs))

    extent = [float(arrays[axis][end]) for axis in ("grid_x", "grid_y") for end in (0, -1)]
    ratio = (extent[3] - extent[2]) / (extent[1] - extent[0])
    panel_width = (style.FULL - 1.25) / columns
    height = rows * (panel_width * ratio + (0.3 if one_row else 0.2)) + (0.58 if one_row else 0.75)
    with style.page(out_stem, style.FULL, height) as figure:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for i, training in enumerate(trainings):
            for j, epoch in enumerate(epochs):
                axes = grid[0, i] if one_row else grid[i, j]
                if (training, epoch) not in panels:
                    axes.axis("off")
                    continue
                _panel(axes, arrays, f"confidence/{training}/{epoch}", extent)
                title = _title(table, training, epoch)
                axes.set_title(f"{style.look(training).label}\n{title}" if one_row else title)
                if not one_row and j == 0:
                    axes.set_ylabel(style.look(training).label, fontsize=8.5, fontweight="bold")
        bar = figure.colorbar(
            ScalarMappable(Normalize(0.5, 1), CONFIDENCE),
            ax=grid,
            shrink=1 if one_row else 0.6,
            aspect=18 if one_row else 28,
            pad=0.015,
            ticks=[0.5, 0.6, 0.7, 0.8, 0.9, 1],
        )
        bar.set_label("confidence max(p, 1 − p)")
        bar.outline.set_linewidth(0.5)  # type: ignore[operator]
        handles = [_point(colour, f"class {i}") for i, colour in enumerate(style.CLASS_COLOURS)]
        if not arrays.get("kept", np.ones(1, bool)).all():
            handles.append(_point("#444444", "left out of training", hollow=True))
        handles.append(Line2D([], [], color="black", label="decision boundary"))
        style.legend_below(figure, handles, len(handles))


def _panel(axes: Axes, arrays: dict[str, np.ndarray], name: str, extent: list[float]) -> None:
    probability = arrays[name]
    confidence = np.maximum(probability, 1 - probability)
    axes.imshow(
        np.ma.masked_invalid(confidence),
        origin="lower",
        extent=(extent[0], extent[1], extent[2], extent[3]),
        cmap=CONFIDENCE,
        vmin=0.5,
        vmax=1,
        interpolation="bilinear",
        aspect="equal",
    )
    finite = probability[np.isfinite(probability)]
    if finite.size and finite.min() < 0.5 < finite.max():
        smooth = arrays.get(name.replace("confidence/", "gap/"))
        values, level = (probability, 0.5) if smooth is None else (smooth, 0.0)
        axes.contour(arrays["grid_x"], arrays["grid_y"], values, levels=[level], colors="black", linewidths=1.3)
    else:  # an empty panel must not look like a line that was forgotten
        text = "no boundary here" if finite.size else "not a number"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=7)
    kept = arrays.get("kept", np.ones(len(arrays["labels"]), bool)).astype(bool)
    for label, colour in enumerate(style.CLASS_COLOURS):
        inside, outside = ((arrays["labels"] == label) & chosen for chosen in (kept, ~kept))
        x, y = arrays["points"].T
        axes.scatter(x[outside], y[outside], s=6, facecolors="none", edgecolors=colour, linewidths=0.5, alpha=0.7)
        axes.scatter(x[inside], y[inside], s=8, color=colour, edgecolors="white", linewidths=0.3, zorder=3)
    axes.set(xlim=extent[:2], ylim=extent[2:])
    axes.spines[:].set_visible(True)


def _title(table: list[tidy.Row], training: str, epoch: str) -> str:
    here = [row for row in tidy.select(table, training=training, quantity="loss") if row["epoch"] == epoch]
    values = tidy.numbers([row for row in here if row["seed"] == "0"], "value")
    loss = f", loss {labels.short(float(values[0]))}" if np.isfinite(values[:1]).any() else ""
    return f"epoch {int(epoch):,}{loss}"


def _point(colour: str, label: str, hollow: bool = False) -> Line2D:
    face = "none" if hollow else colour
    return Line2D([], [], linestyle="", marker="o", color=colour, markerfacecolor=face, markersize=3.5, label=label)
