"""Loss surfaces around trained networks, as surface and as contours (sp fig_4).

Per method two rows (surface above, contours below). Columns: every network under cross-entropy, the common measure,
with one scale of heights for all networks and methods; then each network whose own loss is another one, under it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from mpl_toolkits.mplot3d import Axes3D

from lossproof import tidy
from lossproof.drawing import labels, style

COLOURS = "viridis"
EDGES = {"edgecolor": (1, 1, 1, 0.35), "linewidth": 0.15}  # not shaded: a shade would change the colour's value
LEVELS = 21
LOG_FROM = 50
"""Heights whose largest is more than this many times the smallest are drawn on a logarithmic scale."""
NOTES = {
    "package": "Same directions, lengths and scales as above. Faults of the package: biases and batch-norm weights "
    "move too,\neach by its own size; the points at every second u are shifted by one cell along v.",
}
"""What a reader must know of a method, below its panels."""
Column = tuple[str, str]  # training, metric


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw every method's surfaces; panels of one loss share their heights.

    Raises ValueError where the table or the arrays lack something.
    """
    table = tidy.rows(csv_path, ("dataset", "data", "arch", "training", "method", "metric", "quantity", "value"))
    arrays = tidy.arrays(npz_path, ())
    methods = tidy.order(exhibit.get("methods"), (name.split("/")[1] for name in arrays if name.startswith("axis_u/")))
    grids = [tuple(name.split("/")) for name in arrays if not name.startswith("axis_")]
    trainings = tidy.order(exhibit.get("trainings"), (name[0] for name in grids))
    if not methods or not any(name[2] == "ce" for name in grids):
        raise ValueError(f"{npz_path}: arrays 'axis_u/<method>' and '<training>/<method>/ce' are missing")
    own = [t for t in trainings if any(_differs(arrays, t, method) for method in methods)]
    columns = [(t, "ce") for t in trainings] + [(t, "own") for t in own]
    width = style.FULL if len(columns) > 1 else style.COLUMN
    with style.page(out_stem, width, 4.3 * len(methods)) as figure:
        bands = np.atleast_1d(np.asarray(figure.subfigures(len(methods), 1)))
        for band, method in zip(bands, methods, strict=True):
            # Of its own for each band: a scale that a later band uses would reset the ticks of a bar.
            _method(band, arrays, method, {column: _scale(_heights(arrays, columns, column)) for column in columns})
            band.suptitle(f"{labels.name(method)} plane, {_ran_on(table)}", fontsize=8, fontweight="bold")
            band.supxlabel(NOTES.get(method, ""), fontsize=7)


def _ran_on(table: list[tidy.Row]) -> str:
    row = table[0]
    return f"{labels.name(row['arch'])}, {labels.dataset(row['dataset'], row['data'])}"


def _differs(arrays: dict[str, np.ndarray], training: str, method: str) -> bool:
    """Whether the training's own loss is another surface than cross-entropy."""
    ce, own = (arrays.get(f"{training}/{method}/{metric}") for metric in ("ce", "own"))
    return own is not None and (ce is None or not np.allclose(ce, own, rtol=1e-5, equal_nan=True))


def _heights(arrays: dict[str, np.ndarray], columns: list[Column], column: Column) -> list[np.ndarray]:
    """The grids of all methods that a panel shares its heights with: all networks' cross-entropy, or its own loss."""
    together = [(t, m) for t, m in columns if m == "ce"] if column[1] == "ce" else [column]
    return [
        grid
        for name, grid in arrays.items()
        if not name.startswith("axis_") and tuple(name.split("/")[::2]) in together
    ]


def _scale(grids: list[np.ndarray]) -> Normalize | None:
    """One scale for all grids: logarithmic where heights span decades; None without a finite height."""
    values = np.concatenate([grid[np.isfinite(grid)] for grid in grids]) if grids else np.empty(0)
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    if low > 0 and high / low > LOG_FROM:
        return LogNorm(low, high)
    return Normalize(low, high if high > low else low + 1e-9)


def _method(band: Any, arrays: dict[str, np.ndarray], method: str, scales: dict[Column, Normalize | None]) -> None:
    u, v = arrays[f"axis_u/{method}"], arrays[f"axis_v/{method}"]
    layout = band.add_gridspec(2, len(scales), height_ratios=[1.1, 1])
    flat: dict[Column, Axes] = {}
    for i, (column, norm) in enumerate(scales.items()):
        training, metric = column
        grid = arrays.get(f"{training}/{method}/{metric}")
        if grid is None or norm is None or not np.isfinite(grid).any():
            continue
        label = style.look(training).label
        surface = band.add_subplot(layout[0, i], projection="3d", computed_zorder=False)
        _surface(surface, u, v, grid, norm)
        height = "cross-entropy" if metric == "ce" else f"its own loss ({label})"
        surface.set_title(f"{label} network\n{_named(height, norm)}", pad=0)
        flat[column] = band.add_subplot(layout[1, i])
        _contours(flat[column], u, v, grid, norm)
        if i:
            flat[column].tick_params(labelleft=False)
        else:
            flat[column].set_ylabel("step along direction v")
    # One bar for what shares a scale, one for each own loss.
    for group in ([c for c in flat if c[1] == "ce"], *([c] for c in flat if c[1] == "own")):
        if group:
            text = "cross-entropy" if group[0][1] == "ce" else f"{style.look(group[0][0]).label} loss"
            _bar(band, [flat[c] for c in group], scales[group[0]], text)


def _named(height: str, norm: Normalize | None) -> str:
    return f"{height}, log scale" if isinstance(norm, LogNorm) else height


def _surface(axes: Axes3D, u: np.ndarray, v: np.ndarray, grid: np.ndarray, norm: Normalize) -> None:
    log = isinstance(norm, LogNorm)
    heights = np.log10(grid) if log else grid  # mplot3d has no logarithmic axis
    x, y = np.meshgrid(u, v, indexing="ij")
    colours = ScalarMappable(norm, COLOURS).to_rgba(grid)
    axes.plot_surface(x, y, heights, facecolors=colours, rcount=60, ccount=60, shade=False, **EDGES)
    low, high = (float(np.log10(end)) if log else float(end) for end in (norm.vmin or 0, norm.vmax or 1))
    axes.set_zlim(low, high)
    axes.zaxis.set_major_locator(MaxNLocator(4, integer=log))
    if log:
        axes.zaxis.set_major_formatter(FuncFormatter(lambda value, _: rf"$10^{{{value:.0f}}}$"))
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((1, 1, 1, 0))
        axis._axinfo["grid"].update(color="#dddddd", linewidth=0.4)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.tick_params(pad=-3, labelsize=6)
    axes.set_xlabel("u", labelpad=-9)
    axes.set_ylabel("v", labelpad=-7)
    axes.view_init(elev=28, azim=-58)
    axes.set_box_aspect((1, 1, 0.8), zoom=1.2)


def _contours(axes: Axes, u: np.ndarray, v: np.ndarray, grid: np.ndarray, norm: Normalize) -> None:
    low, high = float(norm.vmin or 0), float(norm.vmax or 1)
    levels = (np.geomspace if isinstance(norm, LogNorm) else np.linspace)(low, high, LEVELS)
    axes.contourf(u, v, np.ma.masked_invalid(grid.T), levels=levels, norm=norm, cmap=COLOURS)
    axes.contour(u, v, np.ma.masked_invalid(grid.T), levels=levels, colors="white", linewidths=0.35)
    axes.set(xlabel="step along direction u")
    if u.min() < 0 < u.max() and v.min() < 0 < v.max():
        axes.plot(0, 0, marker="+", markersize=5, color="white", markeredgewidth=0.8)  # the trained network
    axes.set_box_aspect(1)
    axes.locator_params(nbins=5)
    axes.spines[:].set_visible(True)


def _bar(band: Figure, axes: list[Axes], norm: Normalize | None, label: str) -> None:
    bar = band.colorbar(
        ScalarMappable(norm, COLOURS),
        ax=axes,
        location="bottom",
        pad=0.02,
        aspect=40 if len(axes) > 1 else 20,
        shrink=0.8,
    )
    bar.set_label(_named(label, norm))
    bar.outline.set_linewidth(0.5)  # type: ignore[operator]
    if isinstance(norm, LogNorm):
        bar.locator = LogLocator(10)
        bar.ax.xaxis.set_minor_formatter(NullFormatter())
        bar.ax.xaxis.set_minor_locator(NullLocator())
