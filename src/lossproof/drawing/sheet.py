"""Panels drawn by hand on one sheet measured in inches, for pictures that must be made by the hundred.

matplotlib's axes, ticks and legends cost many times what the letters and lines themselves do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lossproof.drawing import style
from lossproof.records import whole

Ends = tuple[float, float]


@cache
def _figure(width: float, height: float) -> Figure:
    """One figure for all sheets of a size: its canvas remembers how wide words are."""
    figure = Figure(figsize=(width, height), dpi=style.RC["savefig.dpi"])
    FigureCanvasAgg(figure)
    return figure


class Sheet:
    """An empty page; places are inches from its left and from its foot. Begins by emptying the last one of its size."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = _figure(width, height)
        self.figure.clear()
        self.axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set(xlim=(0, width), ylim=(0, height), autoscale_on=False)
        self._rules: dict[tuple[str, float], list[Any]] = {}
        self._boxes: list[tuple[np.ndarray, str]] = []

    def write(self, x: float, y: float, text: str, **look: Any) -> None:
        """Letters, by default from their left on, and upright around the middle of their height."""
        if text:
            self.axes.text(x, y, text, **{"fontsize": 6.5, "va": "center_baseline", **look})

    def line(self, x: np.ndarray, y: np.ndarray, **look: Any) -> None:
        """A curve, or markers."""
        self.axes.add_artist(Line2D(x, y, **{"linewidth": 1.2, "markersize": 3, **look}))

    def rule(self, start: Ends, end: Ends, colour: str = "black", width: float = 0.6) -> None:
        """A straight line under all else."""
        self._rules.setdefault((colour, width), []).append((start, end))

    def box(self, left: float, foot: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle under all else."""
        corners = [(left, foot), (left + width, foot), (left + width, foot + height), (left, foot + height)]
        self._boxes.append((np.array(corners), colour))

    def done(self) -> Figure:
        """The figure, with everything on it."""
        corners, colours = [box for box, _ in self._boxes], [colour for _, colour in self._boxes]
        self.axes.add_artist(PolyCollection(corners, facecolors=colours, linewidths=0, zorder=0.1))
        for (colour, width), lines in self._rules.items():
            self.axes.add_artist(LineCollection(lines, colors=colour, linewidths=width, zorder=0.2))
        return self.figure


def write_png(figure: Figure, path: Path) -> None:
    """Write a sheet with 256 colours of its own, a third of the bytes of all colours; equal for equal sheets."""
    from PIL import Image

    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    pixels = np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
    picture = Image.fromarray(pixels).quantize(256, method=Image.Quantize.MAXCOVERAGE)
    with whole(path) as temporary:
        picture.save(temporary, format="png", dpi=(figure.dpi, figure.dpi))


@dataclass
class Panel:
    """A rectangle of a sheet with two scales, ``x`` and ``y`` its ends; ``log``: of x."""

    sheet: Sheet
    left: float
    foot: float
    width: float
    height: float
    x: Ends = (0.0, 1.0)
    y: Ends = (0.0, 1.0)
    log: bool = field(default=False)

    def title(self, text: str) -> None:
        """Words above it."""
        self.sheet.write(self.left, self.foot + self.height + 0.1, text, fontsize=6.8, fontweight="bold")

    def across(self, x: Any) -> Any:
        """Inches of values on the x axis."""
        low, high, at = (np.log10(value) if self.log else np.asarray(value, float) for value in (*self.x, x))
        return self.left + self.width * (at - low) / (high - low)

    def up(self, y: Any) -> Any:
        """Inches of values on the y axis."""
        return self.foot + self.height * (np.asarray(y, float) - self.y[0]) / (self.y[1] - self.y[0])

    def frame(
        self,
        x: Mapping[float, str],
        y: Mapping[float, str],
        xlabel: str = "",
        ylabel: str = "",
        grid: str = "xy",
    ) -> None:
        """Axes at the left and at the foot with their labels by value, and lines through them."""
        sheet, right, top = self.sheet, self.left + self.width, self.foot + self.height
        for value, label in x.items():
            at = float(self.across(value))
            if "x" in grid:
                sheet.rule((at, self.foot), (at, top), "#DDDDDD", 0.4)
            sheet.rule((at, self.foot), (at, self.foot - 0.03))
            sheet.write(at, self.foot - 0.1, label, ha="center", fontsize=5.8)
        for value, label in y.items():
            at = float(self.up(value))
            if "y" in grid:
                sheet.rule((self.left, at), (right, at), "#DDDDDD", 0.4)
            sheet.write(self.left - 0.05, at, label, ha="right", fontsize=5.8)
        sheet.rule((self.left, self.foot), (right, self.foot))
        sheet.rule((self.left, self.foot), (self.left, top))
        sheet.write(self.left + self.width / 2, self.foot - 0.225, xlabel, ha="center", fontsize=6.2)
        look = {"rotation": 90, "ha": "center", "va": "center", "fontsize": 6.2}
        sheet.write(self.left - 0.29, self.foot + self.height / 2, ylabel, **look)

    def plot(self, x: Any, y: Any, **look: Any) -> None:
        """A curve or markers at values of the two scales; NaN is left out."""
        self.sheet.line(self.across(x), self.up(y), **look)

    def key(self, entries: Sequence[tuple[str, Mapping[str, Any]]], x: float, y: float) -> None:
        """What curves mean: samples below each other from a place on, in inches from the panel's left foot."""
        for at, (label, look) in enumerate(entries):
            left, middle = self.left + x, self.foot + y - 0.115 * at
            self.sheet.line(
                np.array([left, left + 0.11, left + 0.22]), np.repeat(middle, 3), **{**look, "markevery": [1]}
            )
            self.sheet.write(left + 0.28, middle, label, fontsize=5.8)
