"""Accuracy against a swept setting of training, one curve per attack, its maximum marked (isce fig_7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lossproof import tidy
from lossproof.drawing import labels, style
from lossproof.drawing.accuracy_dots import GROUP, panel_titles, panels, said
from lossproof.exhibits.sweep import drawn


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw accuracy in percent with bands of 95 % over images and seeds, one panel per network.

    The star is a curve's largest mean, with its interval; filled points are those whose difference to it, paired by
    image and seed, has zero in its interval. Raises ValueError where the table lacks a column.
    """
    table, split = drawn.shown(csv_path, exhibit.get("networks"))
    groups = tidy.distinct(table, *GROUP)
    shown = panels(table)
    looks = {panel: style.SERIES[i % len(style.SERIES)] for i, panel in enumerate(shown)}
    titles = {panel: title.replace("\n", ", ") for panel, title in panel_titles(shown).items()}
    with style.page(out_stem, style.FULL, 2.7 * len(groups) + 0.3) as figure:
        for axes, group in zip(figure.subplots(len(groups), 1, squeeze=False)[:, 0], groups, strict=True):
            here = tidy.select(table, **dict(zip(GROUP, group, strict=True)))
            handles = []
            for panel in shown:
                rows = tidy.select(here, **said(panel))
                if drawn.accuracies(rows):
                    top = _curve(axes, rows, looks[panel])
                    handles.append(Line2D([], [], label=f"{titles[panel]}\n{top}", **looks[panel].plot()))
            axes.set_title(f"{labels.dataset(*group[:2])}, {labels.name(group[2])}, {labels.name(split)}")
            parameter = labels.parameter(here[0]["x_parameter"])
            axes.set(xlabel=f"{parameter} in training", ylabel="accuracy (%)", ylim=(-3, 103), yticks=range(0, 101, 25))
            axes.grid(axis="y")
            axes.set_axisbelow(True)
            axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=6.5, labelspacing=0.9)
        style.legend_below(figure, _keys(), 4)


def _curve(axes: Axes, panel: list[tidy.Row], look: style.Look) -> str:
    """Draw one curve; its maximum in words."""
    rows = sorted(drawn.accuracies(panel), key=lambda row: tidy.plotted(row["x"]))
    x, y, low, high = (tidy.numbers(rows, column) for column in ("x", "value", "ci_low", "ci_high"))
    axes.fill_between(x, low, high, color=look.colour, alpha=0.15, linewidth=0)
    axes.plot(x, y, **(look.plot() | {"marker": ""}))
    best, alike = drawn.best(panel), drawn.not_told_apart(panel)
    for row, at, value, bottom, top in zip(rows, x, y, low, high, strict=True):
        marks: dict[str, Any] = {"linestyle": "", "color": look.colour, "clip_on": False}
        if row["training"] == best:
            axes.plot([at, at], [bottom, top], color=look.colour, linewidth=1.1)
            axes.plot(
                at, value, marker="*", markersize=9, markeredgecolor="white", markeredgewidth=0.5, zorder=4, **marks
            )
        else:
            face = look.colour if row["training"] in alike else "white"
            axes.plot(at, value, marker=look.marker, markersize=3.6, markerfacecolor=face, markeredgewidth=0.8, **marks)
    top_row = next(row for row in rows if row["training"] == best)
    numbers = [tidy.plotted(top_row[column]) for column in ("value", "ci_low", "ci_high")]
    return f"largest at {tidy.plotted(top_row['x']):g}: {numbers[0]:.1f} [{numbers[1]:.1f}, {numbers[2]:.1f}]"


def _keys() -> list[Any]:
    grey: dict[str, Any] = {"color": "#555555", "linestyle": "", "markersize": 4}
    return [
        Line2D([], [], marker="*", label="largest mean", **(grey | {"markersize": 8})),
        Line2D([], [], marker="o", label="not told from it (95 %)", **grey),
        Line2D([], [], marker="o", label="below it", markerfacecolor="white", **grey),
        Patch(color="#555555", alpha=0.25, lw=0, label="95 % interval"),
    ]
