"""The table of an embedding: how far apart the classes lie, as numbers."""

from __future__ import annotations

from collections.abc import Sequence

from lossproof.claims.match import Row, number
from lossproof.spelling import name
from lossproof.tables.accuracy import NOTHING
from lossproof.tables.typeset import Line, Section, Table

NOTE = (
    "Of clean test images: mean over seeds [95 % t interval over seeds; none for one seed]. Larger is more separated. "
    "Distances are Euclidean, in all dimensions of the features; the measures do not change with their scale. A dash: "
    "the measure does not exist, because features are not finite or every class has shrunk to one point."
)


def _cell(row: Row | None) -> str:
    value = number(row["value"]) if row else None
    if row is None or value is None:
        return NOTHING
    low, high = number(row["ci_low"]), number(row["ci_high"])
    none = low is None or high is None or low == high
    return f"{value:.3g}" + ("" if none else f" [{low:.3g}, {high:.3g}]")


def embedding_table(tidy: Sequence[Row], title: str) -> Table:
    """A section per data set and network: measures along the rows, trainings along the columns."""
    trainings = list(dict.fromkeys(row["training"] for row in tidy))
    sections = []
    for dataset, arch in dict.fromkeys((row["dataset"], row["arch"]) for row in tidy):
        here = [row for row in tidy if (row["dataset"], row["arch"]) == (dataset, arch)]
        over = {(row["quantity"], row["training"]): row for row in here if not row["seed"]}
        lines = tuple(
            Line((name(quantity),), tuple(_cell(over.get((quantity, training))) for training in trainings))
            for quantity in dict.fromkeys(row["quantity"] for row in here)
        )
        images = "".join(dict.fromkeys(f", {row['n_images']} images" for row in here))
        sections.append(Section(f"{name(dataset)} {name(arch)}{images}", lines))
    columns = tuple(("", name(training)) for training in trainings)
    return Table(title, ("measure",), columns, tuple(sections), (NOTE,), list(tidy))
