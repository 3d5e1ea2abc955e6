"""The typeset table of an exhibit, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lossproof.catalogue import catalogue
from lossproof.display_names import as_printed
from lossproof.drawing.typeset import Table
from lossproof.tidy import Row


def exhibit_table(
    paper: str,
    exhibit: str,
    kind: str,
    title: str,
    tidy: Sequence[Row],
    claims: Iterable[Row],
    same_as: Iterable[str] = (),
    reported_as: Mapping[str, str] | None = None,
) -> Table:
    """The table of one exhibit from its tidy rows; ``claims`` are all printed numbers, ``same_as`` its other names.

    ``reported_as``: the paper's name of a training, by ours where the two differ.
    """
    entry = catalogue("exhibits")[kind]
    typeset = entry.load_part("table")
    # Trainings of several papers stand together in what judges them: there each keeps its own name.
    rows = tidy if entry.about.get("judges") else as_printed(tidy, reported_as or {})
    if not entry.about.get("answers"):
        return typeset(rows, title)
    names = {exhibit, *same_as}
    printed = [claim for claim in claims if claim["paper"] == paper and claim["exhibit"] in names]
    return typeset(rows, printed, title)
