"""A surface over two settings, on the printed range and on a wide one where it turns negative (isce fig_3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from mpl_toolkits.mplot3d import Axes3D

from lossproof import tidy
from lossproof.drawing import labels, style

SIGNS = "RdBu"  # red below zero, blue above
ARRAYS = tuple(f"{panel}/{part}" for panel in ("printed", "wide") for part in ("s", "m", "z"))


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw z over s and m: the printed range as a surface, the wide one as a map with its zero line.

    Colours say the sign in both. Raises ValueError where the table or the arrays lack something.
    """
    table = tidy.rows(csv_path, ("panel", "quantity", "s", "m", "value"))
    arrays = tidy.arrays(npz_path, ARRAYS)
    with style.page(out_stem, style.FULL, 2.9) as figure:
        left, right = np.asarray(figure.subfigures(1, 2, width_ratios=[1, 1.15]))
        axes = cast(Axes3D, left.add_subplot(projection="3d"))
        _surface(axes, *(arrays[f"printed/{part}"] for part in ("s", "m", "z")))
        style.letter(axes, "a", "reported range")
        wide = right.add_subplot()
        bound = float(np.nanmax(np.abs(arrays["wide/z"])))
        norm = TwoSlopeNorm(0, -bound, bound)
        _map(wide, arrays, norm)
        for row in tidy.select(table, panel="wide", quantity="sign_change"):
            _mark(wide, tidy.plotted(row["s"]), tidy.plotted(row["m"]))
        style.letter(wide, "b", "beyond it")
        bar = right.colorbar(wide.collections[0], ax=wide, pad=0.02, aspect=25)
        bar.set_label("z")
        bar.outline.set_linewidth(0.5)  # type: ignore[operator]
        handles = [
            Line2D([], [], color="black", linewidth=1.3, label="z = 0"),
            Line2D([], [], color="black", linewidth=0.8, linestyle=(0, (2, 1)), label="reported range"),
        ]
        style.legend_below(right, handles, 2)


def _surface(axes: Axes3D, s: np.ndarray, m: np.ndarray, z: np.ndarray) -> None:
    across, up = np.meshgrid(s, m)
    bound = float(np.nanmax(np.abs(z)))
    axes.plot_surface(
        across, up, z, cmap=SIGNS, norm=TwoSlopeNorm(0, -bound, bound), edgecolor=(0, 0, 0, 0.25), linewidth=0.15
    )
    axes.set(xlabel="s", ylabel="m", zlabel="z", zlim=(min(0.0, float(np.nanmin(z))), float(np.nanmax(z))))
    axes.view_init(elev=24, azim=-130)
    axes.set_box_aspect((1, 1, 0.75), zoom=0.95)
    axes.locator_params(nbins=5)
    axes.tick_params(pad=-2)
    for direction in (axes.xaxis, axes.yaxis, axes.zaxis):
        direction.labelpad = -4


def _map(axes: Axes, arrays: dict[str, np.ndarray], norm: TwoSlopeNorm) -> None:
    s, m, z = (arrays[f"wide/{part}"] for part in ("s", "m", "z"))
    axes.pcolormesh(s, m, np.ma.masked_invalid(z), cmap=SIGNS, norm=norm, shading="gouraud", rasterized=True)
    if np.nanmin(z) < 0 < np.nanmax(z):
        axes.contour(s, m, z, levels=[0.0], colors="black", linewidths=1.3)
    low, high = ((arrays[f"printed/{part}"].min(), arrays[f"printed/{part}"].max()) for part in ("s", "m"))
    axes.add_patch(
        Rectangle(
            (low[0], high[0]),
            low[1] - low[0],
            high[1] - high[0],
            fill=False,
            linewidth=0.8,
            linestyle=(0, (2, 1)),
            clip_on=False,
            zorder=4,
        )
    )
    axes.set(xlabel="s", ylabel="m", xlim=(s.min(), s.max()), ylim=(0, m.max()))
    axes.text(0.97, 0.95, "z < 0", transform=axes.transAxes, ha="right", va="top")
    axes.spines[:].set_visible(True)


def _mark(axes: Axes, s: float, m: float) -> None:
    axes.plot(s, m, "o", color="black", markersize=3, clip_on=False, zorder=5)
    # At the left edge the line rises and soon comes back, so the words go under it in two lines.
    under = s <= axes.get_xlim()[0]
    text = f"s = {labels.short(s)},{chr(10) if under else ' '}m = {labels.short(m)}"
    place: dict[str, Any] = {"xytext": (6, -3 if under else 4), "va": "top" if under else "bottom"}
    axes.annotate(text, (s, m), textcoords="offset points", fontsize=6.5, **place)
