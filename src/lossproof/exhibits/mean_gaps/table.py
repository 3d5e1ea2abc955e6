"""The table of mean probability gaps, printed and measured."""

from __future__ import annotations

from collections.abc import Sequence

from lossproof.display_names import name
from lossproof.drawing.cells import NOTHING, estimated
from lossproof.drawing.typeset import Line, Section, Table
from lossproof.tidy import Row

METRIC = "mean_probability_gap"
NOTE = (
    "Gap: mean over clean test images, wrong ones included, of the true class's probability less the largest of the "
    "others [95 % interval over images and seeds]; its difference from {rival} is paired by image and seed. Accuracy "
    "on the same images in percent. A dash: not reported, or not measured."
)


def mean_gaps_table(tidy: Sequence[Row], claims: Sequence[Row], title: str) -> Table:
    """A section per data set and network with a line per training; ``claims``: the exhibit's printed rows."""
    over = [row for row in tidy if not row["seed"]]
    sections = []
    for dataset, arch in dict.fromkeys((row["dataset"], row["arch"]) for row in over):
        here = [row for row in over if (row["dataset"], row["arch"]) == (dataset, arch)]
        lines = []
        for training in dict.fromkeys(row["training"] for row in here):
            found = {row["metric"]: row for row in here if row["training"] == training}
            printed = [
                claim["value"]
                for claim in claims
                if (claim["dataset"], claim["training"], claim["metric"]) == (dataset, training, METRIC)
                and claim["arch"] in ("", arch)
            ]
            measured = tuple(estimated(found.get(metric), ".3f") for metric in (METRIC, "difference"))
            cells = (printed[0] if printed else NOTHING, *measured, estimated(found.get("test_accuracy")))
            lines.append(Line((name(training),), cells))
        images = "".join(dict.fromkeys(f", {row['n_images']} images" for row in here))
        sections.append(Section(f"{name(dataset)} {name(arch)}{images}", tuple(lines)))
    rival = ", ".join(dict.fromkeys(name(row["rival"]) for row in over if row["rival"]))
    heads = ("gap, reported", "gap", "difference", "accuracy (%)")
    note = NOTE.format(rival=rival or "the baseline")
    return Table(title, ("training",), tuple(("", head) for head in heads), tuple(sections), (note,), list(tidy))
