"""Accuracy over two swept settings as heat maps: data sets below each other, one panel per attack (isce fig_4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from lossproof import tidy
from lossproof.drawing import labels, style
from lossproof.drawing.accuracy_dots import GROUP, panel_titles, panels, said
from lossproof.exhibits.sweep import drawn

COLOURS = "cividis"
ACROSS = 4
NUMBERS_TO = 36
"""Cells of a panel up to which each holds its number."""
NOT_TOLD = "."


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw the accuracy in percent of every point of the sweep; x and y are the swept settings.

    A panel's colours span its values, but at least twice a typical 95 % interval, whose length is drawn into the
    colour bar: what looks like a difference is one. The best point is framed; a dot marks those whose difference to
    it, paired by image and seed, has zero in its interval. Raises ValueError where the table lacks a column.
    """
    table, split = drawn.shown(csv_path, exhibit.get("networks"))
    groups = tidy.distinct(table, *GROUP)
    blocks = {group: tidy.select(table, **dict(zip(GROUP, group, strict=True))) for group in groups}
    tiles = {group: style.tiles(len(panels(rows)), ACROSS) for group, rows in blocks.items()}
    heights = [0.25 + 1.85 * rows for rows, _ in tiles.values()]
    width = style.FULL if max(columns for _, columns in tiles.values()) > 1 else style.COLUMN
    with style.page(out_stem, width, sum(heights) + 0.35) as figure:
        bands = figure.subfigures(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0]
        for band, (group, rows) in zip(bands, blocks.items(), strict=True):
            where = f"{labels.dataset(*group[:2])}, {labels.name(group[2])}, {labels.name(split)}"
            band.suptitle(where, fontsize=8, fontweight="bold")
            shown = panels(rows)
            titles = panel_titles(shown)
            grid = band.subplots(*tiles[group], squeeze=False).ravel()
            for axes, panel in zip(grid, shown, strict=False):
                _panel(band, axes, tidy.select(rows, **said(panel)))
                axes.set_title(titles[panel], fontsize=6.5)
            for axes in grid[len(shown) :]:
                axes.remove()
        dot: dict[str, Any] = {"marker": NOT_TOLD, "linestyle": "", "color": "black", "markersize": 4}
        handles: list[Any] = [
            Patch(facecolor="none", edgecolor="black", linewidth=1.2, label="best point"),
            Line2D([], [], label="not told from it (95 %)", **dot),
            Line2D([], [], color="black", linewidth=1.2, label="in the bar: typical 95 % interval"),
        ]
        style.legend_below(figure, handles, len(handles) if width == style.FULL else 1)


def _panel(band: Any, axes: Axes, panel: list[tidy.Row]) -> None:
    rows = drawn.accuracies(panel)
    places = [sorted({tidy.plotted(row[axis]) for row in rows}) for axis in "xy"]
    values = np.full([len(place) for place in places], np.nan)
    at = {
        row["training"]: tuple(places[i].index(tidy.plotted(row[axis])) for i, axis in enumerate("xy")) for row in rows
    }
    for row in rows:
        values[at[row["training"]]] = tidy.plotted(row["value"])
    norm, interval = _scale(rows, values)
    axes.imshow(np.ma.masked_invalid(values.T), origin="lower", cmap=COLOURS, norm=norm, aspect="auto")
    axes.set_facecolor("#eeeeee")
    for axis, place, row_axis in ((axes.xaxis, places[0], "x"), (axes.yaxis, places[1], "y")):
        axis.set_ticks(range(len(place)), [f"{value:g}" for value in place])
        axis.set_label_text(labels.parameter(rows[0][f"{row_axis}_parameter"]))
    axes.tick_params(length=0)
    _marks(axes, values, at, panel, norm)
    bar = band.colorbar(ScalarMappable(norm, COLOURS), ax=axes, pad=0.03, aspect=14)
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(labelsize=5.5)
    if np.isfinite(interval):
        middle = (norm.vmin + norm.vmax) / 2
        ends = [middle - interval / 2, middle + interval / 2]
        bar.ax.plot([0.5, 0.5], ends, color="white", linewidth=2.4, transform=bar.ax.get_yaxis_transform())
        bar.ax.plot([0.5, 0.5], ends, color="black", linewidth=1.2, transform=bar.ax.get_yaxis_transform())


def _scale(rows: list[tidy.Row], values: np.ndarray) -> tuple[Any, float]:
    """Colours of a panel, and the median length of its intervals (NaN where none is known)."""
    lengths = tidy.numbers(rows, "ci_high") - tidy.numbers(rows, "ci_low")
    interval = float(np.nanmedian(lengths)) if np.isfinite(lengths).any() else float("nan")
    if not np.isfinite(values).any():
        return Normalize(0, 100), interval
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    reach = max(high - low, 2 * interval if np.isfinite(interval) else 0.0, 1e-6) / 2
    # An accuracy is no less than 0 and no more than 100.
    reach = min(reach, 50)
    middle = min(max((low + high) / 2, reach), 100 - reach)
    return Normalize(middle - reach, middle + reach), interval


def _marks(axes: Axes, values: np.ndarray, at: dict[str, tuple[int, ...]], panel: list[tidy.Row], norm: Any) -> None:
    alike, best = drawn.not_told_apart(panel), drawn.best(panel)
    numbered = values.size <= NUMBERS_TO
    for training, (i, j) in at.items():
        if not np.isfinite(values[i, j]):
            continue
        colour = "white" if norm(values[i, j]) < 0.5 else "black"
        if numbered:
            axes.text(i, j, f"{values[i, j]:.0f}", ha="center", va="center", fontsize=6, color=colour)
        if training in alike:
            lift = 0.3 if numbered else 0
            axes.plot(i + lift, j + lift, marker=NOT_TOLD, markersize=4, color=colour, linestyle="")
        if training == best:
            frame = Rectangle((i - 0.5, j - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=1.4, clip_on=False)
            axes.add_patch(frame)
