"""The table of a gradient bound: who survives an attack, and who lies inside the bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lossproof.display_names import name
from lossproof.drawing.cells import Cell, estimated
from lossproof.drawing.quantity import quantity
from lossproof.drawing.typeset import Line, Section, Table
from lossproof.tidy import Row

GROUPS = ("survives", "fooled")
SHOWN = ("inside_bound", "median_gap", "median_gradient")
NOTE = (
    "Of clean test images that the network gets right: those that are still right under the attack, and those that it "
    "fools. Images: mean over seeds. Inside the bound: percent with ε |gradient| < gap. Mean over seeds [95 % t "
    "interval over seeds; for one seed that of its images, and none for medians]. The gradient of the gap is in the "
    "norm dual to the attack's (L1 for L∞). A dash: no images."
)
SAID = ("attack", "epsilon", "epsilon_printed", "steps", "targeted", "reading")


def _cells(found: Mapping[tuple[str, str], Row]) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for group in GROUPS:
        (images,) = {found[group, one]["n_images"] for one in SHOWN if (group, one) in found} or {"0"}
        cells.append(images)
        cells += [estimated(found.get((group, one)), ".1f" if one == "inside_bound" else ".3g") for one in SHOWN]
    return tuple(cells)


def gap_bound_table(tidy: Sequence[Row], title: str) -> Table:
    """A section per network and attack: trainings along the rows, both groups of images along the columns."""
    over = [row for row in tidy if not row["seed"]]
    sections = []
    for place in dict.fromkeys((row["dataset"], row["arch"], *(row[key] for key in SAID)) for row in over):
        here = [row for row in over if (row["dataset"], row["arch"], *(row[key] for key in SAID)) == place]
        lines = tuple(
            Line((name(training),), _cells({(row["group"], row["quantity"]): row for row in rows}))
            for training in dict.fromkeys(row["training"] for row in here)
            if (rows := [row for row in here if row["training"] == training])
        )
        sections.append(Section(f"{name(place[0])} {name(place[1])}: {quantity(here[0])}", lines))
    columns = tuple((name(group), head) for group in GROUPS for head in ("images", *map(name, SHOWN)))
    return Table(title, ("training",), columns, tuple(sections), (NOTE,), list(tidy))
