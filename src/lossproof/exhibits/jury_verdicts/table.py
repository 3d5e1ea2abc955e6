"""The table of the jury's verdicts: one line per network, attacks and budgets along the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lossproof.display_names import attack, budget, in_full, name
from lossproof.drawing.cells import NOTHING, Cell, Number, marked_number, parts
from lossproof.drawing.typeset import Line, Section, Table
from lossproof.jury.verdict import MASKING
from lossproof.tidy import Row, number

NOTES = (
    "Accuracy in percent of the same test images; behind the semicolon the gain over the baseline (the cross-entropy "
    "network that it is compared with) in points, paired by image and seed [95 % interval over images and seeds].",
    "Claimed is a gain under the paper protocol whose interval lies above 0. It is real where the strongest attacks "
    "at any budget show one too whose interval lies above 0 over all budgets together, beyond chance in each of at "
    "least three seeds (exact McNemar tests, p corrected for all networks, attacks and budgets together by Benjamini "
    f"and Yekutieli), and none of {', '.join(MASKING)} says that gradients are masked; it vanishes where the strongest "
    "attacks show none at the budgets at which it is claimed. p: the smallest corrected one of a strongest attack. "
    "Flags: indicators of gradient masking that are triggered.",
)


def jury_verdicts_table(tidy: Sequence[Row], title: str) -> Table:
    """A section per data set and architecture; records hold every interval, and why each verdict is given."""
    balls = list(dict.fromkeys((row["attack"], row["epsilon_printed"]) for row in tidy))
    balls = [ball for one in dict.fromkeys(ball[0] for ball in balls) for ball in balls if ball[0] == one]
    sections = []
    for dataset, arch in dict.fromkeys((row["dataset"], row["arch"]) for row in tidy):
        here = [row for row in tidy if (row["dataset"], row["arch"]) == (dataset, arch)]
        lines = []
        for training in dict.fromkeys(row["training"] for row in here):
            found = {(row["attack"], row["epsilon_printed"]): row for row in here if row["training"] == training}
            first = next(iter(found.values()))
            labels = (in_full(training) + (" (control)" if first["control"] else ""), _twin(first))
            cells = (marked_number(first["clean"]), *(_cell(found.get(ball)) for ball in balls), _p(found))
            lines.append(Line(labels, (*cells, first["flags"] or NOTHING, first["verdict"])))
        counts = f"{here[0]['n_images']} images, {here[0]['seeds']} seeds"
        sections.append(Section(f"{name(dataset)} {name(arch)}, {counts}", tuple(lines)))
    columns = (("", "clean"), *((attack(one), budget(epsilon)) for one, epsilon in balls), ("", "p"), ("", "flags"))
    return Table(title, ("training", "twin"), (*columns, ("", "verdict")), tuple(sections), NOTES, list(tidy))


def _twin(row: Row) -> str:
    return in_full(row["twin"]) if row["twin"] else NOTHING


def _cell(row: Row | None) -> Cell:
    """'71.2; +10.3 [4.0, 16.6]': accuracy and what it is above the twin's."""
    if row is None:
        return NOTHING
    accuracy, gain = marked_number(row["accuracy"]), number(row["gain"])
    if gain is None:
        return accuracy
    return (*parts(accuracy), "; ", Number(gain, number(row["gain_low"]), number(row["gain_high"]), "+.1f", minus="−"))


def _p(found: Mapping[tuple[str, str], Row]) -> Cell:
    values = [number(row["p_corrected"]) for row in found.values() if row["track"] == "honest"]
    known = [value for value in values if value is not None]
    return Number(min(known), form=".2g") if known else NOTHING
