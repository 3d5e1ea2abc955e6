"""The typeset table of an exhibit, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lossproof.claims.match import Row
from lossproof.display_names import as_printed
from lossproof.drawing.typeset import Table
from lossproof.exhibits.accuracy_table.table import accuracy_table
from lossproof.exhibits.diagnostics_map.table import diagnostics_table
from lossproof.exhibits.embedding.table import embedding_table
from lossproof.exhibits.gap_bound.table import gap_bound_table
from lossproof.exhibits.jury_verdicts.table import jury_verdicts_table
from lossproof.exhibits.masking_arguments.table import masking_table
from lossproof.exhibits.mean_gaps.table import mean_gaps_table
from lossproof.exhibits.statement.table import overview_table, statement_table
from lossproof.exhibits.sweep.table import grid_table, level_table
from lossproof.exhibits.wrong_class_ranks.table import wrong_class_table


def exhibit_table(
    paper: str,
    exhibit: str,
    kind: str,
    title: str,
    tidy: Sequence[Row],
    claims: Iterable[Row],
    same_as: Iterable[str] = (),
) -> Table:
    """The table of one exhibit from its tidy rows; ``claims`` are all printed numbers, ``same_as`` its other names."""
    # Trainings of several papers stand together in these.
    if kind == "jury_verdicts":
        return jury_verdicts_table(tidy, title)
    if kind == "diagnostics_map":
        return diagnostics_table(tidy, title)
    tidy = as_printed(tidy)
    if kind == "statement":
        return statement_table(tidy, title)
    if kind == "statement_overview":
        checks = dict.fromkeys(row["statement"] for row in tidy)
        return overview_table({one: [row for row in tidy if row["statement"] == one] for one in checks}, {}, title)
    if kind in ("embedding", "tsne"):
        return embedding_table(tidy, title)
    if kind == "wrong_class_ranks":
        return wrong_class_table(tidy, title)
    if kind == "masking_arguments":
        return masking_table(tidy, title)
    if kind == "gap_bound":
        return gap_bound_table(tidy, title)
    if kind == "parameter_grid":
        return grid_table(tidy, title)
    if kind == "level_curves":
        return level_table(tidy, title)
    names = {exhibit, *same_as}
    printed = [claim for claim in claims if claim["paper"] == paper and claim["exhibit"] in names]
    if kind == "mean_gaps":
        return mean_gaps_table(tidy, printed, title)
    return accuracy_table(tidy, printed, title)
