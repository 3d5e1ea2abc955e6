"""One look for every figure: sizes for a two-column page, and colour, line and marker per training.

Colours are Okabe and Ito's, extended by Tol's muted set; every training also has a line style and
a marker of its own among those that a paper compares, so that nothing hangs on colour alone.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from lossproof.display_names import NAMES, recipe
from lossproof.records import whole
from lossproof.verdict_word import Meaning

COLUMN, FULL = 3.3, 6.9
"""Widths in inches of one column and of the whole page."""

RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine draws the same letters
    "font.size": 7.5,
    "mathtext.fontset": "dejavusans",
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlepad": 4.0,
    "axes.grid": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.8,
    "figure.dpi": 200,
    "savefig.dpi": 200,
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,
    "svg.hashsalt": "lossproof",
}

BLUE, ORANGE = "#0072B2", "#E69F00"
CLASS_COLOURS = (BLUE, ORANGE)
"""Points of class 0 and class 1."""

VERDICTS: dict[Meaning, str] = {
    "good": BLUE,
    "bad": "#D55E00",
    "open": "#777777",
    "plain": "#000000",
    "grey": "#777777",
}
"""Colours of verdicts by what they mean; beside each stands its sign."""

TEN_CLASSES = (
    BLUE, ORANGE, "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#DDCC77", "#000000", "#882255", "#888888",
)  # fmt: skip
"""Classes 0 to 9 of images; their digits must stand beside, as ten colours are more than some readers tell apart."""

Line = str | tuple[int, tuple[float, ...]]


@dataclass(frozen=True)
class Look:
    """How a training is drawn: a hollow marker says that it is a variant of the named one."""

    label: str
    colour: str
    line: Line
    marker: str
    hollow: bool = False

    def plot(self) -> dict[str, Any]:
        """Keywords of ``Axes.plot`` for this training."""
        face = "white" if self.hollow else self.colour
        return {
            "color": self.colour,
            "linestyle": self.line,
            "marker": self.marker,
            "markerfacecolor": face,
            "markeredgecolor": self.colour,
            "markeredgewidth": 0.8,
        }

    def curve(self) -> dict[str, Any]:
        """Keywords of ``Axes.plot`` for a dense curve, without markers."""
        return {"color": self.colour, "linestyle": self.line}


LOOKS = {
    "ce": Look("CE", BLUE, "--", "o"),
    "focal": Look("focal", "#009E73", (0, (1, 1)), "s"),
    "spfocal": Look("SP focal", "#D55E00", "-", "^"),
    "ce+l2": Look("CE + L2", "#CC79A7", "-.", "v"),
    "spce": Look("SP-CE", "#882255", (0, (6, 1.5)), "<"),
    "gradientstarvation": Look("gradient starvation", "#999933", (0, (4, 1, 1, 1, 1, 1)), ">"),
    "mmc": Look("MMC", "#56B4E9", (0, (3, 1, 1, 1)), "D"),
    "center": Look("center loss", "#000000", (0, (2, 1.5)), "P"),
    "lgm": Look("L-GM", ORANGE, (0, (5, 2)), "X"),
    "isce": Look("I-SCE", "#44AA99", (0, (8, 1, 2, 1)), "p"),
    # Ten trainings of one paper: told apart among themselves, also by who sees no red or no green.
    "arcface": Look("ArcFace", "#490092", (0, (4, 1, 1, 1)), "^"),
    "random": Look("random resize", "#DDCC77", (0, (1, 1.5)), "s"),
    "labelsmoothing": Look("label smoothing", "#661100", (0, (6, 1, 1, 1, 1, 1)), "v"),
    "at": Look("adversarial training", "#CC3311", "-.", "*"),
    "atsteps": Look("adversarial training, steps", "#CC3311", (0, (3, 1, 1, 1, 1, 1)), "H"),
    "nce": Look("CE, normalised logits", "#882255", (0, (3, 2)), "<"),
    "pc": Look("PC", "#332288", (0, (8, 2)), "h"),
    "pc+at": Look("PC + AT", "#332288", (0, (1, 1.5)), "P", hollow=True),
    "gce": Look("GCE", "#999933", (0, (4, 1, 1, 1, 1, 1)), ">"),
    "pcsumhard": Look("PC, reported form", "#CC6677", (0, (6, 2)), "D"),
    "pcsum": Look("PC, sum", "#AA4499", (0, (4, 3)), "s"),
    "pchard": Look("PC, hard", "#DDAA33", (0, (1, 2)), "v"),
    "pconly": Look("PC without LC", "#117733", (0, (6, 1, 1, 1)), "^"),
    "lconly": Look("CE + LC", "#56B4E9", (0, (2, 1, 2, 3)), "X"),
}
# Curves of one training, one per attack: without attack first.
SERIES = (
    Look("", "#000000", "-", "o"),
    Look("", BLUE, "-", "s"),
    Look("", "#D55E00", "-", "^"),
    Look("", "#009E73", "-", "v"),
    Look("", "#CC79A7", "-", "D"),
    Look("", ORANGE, "-", "P"),
    Look("", "#56B4E9", "-", "X"),
    Look("", "#882255", "-", "<"),
)
SPARE_COLOURS = ("#117733", "#AA4499", "#661100", "#888888")
SPARE_LINES: tuple[Line, ...] = ((0, (1, 2)), (0, (4, 3)), (0, (6, 1, 1, 1)), (0, (2, 1, 2, 3)))
SPARE_MARKERS = ("d", "*", "H", "8")


def look(training: str) -> Look:
    """The look of a training, the same in every figure and process.

    Case, dashes and underscores do not matter, nor does at which paper's settings it is (``ce_isce``). A variant of a
    known training (``ce@last``, ``pc+at``) keeps its colour and gets a hollow marker and another line; an unknown
    training gets a look that only depends on its name.
    """
    training = recipe(training)
    key = training.lower().replace("_", "").replace("-", "")
    if key in LOOKS:
        return LOOKS[key]
    pick = zlib.crc32(training.encode())
    line, marker = SPARE_LINES[pick % 4], SPARE_MARKERS[pick // 4 % 4]
    cut = min((at for at in (key.find("+"), key.find("@")) if at > 0), default=0)
    base = LOOKS.get(key[:cut])
    if base is None:
        return Look(training.replace("_", " "), SPARE_COLOURS[pick // 16 % 4], line, marker)
    suffix = training[min(at for at in (training.find("+"), training.find("@")) if at > 0) :]
    label = NAMES.get(training) or f"{base.label} {suffix[0]} {suffix[1:].replace('_', ' ')}".replace("@ ", "@")
    return Look(label, base.colour, line, marker, hollow=True)


@contextmanager
def house() -> Iterator[None]:
    """The house style for what is drawn inside, whatever a user's own settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(cast(Any, RC))
        yield


@contextmanager
def page(out_stem: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure (inches) in the house style; written as PNG and PDF when the block succeeds."""
    out_stem = Path(out_stem)
    with house():
        figure = Figure(figsize=(width, height), layout="constrained")  # not pyplot: no window, no global state
        yield figure
        # Each of the two files would place all panels anew, and draw the page once for that alone.
        if engine := figure.get_layout_engine():
            engine.execute(figure)
        figure.set_layout_engine(None)
        for kind, metadata in (("png", {"Software": None}), ("pdf", {"CreationDate": None, "Producer": None})):
            with whole(out_stem.with_name(f"{out_stem.name}.{kind}")) as path:
                figure.savefig(path, format=kind, metadata=metadata)


def tiles(count: int, across: int) -> tuple[int, int]:
    """Rows and columns of panels, at most ``across`` columns: few rows, and then few empty places."""
    rows, _, columns = min((math.ceil(count / n), -count % n, n) for n in range(1, across + 1))
    return rows, columns


def letter(axes: Axes, text: str, title: str = "") -> None:
    """A panel's bold letter and its title, left above it."""
    axes.set_title(rf"$\bf{{{text}}}$  {title}", loc="left")


def legend_below(figure: FigureBase, handles: list[Any], columns: int) -> None:
    """One legend for all panels, under them, where it covers no data."""
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, columnspacing=1.6)


def keys(trainings: list[str], markers: bool = True) -> list[Line2D]:
    """Legend entries of some trainings."""
    looks = [look(training) for training in trainings]
    return [Line2D([], [], label=one.label, **(one.plot() if markers else one.curve())) for one in looks]
