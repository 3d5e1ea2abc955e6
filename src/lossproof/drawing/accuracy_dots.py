"""Accuracies as dots with intervals: what every layout of an accuracy table shares."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lossproof import tidy
from lossproof.drawing import labels, style

SAID = ("track", "attack", "epsilon_printed", "steps", "targeted", "reading")
"""What tells the panels apart."""
GROUP = ("dataset", "data", "arch")
MEASURED = ("seed", "value", "ci_low", "ci_high")
COLUMNS = (*GROUP, "training", "split", "metric", *SAID, *MEASURED)
SPLITS = ("test", "train")

Panel = tuple[str, ...]


def panels(table: list[tidy.Row]) -> list[Panel]:
    """The values of ``SAID``: no attack first, then as printed, then the honest track; else as in the table."""
    return sorted(tidy.distinct(table, *SAID), key=lambda panel: (panel[1] != "none", panel[0] == "honest"))


def said(panel: Panel) -> dict[str, str]:
    """A panel's values by column."""
    return dict(zip(SAID, panel, strict=True))


def panel_titles(shown: list[Panel]) -> dict[Panel, str]:
    """Per panel attack; budget and length; then target, interpretation of the budget and track, where they differ."""
    aims = len({said(panel)["targeted"] for panel in shown} - {""}) > 1
    tracks = len({said(panel)["track"] for panel in shown} - {""}) > 1
    found = {}
    for panel in shown:
        what = said(panel)
        if what["attack"] == "none":
            found[panel] = labels.attack("none")
            continue
        budget = [labels.budget(what["epsilon_printed"]), labels.steps(what["attack"], what["steps"])]
        more = [labels.targeted(what["targeted"]) if aims else "", labels.reading(what["reading"])]
        more.append(what["track"] if tracks else "")
        name = labels.attack(what["attack"], (what["steps"], what["reading"]))
        found[panel] = "\n".join([name, ", ".join(filter(None, budget)), *filter(None, more)])
    return found


def dot(axes: Axes, table: list[tidy.Row], training: str, split: str, y: float) -> None:
    """Draw the rows of one training and split at a height: its mean, interval and single seeds."""
    if not table:  # an empty line that is not clipped would count as one at the page's corner
        return
    look = style.look(training)
    pooled = tidy.select(table, seed="") or table
    single = tidy.numbers([row for row in table if row["seed"]], "value")
    axes.plot(single, np.full(len(single), y), linestyle="", marker="|", markersize=3, color=look.colour, alpha=0.5)
    for row in pooled:
        low, high = tidy.plotted(row["ci_low"]), tidy.plotted(row["ci_high"])
        axes.plot([low, high], [y, y], color=look.colour, linewidth=0.9)
    face = "white" if split == "train" else look.colour
    axes.plot(
        tidy.numbers(pooled, "value"),
        np.full(len(pooled), y),
        linestyle="",
        marker=look.marker,
        markersize=4,
        color=look.colour,
        markerfacecolor=face,
        markeredgewidth=0.8,
        clip_on=False,
    )


def keys(splits: list[str]) -> list[Line2D]:
    """Legend entries of what is not a training."""
    found = [key(labels.name(split), "#555555", "o", hollow=split == "train") for split in splits]
    found.append(Line2D([], [], color="#555555", linewidth=0.9, label="95 % interval"))
    return [*found, key("single seed", "#555555", "|")]


def key(label: str, colour: str, marker: str, hollow: bool = False) -> Line2D:
    """A legend entry of one kind of dot."""
    face = "white" if hollow else colour
    return Line2D([], [], linestyle="", marker=marker, color=colour, markerfacecolor=face, label=label)
