"""The typeset table of an exhibit, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lossproof.claims.match import Row
from lossproof.tables.accuracy import accuracy_table
from lossproof.tables.embedding import embedding_table
from lossproof.tables.statements import overview_table, statement_table
from lossproof.tables.sweep import grid_table, level_table
from lossproof.tables.typeset import Table


def exhibit_table(paper: str, exhibit: str, kind: str, title: str, tidy: Sequence[Row], claims: Iterable[Row]) -> Table:
    """The table of one exhibit from its tidy rows; ``claims`` are all printed numbers."""
    if kind == "statement":
        return statement_table(tidy, title)
    if kind == "statement_overview":
        names = dict.fromkeys(row["statement"] for row in tidy)
        return overview_table({name: [row for row in tidy if row["statement"] == name] for name in names}, {}, title)
    if kind == "embedding":
        return embedding_table(tidy, title)
    if kind == "parameter_grid":
        return grid_table(tidy, title)
    if kind == "level_curves":
        return level_table(tidy, title)
    printed = [claim for claim in claims if (claim["paper"], claim["exhibit"]) == (paper, exhibit)]
    return accuracy_table(tidy, printed, title)
