"""Logit gaps against their gradients, image by image, beside the bound of a robust model (pc eq_14)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lossproof import tidy
from lossproof.drawing import labels, style

GROUP = ("dataset", "data", "arch", "attack", "norm", "steps")
BUDGET = ("epsilon", "epsilon_printed")
NEEDED = (*GROUP, *BUDGET, "training")
PARTS = ("gap", "gradient", "survives")
COLOURS = {"survives": style.BLUE, "fooled": style.ORANGE}
ACROSS = 6
PANEL = 1.35
"""Inches of a panel's height."""
ROOM = 1.5
"""Factor that the axes reach beyond the points."""


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw the images of seed 0 that are right without attack: a block per network and attack, a panel per training
    and budget, with the line on which the gradient is gap / epsilon; below it lies what the bound promises.

    Both axes are logarithmic and shared in a block; a gradient of zero is drawn at the lower edge. Raises ValueError
    where the table or the arrays lack something.
    """
    table = tidy.rows(csv_path, NEEDED)
    networks = exhibit.get("networks") or {}
    trainings = tidy.order(exhibit.get("trainings"), (row["training"] for row in table))
    groups = tidy.distinct(table, *GROUP)
    places = [_place(group, training) for group in groups for training in trainings]
    arrays = tidy.arrays(npz_path, [f"{part}/{place}" for place in places for part in PARTS])
    budgets = [tidy.distinct(tidy.select(table, **dict(zip(GROUP, group, strict=True))), *BUDGET) for group in groups]
    shapes = [_shape(len(trainings), len(found)) for found in budgets]
    heights = [rows * PANEL + 0.25 for rows, _ in shapes]
    with style.page(out_stem, style.FULL, sum(heights) + 0.35) as figure:
        bands = figure.subfigures(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0]
        for band, group, found, shape in zip(bands, groups, budgets, shapes, strict=True):
            dataset, data, arch, attack, norm, steps = group
            network = labels.network(arch, networks.get(arch, ""))
            what = ", ".join(filter(None, (labels.attack(attack, (steps,)), labels.steps(attack, steps))))
            band.suptitle(f"{labels.dataset(dataset, data)}, {network}: {what}", fontsize=8, fontweight="bold")
            points = {one: [arrays[f"{part}/{_place(group, one)}"] for part in PARTS] for one in trainings}
            _block(band.subplots(*shape, sharex=True, sharey=True, squeeze=False).ravel(), points, found)
            band.supxlabel("logit gap", fontsize=7)
            band.supylabel(f"its gradient, {'L1' if norm == 'linf' else 'L2'}", fontsize=7)
        style.legend_below(figure, _keys(), 3)


def _shape(trainings: int, budgets: int) -> tuple[int, int]:
    """Rows and columns of panels; the budgets of a training stand in one row."""
    rows, together = style.tiles(trainings, max(1, ACROSS // budgets))
    return rows, together * budgets


def _place(group: tuple[str, ...], training: str) -> str:
    """Where the arrays of a network and attack lie."""
    dataset, _, arch, attack, *_ = group
    return "/".join((dataset, arch, training, attack))


def _block(grid: np.ndarray, points: dict[str, list[np.ndarray]], budgets: list[tuple[str, ...]]) -> None:
    """Draw a panel per training and budget into ``grid``; ``points`` holds gaps [N], gradients [N], outcomes [E, N]."""
    across, up = (_reach([found[part] for found in points.values()]) for part in (0, 1))
    panels = [(training, at) for training in points for at in range(len(budgets))]
    for axes, (training, at) in zip(grid, panels, strict=False):
        gap, gradient, survives = points[training]
        _cloud(axes, gap, np.maximum(gradient, up[0]), survives[at])
        epsilon, printed = budgets[at]
        axes.plot(across, [edge / tidy.plotted(epsilon) for edge in across], color="black", linewidth=0.8, zorder=3)
        axes.set(xscale="log", yscale="log", xlim=across, ylim=up)
        axes.set_title(f"{style.look(training).label}, ε = {printed}", fontsize=6.5)
    for axes in grid[len(panels) :]:
        axes.remove()


def _reach(parts: list[np.ndarray]) -> tuple[float, float]:
    """The ends of a logarithmic axis that holds all positive finite values."""
    values = np.concatenate([part.ravel() for part in parts]).astype(float)
    values = values[np.isfinite(values) & (values > 0)]
    return (float(values.min()) / ROOM, float(values.max()) * ROOM) if len(values) else (0.1, 10.0)


def _cloud(axes: Axes, gap: np.ndarray, gradient: np.ndarray, survives: np.ndarray) -> None:
    size = min(max(1000 / max(len(gap), 1), 0.8), 6)  # a few points must be seen, and many not hide each other
    for group, chosen in (("survives", survives), ("fooled", ~survives)):
        shown = {"s": size, "color": COLOURS[group], "alpha": 0.5, "linewidths": 0, "rasterized": True}
        axes.scatter(gap[chosen], gradient[chosen], **shown)  # type: ignore[arg-type]


def _keys() -> list[Line2D]:
    found = [
        Line2D([], [], linestyle="", marker="o", markersize=3.5, color=colour, label=labels.name(group))
        for group, colour in COLOURS.items()
    ]
    return [*found, Line2D([], [], color="black", linewidth=0.8, label="gradient = gap / ε")]
