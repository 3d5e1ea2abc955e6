"""The table of arguments against masked gradients: one line per network, the tests along the columns."""

from __future__ import annotations

from collections.abc import Sequence

from lossproof.display_names import budget, name, opponents
from lossproof.drawing.cells import NOTHING, Cell, Number, estimated
from lossproof.drawing.typeset import Line, Section, Table
from lossproof.tidy import Row, number

NOTES = (
    "Differences of accuracy in points, at equal ε and paired by image and seed; the arguments say that none is below "
    "0, so a negative one speaks against them. Of several the deciding one stands there, the smallest of those with "
    "the worst outcome [95 % interval], with the attacks and ε. An argument holds where no interval reaches below 0, "
    "and fails where one lies below it, also when widened for the number of comparisons; where all outcomes are equal "
    "nothing was tested.",
    "(1) Iterative attacks are stronger than one step. (2) Black-box attacks are weaker than white-box ones: than the "
    "worst of them per image, and than PGD alone, as the paper compares. (3) A larger ε (the one that is given) never "
    "helps the network, and the strongest white-box attack at the largest leaves at most 5 percent (accuracy in "
    "percent). Clean: accuracy of the same images without attack.",
)


def _said(row: Row | None) -> Cell:
    """'fails: −3.1 [−5.0, −1.2], FGSM − PGD, ε = 0.3', or a dash."""
    if row is None or (value := number(row["value"])) is None:
        return NOTHING
    found = Number(value, number(row["ci_low"]), number(row["ci_high"]), minus="−")
    where = f"{opponents(row['attack'], row['against'])}, {budget(row['epsilon_printed'])}"
    return f"{row['outcome']}: ", found, f", {where}"


def masking_table(tidy: Sequence[Row], title: str) -> Table:
    """A section per data set and architecture; records hold every comparison."""
    summaries = [row for row in tidy if row["role"] == "summary"]
    tests = list(dict.fromkeys(row["test"] for row in summaries if row["test"] != "clean"))
    argument = {row["test"]: row["argument"] for row in summaries}
    sections = []
    for dataset, arch in dict.fromkeys((row["dataset"], row["arch"]) for row in summaries):
        here = [row for row in summaries if (row["dataset"], row["arch"]) == (dataset, arch)]
        found = {(row["training"], row["test"]): row for row in here}
        lines = []
        for training, control in dict.fromkeys((row["training"], row["control"]) for row in here):
            label = name(training) + (" (control)" if control == "yes" else "")
            cells = [_said(found.get((training, test))) for test in tests]
            lines.append(Line((label,), (estimated(found.get((training, "clean"))), *cells)))
        sections.append(Section(f"{name(dataset)} {name(arch)}", tuple(lines)))
    columns = (("", "clean"), *((f"({argument[test]})", name(test)) for test in tests))
    return Table(title, ("training",), columns, tuple(sections), NOTES, list(tidy))
