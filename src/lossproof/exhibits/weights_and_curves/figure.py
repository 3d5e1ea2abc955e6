"""Last-layer weights over training, and loss and gradient against the logit (sp fig_2)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from lossproof import tidy
from lossproof.drawing import style

WHITE = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}  # behind words, over thin lines


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw one panel of weights per training (equal axes), then the loss and its gradient.

    The gradient is that with respect to the true logit; where it changes from negative to positive
    the loss has a minimum, which is marked in both panels. Raises ValueError where the table lacks
    a column.
    """
    table = tidy.rows(csv_path, ("part", "training", "seed", "x", "quantity", "value"))
    weights, losses, gradients = (tidy.select(table, part=part) for part in ("weights", "loss", "gradient"))
    weighted = tidy.order(exhibit.get("trainings"), (row["training"] for row in weights))
    curved = tidy.order(exhibit.get("curves"), (row["training"] for row in losses + gradients))
    letters = iter("abcdefghijklm")
    upper = len(weighted)
    with style.page(out_stem, style.FULL, 2.1 * (1 + (upper > 0)) + 0.25) as figure:
        units = math.lcm(2, max(upper, 1))
        grid = figure.add_gridspec(2 if upper else 1, units)
        first: Axes | None = None
        for i, training in enumerate(weighted):
            span = units // upper
            axes = figure.add_subplot(grid[0, i * span : (i + 1) * span], sharex=first, sharey=first)
            _weights(axes, tidy.select(weights, training=training), training)
            style.letter(axes, next(letters), f"last-layer weights, {style.look(training).label}")
            if first is None:
                axes.set_ylabel("weight")
            else:
                axes.tick_params(labelleft=False)
            first = first or axes
        minima = {training: _minimum(tidy.select(gradients, training=training)) for training in curved}
        for i, (part, title) in enumerate(((losses, "loss"), (gradients, "gradient of the loss"))):
            axes = figure.add_subplot(grid[-1, i * units // 2 : (i + 1) * units // 2])
            _curves(axes, part, curved)
            if part is gradients:
                axes.axhline(0, color="black", linewidth=0.6, zorder=1)
            axes.set_xlabel("logit of the true class (the other is 0)")
            axes.set_ylabel("loss of one sample" if part is losses else "d loss / d logit")
            style.letter(axes, next(letters), title)
            if part is losses and (top := _ceiling(part, curved)) is not None:
                axes.set_ylim(-0.04 * top, top)
            _zoom(axes, part, curved, minima, signed=part is gradients)
        style.legend_below(figure, style.keys(curved, markers=False), max(len(curved), 1))


def _weights(axes: Axes, table: list[tidy.Row], training: str) -> None:
    colour = style.look(training).colour
    single = [row for row in table if row["quantity"].startswith("weight")]
    for (quantity,) in tidy.distinct(single, "quantity"):
        axes.plot(*tidy.trace(tidy.select(single, quantity=quantity), "x"), color=colour, linewidth=0.6, alpha=0.75)
    axes.axhline(0, color="black", linewidth=0.5, zorder=1)
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)  # log, but with room for epoch 0
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set(xlabel="epoch", xlim=(0, None))
    norms = tidy.select(table, quantity="norm")
    if norms:
        last = max(tidy.numbers(norms, "x"))
        ends = [tidy.plotted(row["value"]) for row in norms if tidy.plotted(row["x"]) == last]
        ends = [value for value in ends if math.isfinite(value)]
        if ends:
            text = f"norm at the end: {np.median(ends):.3g}"
            if len(ends) > 1:
                text += f"\n({len(ends)} seeds: {min(ends):.3g} to {max(ends):.3g})"
            axes.text(0.03, 0.97, text, transform=axes.transAxes, va="top", fontsize=6.5, bbox=WHITE)


def _minimum(gradient: list[tidy.Row]) -> float | None:
    """Where the gradient turns from negative to positive, by linear interpolation; None where it does not."""
    x, y = tidy.trace(gradient, "x")
    for i in range(len(x) - 1):
        if y[i] < 0 <= y[i + 1]:
            return float(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i]))
    return None


def _curves(axes: Axes, part: list[tidy.Row], trainings: list[str]) -> None:
    for training in trainings:
        curve = tidy.trace(tidy.select(part, training=training), "x")
        look = style.look(training)
        axes.plot(*curve, **look.curve(), zorder=2 if look.line == "-" else 2.5)  # a broken line shows what is under it


def _zoom(
    axes: Axes,
    part: list[tidy.Row],
    trainings: list[str],
    minima: dict[str, float | None],
    signed: bool,
) -> None:
    """An inset around the minima, whose gradients are too small for the whole panel."""
    marks = []
    for training in trainings:
        x, y = tidy.trace(tidy.select(part, training=training), "x")
        if (minimum := minima[training]) is not None and np.isfinite(y).any():
            marks.append((minimum, float(np.interp(minimum, x, y)), float(np.nanmax(y[x >= minimum])), x[-1], training))
    if not marks:
        return
    inset = axes.inset_axes((0.57, 0.12, 0.42, 0.55) if signed else (0.5, 0.42, 0.49, 0.55))  # where no curve runs
    _curves(inset, part, trainings)
    inset.axhline(0, color="black", linewidth=0.6, zorder=1)
    left = min(mark[0] for mark in marks) - 1.5
    top = 2 * max(mark[2] for mark in marks) or 1
    inset.set(xlim=(left, max(mark[3] for mark in marks)), ylim=(-top if signed else -0.1 * top, top))
    for line, (minimum, height, _, _, training) in enumerate(marks):
        colour = style.look(training).colour
        at = (0.97, 0.94 - 0.15 * line)
        text = f"minimum at {minimum:.2f}"
        inset.annotate(text, at, None, "axes fraction", ha="right", va="top", color=colour, fontsize=6)
        inset.plot(minimum, height, marker="o", markersize=4.5, color=colour, markeredgecolor="black", zorder=4)
    inset.spines[:].set_visible(True)
    inset.spines[:].set_color("#888888")
    inset.tick_params(labelsize=5.5, color="#888888")
    inset.locator_params(axis="y", nbins=4)
    axes.indicate_inset_zoom(inset, edgecolor="#888888", linewidth=0.5)


def _ceiling(part: list[tidy.Row], trainings: list[str]) -> float | None:
    """An upper limit that cuts the steep left end of the largest loss, so that the others can be read."""
    tops = [np.nanmax(y) for t in trainings if (y := tidy.trace(tidy.select(part, training=t), "x")[1]).size]
    tops = sorted(float(top) for top in tops if np.isfinite(top))
    return min(tops[-1], 2 * tops[0]) * 1.04 if tops else None
