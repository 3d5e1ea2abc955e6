"""The table of diagnostics of masked gradients: one line per network, with the flags that it raises."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lossproof.display_names import in_full, name
from lossproof.drawing.cells import NOTHING, marked_number, plain
from lossproof.drawing.typeset import Line, Section, Table
from lossproof.tidy import Row

COLUMNS = (("triggered, indicates", "the network"), ("triggered, indicates", "the attack"), ("", "undecided"))
NOTE = (
    "Signs that a network masks its gradients, and signs that an attack or its protocol fails to optimise, with their "
    "values. Undecided: beyond the threshold, but an exact paired test over the images does not exclude chance. A "
    "dash: none. The records say what each found, and by which source."
)


def diagnostics_table(tidy: Sequence[Row], title: str) -> Table:
    """A section per data set and architecture, a line per network and diagnosed seed."""
    several = len({row["seed"] for row in tidy}) > 1
    sections = []
    for dataset, arch in dict.fromkeys((row["dataset"], row["arch"]) for row in tidy):
        here = [row for row in tidy if (row["dataset"], row["arch"]) == (dataset, arch)]
        lines = []
        for training, seed in dict.fromkeys((row["training"], row["seed"]) for row in here):
            mine = [row for row in here if (row["training"], row["seed"]) == (training, seed)]
            label = in_full(training) + (" (control)" if mine[0]["control"] else "")
            raised = [row for row in mine if row["flag"] == "raised"]
            cells = [_said(row for row in raised if row["of"] == of) for of in ("model", "attack")]
            cells.append(_said(row for row in mine if row["flag"] == "undecided"))
            lines.append(Line((f"{label}, seed {seed}" if several else label,), tuple(cells)))
        sections.append(Section(f"{name(dataset)} {name(arch)}, ε = {here[0]['epsilon_printed']}", tuple(lines)))
    known = dict.fromkeys((row["id"], row["title"]) for row in tidy)
    titles = "; ".join(f"{identity} {what}" for identity, what in known)
    return Table(title, ("training",), COLUMNS, tuple(sections), (NOTE, f"{titles}."), list(tidy))


def _said(rows: Iterable[Row]) -> str:
    """'D1 98.4 percent; D13 35 points', or a dash."""
    found = []
    for row in rows:
        said = plain(marked_number(row["value"], ".3g")) if row["value"] else ""
        found.append(" ".join(filter(None, (row["id"], said, row["unit"]))))
    return "; ".join(found) or NOTHING
