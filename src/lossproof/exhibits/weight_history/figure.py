"""How the last-layer weights are spread over training, their norm, and the accuracy (sp fig_7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lossproof import tidy
from lossproof.drawing import labels, style

BANDS = (("q00", "q100", 0.15, "all weights"), ("q05", "q95", 0.3, "5 to 95 %"), ("q25", "q75", 0.55, "25 to 75 %"))


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw bands between quantiles of the weights (mean over seeds), one panel per training on equal axes.

    Below: the norm (thin lines: single seeds) and the accuracy in percent on train and test images.
    Raises ValueError where the table lacks a column.
    """
    table = tidy.rows(csv_path, ("dataset", "data", "arch", "training", "seed", "epoch", "quantity", "value"))
    groups = tidy.distinct(table, "dataset", "data", "arch")
    trainings = tidy.order(exhibit.get("trainings"), (row["training"] for row in table))
    with style.page(out_stem, style.FULL, 4.2 * len(groups)) as figure:
        for band, group in zip(figure.subfigures(len(groups), 1, squeeze=False)[:, 0], groups, strict=True):
            here = tidy.select(table, **dict(zip(("dataset", "data", "arch"), group, strict=True)))
            upper, lower = band.subfigures(2, 1)
            upper.suptitle(f"{labels.dataset(*group[:2])}, {labels.name(group[2])}", fontsize=8)
            panels = upper.subplots(1, len(trainings), sharex=True, sharey=True, squeeze=False)[0]
            for axes, training in zip(panels, trainings, strict=True):
                _quantiles(axes, tidy.select(here, training=training), training)
            panels[0].set_ylabel("last-layer weight")
            norm, accuracy = lower.subplots(1, 2, sharex=True)
            for training in trainings:
                _lines(norm, accuracy, tidy.select(here, training=training), training)
            norm.set(xlabel="epoch", ylabel="norm of the last layer", ylim=(0, None))
            accuracy.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(-3, 103))
            accuracy.grid(axis="y")
            bands: list[Any] = [Patch(color="#555555", alpha=alpha, lw=0, label=text) for *_, alpha, text in BANDS]
            bands.append(Line2D([], [], color="#222222", linewidth=0.9, label="median"))
            style.legend_below(upper, bands, len(bands))
            lines = style.keys(trainings, markers=False)
            widths = ((1.4, "test accuracy"), (0.6, "train accuracy, single seed"))
            lines += [Line2D([], [], color="#555555", linewidth=width, label=text) for width, text in widths]
            style.legend_below(lower, lines, len(lines))


def _quantiles(axes: Axes, table: list[tidy.Row], training: str) -> None:
    look = style.look(training)
    for low, high, alpha, _ in BANDS:
        (x, bottom), (x_high, top) = (tidy.trace(tidy.select(table, quantity=q), "epoch") for q in (low, high))
        if len(x) and len(x) == len(x_high):
            axes.fill_between(x, bottom, top, color=look.colour, alpha=alpha, linewidth=0)
    axes.plot(*tidy.trace(tidy.select(table, quantity="q50"), "epoch"), color="#222222", linewidth=0.9)
    axes.axhline(0, color="black", linewidth=0.4, zorder=0)
    axes.set(title=look.label, xlabel="epoch")


def _lines(norm: Axes, accuracy: Axes, table: list[tidy.Row], training: str) -> None:
    look = style.look(training)
    norms = tidy.select(table, quantity="norm")
    for (seed,) in tidy.distinct(norms, "seed"):
        norm.plot(*tidy.trace(tidy.select(norms, seed=seed), "epoch"), color=look.colour, linewidth=0.4, alpha=0.6)
    norm.plot(*tidy.trace(norms, "epoch"), **look.curve())
    for split, width in (("test", 1.4), ("train", 0.6)):
        points = tidy.trace(tidy.select(table, quantity=f"{split}_accuracy"), "epoch")
        accuracy.plot(*points, **(look.curve() | {"linewidth": width}))
