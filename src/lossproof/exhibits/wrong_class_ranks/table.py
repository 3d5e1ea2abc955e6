"""The table of where attacks land: shares of the clean prediction's ranks over all budgets, beside chance."""

from __future__ import annotations

from collections.abc import Sequence

from lossproof.display_names import attack, name, rank
from lossproof.drawing.cells import estimated
from lossproof.drawing.typeset import Line, Section, Table
from lossproof.tidy import Row

NOTE = (
    "Of images that a budget newly fools the network with, over all budgets and seeds: percent that are taken for the "
    "class of each rank in the prediction for the clean image [95 % interval over images]. By chance: if every image "
    "drew its wrong class by how often each class is the wrong one here [where 95 % of such draws lie]."
)


def wrong_class_table(tidy: Sequence[Row], title: str) -> Table:
    """A section per panel: ranks along the rows, measured and by chance along the columns."""
    panels = ("dataset", "arch", "training", "attack")
    sections = []
    for panel in dict.fromkeys(tuple(row[key] for key in panels) for row in tidy):
        here = [row for row in tidy if tuple(row[key] for key in panels) == panel and not row["epsilon_printed"]]
        found = {(row["rank"], row["quantity"]): row for row in here}
        lines = tuple(
            Line((rank(one),), tuple(estimated(found.get((one, quantity))) for quantity in ("share", "chance")))
            for one in dict.fromkeys(row["rank"] for row in here if row["rank"])
        )
        dataset, arch, training, key = panel
        said = f"{name(dataset)} {name(arch)}, {name(training)}, {attack(key)}: {here[0]['n_images']} newly fooled"
        sections.append(Section(said, lines))
    columns = (("", "measured (%)"), ("", "by chance (%)"))
    return Table(title, ("taken for the",), columns, tuple(sections), (NOTE,), list(tidy))
