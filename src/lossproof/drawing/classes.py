"""Classes of images in a scatter: their colours, their digits, their legend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from lossproof.drawing import style


def colour(label: int) -> str:
    """The colour of a class."""
    return style.TEN_CLASSES[label % len(style.TEN_CLASSES)]


def dot_size(count: int) -> float:
    """The area of a dot among so many: a few must be seen, and many not hide each other."""
    return min(max(2000 / count, 1.6), 8)


def outlined(text: Text) -> None:
    """A class's digit so that it is read on dots of its colour."""
    text.set(fontsize=6.5, fontweight="bold", ha="center", va="center", zorder=5)
    text.set_path_effects([withStroke(linewidth=1.6, foreground="white")])


def keys(classes: Iterable[int]) -> list[Any]:
    """Legend entries of some classes."""
    return [
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            markersize=3.5,
            color=colour(label),
            label=str(label) if at else f"class {label}",
        )
        for at, label in enumerate(classes)
    ]
