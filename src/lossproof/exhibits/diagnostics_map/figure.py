"""Diagnostics of masked gradients as a heat map: networks by diagnostics, flag and value in each cell."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Patch, Rectangle

from lossproof import tidy
from lossproof.display_names import in_full
from lossproof.drawing import labels, style

GROUP = ("dataset", "arch")
NEEDED = (*GROUP, "training", "control", "id", "of", "title", "value", "unit", "flag")
# Of a flag: the cell's colour, that of its letters, its sign.
FLAGS = {
    "raised": ("#C1440E", "white", "▲"),
    "undecided": ("#FBD9A5", "#333333", "?"),
    "clear": ("#DCEAF5", "#333333", ""),
    "not judged": ("#F4F4F4", "#777777", "·"),
}
ROW, BETWEEN = 0.148, 1.3
"""Inches of a network's row, and rows that a network's title takes."""
RIGHT, FOOT = 0.06, 0.34
"""Inches beside and below the cells."""
TITLE, LINES = 30, 3
"""Letters in a line of a column's head, and its lines."""
LETTER = 0.0078
"""Inches of a letter by points of its size: more than most letters are wide."""


def draw(exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw a row per network, below the title of its data set and architecture, and a column per diagnostic.

    Of several diagnosed seeds a cell shows the one with the gravest flag. Raises ValueError where the table lacks
    something.
    """
    table = tidy.rows(csv_path, NEEDED)
    heads = sorted(tidy.distinct(table, "id", "title", "of"), key=lambda head: int(head[0].removeprefix("D")))
    titles = [textwrap.wrap(title, TITLE, max_lines=LINES, placeholder=" …") for _, title, _ in heads]
    groups = tidy.distinct(table, "dataset", "arch")
    rows = len(tidy.distinct(table, "dataset", "arch", "training"))
    cells = ROW * (rows + BETWEEN * len(groups))
    head = 0.26 + 5.5 * LETTER * max(len(line) for lines in titles for line in lines)
    names = [_label(*pair) for pair in tidy.distinct(table, "training", "control")]
    left = 0.1 + 6.5 * LETTER * max(map(len, names))
    height = head + cells + FOOT
    with style.page(out_stem, style.FULL, height) as figure:
        # Places are known beforehand, and finding them for thousands of letters would take long.
        figure.set_layout_engine("none")
        place = (left / style.FULL, FOOT / height, 1 - (left + RIGHT) / style.FULL, cells / height)
        axes = figure.add_axes(place)
        axes.set(xlim=(-0.5, len(heads) - 0.5), ylim=(rows + BETWEEN * len(groups) - 0.5, -0.5))
        axes.set_axis_off()
        down = 0.0
        for group in groups:
            here = tidy.select(table, **dict(zip(GROUP, group, strict=True)))
            where = ", ".join(map(labels.name, group))
            axes.text(-0.5, down + BETWEEN - 0.9, where, fontsize=7, fontweight="bold", va="center")
            down += BETWEEN
            down = _block(axes, here, {identity: at for at, (identity, _, _) in enumerate(heads)}, down)
        for at, ((identity, _, of), lines) in enumerate(zip(heads, titles, strict=True)):
            look: dict[str, Any] = {"color": "#777777", "style": "italic"} if of == "attack" else {}
            axes.text(at, -0.62, identity, ha="center", fontsize=6.2, fontweight="bold", **look)
            axes.text(at, -1.75, "\n".join(lines), ha="center", rotation=90, fontsize=5.5, linespacing=1.0, **look)
        handles = [Patch(color=colour, label=f"{sign} {flag}".strip()) for flag, (colour, _, sign) in FLAGS.items()]
        handles.append(Patch(facecolor="none", label="gray italics: a sign that an attack failed"))
        figure.legend(handles=handles, loc="lower center", ncols=5, columnspacing=1.2, borderaxespad=0.3)


def _label(training: str, control: str) -> str:
    return in_full(training) + (" (control)" if control else "")


def _block(axes: Axes, table: list[tidy.Row], place: dict[str, int], down: float) -> float:
    """Draw the rows of some networks from ``down`` on; the place below them."""
    boxes: dict[str, list[Rectangle]] = {flag: [] for flag in FLAGS}
    for training, control in tidy.distinct(table, "training", "control"):
        axes.text(-0.58, down, _label(training, control), ha="right", va="center_baseline", fontsize=6.5)
        for identity, cell in _cells(tidy.select(table, training=training)).items():
            flag = cell["flag"] if cell["flag"] in FLAGS else "not judged"
            boxes[flag].append(Rectangle((place[identity] - 0.48, down - 0.46), 0.96, 0.92))
            weight = "bold" if flag == "raised" else "normal"
            look: dict[str, Any] = {
                "ha": "center",
                "va": "center_baseline",
                "color": FLAGS[flag][1],
                "fontweight": weight,
            }
            axes.text(place[identity], down, _said(cell), fontsize=5.4, **look)
        down += 1
    for flag, found in boxes.items():
        axes.add_collection(PatchCollection(found, facecolor=FLAGS[flag][0], linewidth=0, zorder=0))
    return down


def _cells(rows: list[tidy.Row]) -> dict[str, tidy.Row]:
    """The row of the gravest flag by diagnostic."""
    found: dict[str, tidy.Row] = {}
    order = list(FLAGS)
    for row in sorted(rows, key=lambda row: order.index(row["flag"]) if row["flag"] in order else len(order)):
        found.setdefault(row["id"], row)
    return found


def _said(cell: tidy.Row) -> str:
    sign = FLAGS.get(cell["flag"], FLAGS["not judged"])[2]
    value = tidy.plotted(cell["value"])
    return sign + (brief(value) if math.isfinite(value) else "")


def brief(value: float) -> str:
    """A number in few letters: '72', '1.6', '0.05', '2e4'."""
    size = abs(value)
    if value and not 0.005 <= size < 9999.5:
        mantissa, exponent = f"{value:.0e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    else:
        text = f"{value:.{0 if size >= 9.95 else 1 if size >= 0.995 else 2}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")
