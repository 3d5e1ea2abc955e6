"""Gains over the baseline under the paper protocol and under the strongest attacks, network by network."""

from __future__ import annotations

import math
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.lines import Line2D

from lossproof import tidy
from lossproof.display_names import in_full
from lossproof.drawing import labels, style
from lossproof.jury.verdict import Verdict

GROUP = ("dataset", "arch")
NEEDED = (
    *(*GROUP, "training", "twin", "attack", "track", "norm", "epsilon", "epsilon_printed"),
    *("gain", "gain_low", "gain_high", "verdict"),
)
ROW, HEAD = 0.19, 0.34
"""Inches of a network's row, and of a panel's title with its scale."""
ONE_COLUMN = 26
"""Rows that stand below each other; more stand side by side."""
PRINTED, LINF, L2 = -0.24, 0.02, 0.28
"""Where the three gains lie in a row."""


class Shown(NamedTuple):
    """What a row shows: the claim where it is largest, the strongest attack in the same ball, and the best in L2."""

    training: str
    verdict: Verdict
    printed: tidy.Row | None
    linf: tidy.Row | None
    l2: tidy.Row | None


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw a panel per data set and architecture with a row per network that has a twin.

    An arrow leads from the gain under the attack as printed, at the budget where it is surest, to that under the
    strongest attack in the same ball. Raises ValueError where the table lacks something or no network has a twin.
    """
    table = [row for row in tidy.rows(csv_path, NEEDED) if row["twin"]]
    if not table:
        raise ValueError(f"{csv_path}: no rows of a network that has a baseline")
    panels = {
        group: _shown(tidy.select(table, **dict(zip(GROUP, group, strict=True))))
        for group in tidy.distinct(table, *GROUP)
    }
    columns = _columns(panels)
    reach = _reach(table)
    tall = max(sum(map(_height, column.values())) for column in columns)
    with style.page(out_stem, style.FULL, tall + 0.5) as figure:
        for part, column in zip(figure.subfigures(1, len(columns), squeeze=False)[0], columns, strict=True):
            _column(part, column, tall, reach)
        handles = [
            _key("PGD, paper protocol, where it claims most", "o", hollow=True),
            _key("strongest L∞ attack, same ε", "s"),
            _key("strongest L2 attack, best ε", "D", size=2.4),
            Line2D([], [], color="#333333", linewidth=0.7, label="95 % interval"),
        ]
        style.legend_below(figure, handles, 4)


def _shown(rows: list[tidy.Row]) -> list[Shown]:
    """The rows of one panel, one per training."""
    found = []
    for training in dict.fromkeys(row["training"] for row in rows):
        mine = tidy.select(rows, training=training)
        compared = [row for row in mine if row["gain"]]
        worst = [row for row in compared if row["track"] == "honest"]
        printed = _best([row for row in compared if row["track"] == "printed"])
        same = [row for row in worst if printed and all(row[key] == printed[key] for key in ("norm", "epsilon"))]
        l2 = _best([row for row in worst if row["norm"] == "l2"])
        found.append(Shown(training, Verdict(mine[0]["verdict"]), printed, same[0] if same else None, l2))
    return found


def _best(rows: list[tidy.Row]) -> tidy.Row | None:
    return max(rows, key=lambda row: tidy.plotted(row["gain_low"]), default=None)


def _columns(panels: dict[tuple[str, ...], list[Shown]]) -> list[dict[tuple[str, ...], list[Shown]]]:
    """One column of panels, or two of about the same height."""
    heights = [_height(rows) for rows in panels.values()]
    if sum(map(len, panels.values())) <= ONE_COLUMN or len(panels) == 1:
        return [panels]
    until = list(accumulate(heights))
    cut = min(range(1, len(heights)), key=lambda at: max(until[at - 1], until[-1] - until[at - 1]))
    groups = list(panels)
    return [{group: panels[group] for group in part} for part in (groups[:cut], groups[cut:])]


def _height(rows: list[Shown]) -> float:
    return ROW * len(rows) + HEAD


def _reach(table: list[tidy.Row]) -> tuple[float, float]:
    """The ends of the axis that all panels share: tens that hold every interval."""
    ends = [tidy.plotted(row[key]) for row in table for key in ("gain_low", "gain_high")]
    ends = [end for end in ends if math.isfinite(end)] or [0.0]
    return 10 * math.floor((min(*ends, 0) - 2) / 10), 10 * math.ceil((max(*ends, 0) + 2) / 10)


def _column(
    part: FigureBase, panels: dict[tuple[str, ...], list[Shown]], tall: float, reach: tuple[float, float]
) -> None:
    heights = [_height(rows) for rows in panels.values()]
    rest = tall - sum(heights)
    ratios = [*heights, rest] if rest > 0.05 else heights
    grid = part.subplots(len(ratios), 1, squeeze=False, height_ratios=ratios)[:, 0]
    for axes, (group, rows) in zip(grid, panels.items(), strict=False):
        _panel(axes, rows, reach)
        axes.set_title(f"{labels.name(group[0])}, {labels.name(group[1])}", fontweight="bold", loc="left")
    grid[len(panels) - 1].set_xlabel("gain over the baseline (points)")
    for axes in grid[len(panels) :]:
        axes.set_axis_off()


def _panel(axes: Axes, rows: list[Shown], reach: tuple[float, float]) -> None:
    axes.axvline(0, color="#999999", linewidth=0.6, zorder=0)
    for at, row in enumerate(rows):
        colour = style.VERDICTS[row.verdict.meaning]
        budget = row.printed["epsilon_printed"] if row.printed else ""
        said = f"{row.verdict.sign} {row.verdict}" + (f", ε = {budget}" if budget else "")
        axes.text(1.01, at, said, transform=axes.get_yaxis_transform(), va="center", fontsize=6, color=colour)
        if row.printed and row.linf:
            ends = [(tidy.plotted(one["gain"]), at + y) for one, y in ((row.printed, PRINTED), (row.linf, LINF))]
            arrow = {"arrowstyle": "-|>,head_width=0.12,head_length=0.25", "color": colour, "linewidth": 0.9}
            axes.annotate("", ends[1], ends[0], arrowprops=arrow | {"shrinkA": 2, "shrinkB": 1.5, "alpha": 0.6})
        for one, y, marker, size in (
            (row.printed, PRINTED, "o", 3.4),
            (row.linf, LINF, "s", 3),
            (row.l2, L2, "D", 2.4),
        ):
            if one:
                low, value, high = (tidy.plotted(one[key]) for key in ("gain_low", "gain", "gain_high"))
                axes.plot([low, high], [at + y] * 2, color=colour, linewidth=0.7, solid_capstyle="butt")
                face = "white" if marker == "o" else colour
                axes.plot(value, at + y, marker, color=colour, markersize=size, mfc=face, mew=0.8)
    axes.set(xlim=reach, ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), [in_full(row.training) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def _key(label: str, marker: str, hollow: bool = False, size: float = 3.4) -> Line2D:
    face = "white" if hollow else "#333333"
    return Line2D([], [], linestyle="", marker=marker, color="#333333", mfc=face, markersize=size, label=label)
