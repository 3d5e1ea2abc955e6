"""Where newly successful attacks land as the budget grows, by rank of the clean prediction (pc fig_2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from lossproof import tidy
from lossproof.display_names import rank
from lossproof.drawing import labels, style

NEEDED = (
    *("dataset", "data", "arch", "training", "attack", "epsilon", "epsilon_printed", "rank", "quantity"),
    *("value", "ci_low", "ci_high"),
)
COLOURS = {"2": style.BLUE, "3": "#56B4E9", "4": "#DDCC77", "5": style.ORANGE, "later": "#BBBBBB"}
ACROSS = 2
LABELS = 8
"""Budgets that are written under the bars; of more, every second, third and so on."""


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw a panel per data set, network and attack: a stacked bar per budget, their number as a line.

    A diamond is the share of the second most probable class by chance, with the range of 95 % of draws. Budgets are
    equally far apart. Raises ValueError where the table lacks something.
    """
    table = tidy.rows(csv_path, NEEDED, exhibit.get("networks"))
    panels = tidy.distinct(table, "dataset", "data", "arch", "training", "attack")
    rows, columns = style.tiles(len(panels), ACROSS)
    width = style.FULL if columns > 1 else style.COLUMN + 0.6
    with style.page(out_stem, width, rows * 2.3 + (0.5 if columns > 1 else 0.8)) as figure:
        for axes, panel in zip(figure.subplots(rows, columns, squeeze=False).ravel(), panels, strict=False):
            dataset, data, arch, training, attack = panel
            here = tidy.select(table, dataset=dataset, arch=arch, training=training, attack=attack)
            _panel(axes, [row for row in here if row["data"] == data and row["epsilon_printed"]])
            title = f"{labels.dataset(dataset, data)}, {labels.name(arch)}"
            axes.set_title(f"{title}\n{style.look(training).label}, {labels.attack(attack)}")
        for empty in figure.axes[len(panels) : rows * columns]:
            empty.set_axis_off()
        style.legend_below(figure, _keys(), 4 if columns > 1 else 2)


def _panel(axes: Axes, table: list[tidy.Row]) -> None:
    """Bars, chance and number of one panel."""
    budgets = [text for (text,) in tidy.distinct(table, "epsilon_printed")]
    place = {text: at for at, text in enumerate(budgets)}
    bottom = np.zeros(len(budgets))
    for one, colour in COLOURS.items():
        height = np.zeros(len(budgets))
        for row in tidy.select(table, quantity="share", rank=one):
            height[place[row["epsilon_printed"]]] = np.nan_to_num(tidy.plotted(row["value"]))
        axes.bar(range(len(budgets)), height, 0.86, bottom=bottom, color=colour, linewidth=0)
        bottom += height
    chance = [row for row in tidy.select(table, quantity="chance", rank="2") if row["value"]]
    if chance:
        x = [place[row["epsilon_printed"]] for row in chance]
        value, low, high = (tidy.numbers(chance, column) for column in ("value", "ci_low", "ci_high"))
        error = np.abs(np.stack([value - low, high - value]))
        look: dict[str, Any] = {"color": "black", "markerfacecolor": "white", "markeredgewidth": 0.7, "elinewidth": 0.7}
        _, _, bars = axes.errorbar(x, value, error, fmt="D", markersize=3, zorder=4, **look)
        for bar in bars:
            bar.set_path_effects([withStroke(linewidth=1.8, foreground="white")])
    counts = axes.twinx()
    new = tidy.select(table, quantity="new")
    (line,) = counts.plot(
        [place[row["epsilon_printed"]] for row in new], tidy.numbers(new, "value"), color="black", linewidth=1.2
    )
    line.set_path_effects([withStroke(linewidth=2.6, foreground="white")])
    counts.set_ylim(bottom=0)
    counts.spines["right"].set_visible(True)
    counts.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    counts.set_ylabel("newly fooled images")
    every = -(-len(budgets) // LABELS)
    axes.set_xticks(range(0, len(budgets), every), budgets[::every])
    axes.set(ylim=(0, 100), xlabel="ε", ylabel="share of them (%)")


def _keys() -> list[Any]:
    """Legend entries: the ranks, chance and the number."""
    marker: dict[str, Any] = {"color": "black", "marker": "D", "markersize": 3, "markerfacecolor": "white"}
    first = {"2": f"taken for the {rank('2')}"}
    return [
        *(Patch(color=colour, label=first.get(one, rank(one, short=True))) for one, colour in COLOURS.items()),
        Line2D([], [], label="2nd by chance, 95 % of draws", linewidth=0.7, **marker),
        Line2D([], [], color="black", linewidth=1.2, label="number of images"),
    ]
