"""Arguments against masked gradients as a matrix: networks by tests, the outcome and its number in each cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from lossproof import tidy
from lossproof.display_names import opponents
from lossproof.drawing import labels, style

NEEDED = (
    *("dataset", "data", "arch", "training", "control", "argument", "test", "role", "attack", "against"),
    *("epsilon_printed", "value", "outcome"),
)
# Colour and sign of an outcome: light enough for black letters, and told apart by the sign too.
OUTCOMES = {"holds": ("#9ECAE1", "✓"), "undecided": ("#EEEEEE", "?"), "fails": ("#F4A582", "✗")}
ROW, HEAD = 0.32, 0.62
"""Inches of a network's row and of the column heads with the band's title."""
LETTERS = 31
"""Letters for which a cell has room."""


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw a band per data set and architecture: a row per network, a column per test.

    Numbers are differences of accuracy in points that the argument says are not below 0, or what is left in percent,
    each at its epsilon and with its attacks.
    Raises ValueError where the table lacks something, or holds no test.
    """
    table = tidy.rows(csv_path, NEEDED, exhibit.get("networks"))
    summaries = [row for row in table if row["role"] == "summary" and row["test"] != "clean"]
    if not summaries:
        raise ValueError(f"{csv_path}: no rows with a test")
    tests = sorted(tidy.distinct(summaries, "argument", "test"), key=lambda pair: int(pair[0]))
    groups = tidy.distinct(summaries, "dataset", "data", "arch")
    bands = [[row for row in summaries if (row["dataset"], row["data"], row["arch"]) == group] for group in groups]
    sizes = [len(tidy.distinct(band, "training")) for band in bands]
    heights = [ROW * size + HEAD for size in sizes]
    with style.page(out_stem, style.FULL, sum(heights) + 0.4) as figure:
        for axes, group, band in zip(
            figure.subplots(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0], groups, bands, strict=True
        ):
            _matrix(axes, band, tests)
            where = f"{labels.dataset(*group[:2])}, {labels.name(group[2])}"
            axes.set_title(where, fontsize=8, fontweight="bold", pad=26, loc="left")
        handles: list[Any] = [
            Patch(color=colour, label=f"{sign} {outcome}") for outcome, (colour, sign) in OUTCOMES.items()
        ]
        handles.append(Line2D([], [], linestyle="", label="difference of accuracies (points), at ε, and the attacks"))
        style.legend_below(figure, handles, 4)


def _matrix(axes: Axes, band: list[tidy.Row], tests: list[tuple[str, ...]]) -> None:
    """The cells of one band."""
    networks = tidy.distinct(band, "training", "control")
    for at, (training, _) in enumerate(networks):
        for column, (_, test) in enumerate(tests):
            cells = tidy.select(band, training=training, test=test)
            if not cells or not cells[0]["value"]:
                continue
            colour, sign = OUTCOMES.get(cells[0]["outcome"], OUTCOMES["undecided"])
            axes.add_patch(Rectangle((column - 0.49, at - 0.46), 0.98, 0.92, facecolor=colour, linewidth=0))
            said = f"{sign} {_value(cells[0])} at {cells[0]['epsilon_printed']}"
            axes.text(column, at - 0.13, said, ha="center", va="center", fontsize=7)
            attacks = opponents(cells[0]["attack"], cells[0]["against"])
            size = min(5.0, 5 * LETTERS / max(len(attacks), 1))
            axes.text(column, at + 0.26, attacks, ha="center", va="center", fontsize=size, color="#333333")
    axes.set(xlim=(-0.5, len(tests) - 0.5), ylim=(len(networks) - 0.5, -0.5))
    axes.set_yticks(
        range(len(networks)),
        [style.look(training).label + (" (control)" if control == "yes" else "") for training, control in networks],
    )
    axes.set_xticks(range(len(tests)), [f"({argument}) {_head(test)}" for argument, test in tests])
    axes.tick_params(length=0, top=False, bottom=False, labeltop=True, labelbottom=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _head(test: str) -> str:
    """The name of a test on two lines."""
    first, minus, second = labels.name(test).partition(" − ")
    return f"{first} −\n{second}" if minus else labels.name(test).replace(" the ", "\nthe ", 1)


def _value(row: tidy.Row) -> str:
    value = tidy.plotted(row["value"])
    return f"{value:.1f} %" if row["test"] == "remaining" else f"{value:+.1f}".replace("-", "−")
