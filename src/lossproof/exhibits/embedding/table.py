"""The table of an embedding: how far apart the classes lie, and where an attack moves images, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lossproof.display_names import attack, name
from lossproof.drawing.cells import NOTHING, Cell, Number, estimated
from lossproof.drawing.typeset import Line, Section, Table
from lossproof.tidy import Row

NOTE = (
    "Of clean test images: mean over seeds [95 % t interval over seeds; none for one seed]. Larger is more separated. "
    "Distances are Euclidean, in all dimensions of the features; the measures do not change with their scale. A dash: "
    "the measure does not exist, because features are not finite or every class has shrunk to one point."
)
ATTACKED = (
    "Of images that the network gets right and takes for another class once attacked. Their distance is from the mean "
    "of all clean images' features, 1 being the clean images' mean distance; before the attack it is that of the same "
    "images, clean. The nearest class is the one whose mean lies nearest to the mean of the image's own class; "
    "guessing among K classes would hit it in 100 / (K - 1) percent."
)


def _cell(row: Row | None) -> Cell:
    """A measure over the seeds; of one seed it has no interval."""
    cell = estimated(row, ".3g")
    return replace(cell, low=None, high=None) if isinstance(cell, Number) and cell.low == cell.high else cell


def embedding_table(tidy: Sequence[Row], title: str) -> Table:
    """A section per data set, network and attack: measures along the rows, trainings along the columns."""
    trainings = list(dict.fromkeys(row["training"] for row in tidy))
    sections, notes = [], [NOTE]
    for dataset, arch, epsilon, key in dict.fromkeys(map(_place, tidy)):
        here = [row for row in tidy if _place(row) == (dataset, arch, epsilon, key)]
        over = {(row["quantity"], row["training"]): row for row in here if not row["seed"]}
        lines = [
            Line((name(quantity),), tuple(_cell(over.get((quantity, training))) for training in trainings))
            for quantity in dict.fromkeys(row["quantity"] for row in here)
        ]
        heading = f"{name(dataset)} {name(arch)}"
        if not key:
            images = "".join(dict.fromkeys(f", {row['n_images']} images" for row in here))
            sections.append(Section(heading + images, tuple(lines)))
            continue
        counts = {row["training"]: row["n_images"] for row in over.values()}
        lines.append(Line(("images, all seeds",), tuple(counts.get(training, NOTHING) for training in trainings)))
        fooled = f"{heading}, images with which {attack(key)}, ε = {epsilon}, fools the network"
        sections.append(Section(fooled, tuple(lines)))
        notes = [NOTE, ATTACKED]
    columns = tuple(("", name(training)) for training in trainings)
    return Table(title, ("measure",), columns, tuple(sections), tuple(notes), list(tidy))


def _place(row: Row) -> tuple[str, str, str, str]:
    """Data set, network, and budget and attack where there is one."""
    key = row.get("attack", "")
    return row["dataset"], row["arch"], row.get("epsilon_printed", ""), "" if key == "none" else key
