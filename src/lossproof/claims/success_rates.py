"""A success rate in running text that speaks of many cells of a table."""

from __future__ import annotations

from lossproof.claims.match import find
from lossproof.claims.setting import Finding, Setting, describe, exhibit_of, joined, smallest
from lossproof.claims.verdict import Comparison
from lossproof.statistics.intervals import Estimate
from lossproof.tidy import Row, estimate, number

# Points from the printed rate that still are "close to" it; the paper gives no number.
CLOSE = 5.0


def success_rate(claim: Row, setting: Setting) -> Finding:
    """The smallest success rate over the cells of a table that the claim speaks of: those of its norm and epsilon.

    "Close to" must hold for every attack and data set, so every cell is needed; a cell that is far off says enough.
    """
    printed = number(claim["value"])
    exhibit, split = setting.exhibits(claim)[0], setting.split(claim)
    cells = [cell for cell in setting.claims if _covers(claim, cell, exhibit)]
    found = [(cell, row) for cell in cells if (row := find(cell, setting.rows(exhibit), split=split))]
    rates = [(_success(value), cell, row) for cell, row in found if (value := estimate(row))]
    lowest = min(rates, key=lambda one: one[0].value, default=None)
    absent = [cell for cell in cells if cell not in [known for _, known, _ in rates]]
    if lowest is None or (absent and not _far_below(lowest[0], printed)):
        run = f"{len(absent)} cell(s), first {describe(absent[0])}," if absent else "any cell"
        return Finding(Comparison(printed, missing=setting.not_run(exhibit, run)), split=split)
    value, cell, row = lowest
    missing = f" {len(absent)} more did not run." if absent else ""
    datasets = {known["dataset"] for _, known, _ in rates}
    failed = (setting.failed(exhibit, one["dataset"], one["arch"], claim["training"]) for _, one, _ in rates)
    return Finding(
        Comparison(
            printed,
            measured=value,
            same_protocol=all(map(setting.same_protocol, datasets)),
            tolerance=CLOSE,
            failed=next(filter(None, failed), ""),
            subject=(
                f"'Close to' is read as within {CLOSE:g} points in every cell; the smallest success rate of "
                f"{len(rates)} cells is that of {describe(cell)}.{missing}"
            ),
        ),
        split=split,
        n_images=smallest([one["n_images"] for _, _, one in rates]),
        seeds=smallest([one["seeds"] for _, _, one in rates]),
        record=joined([row["record"]]),
        measured_test=value.value if split == "test" else None,
    )


def _covers(claim: Row, cell: Row, exhibit: str) -> bool:
    """Whether a printed cell is of the claim's training, norm and epsilon; an empty data set or attack is any."""
    return (
        exhibit_of(cell) == exhibit
        and cell["metric"] == "adversarial_accuracy"
        and all(cell[key] == claim[key] for key in ("training", "norm"))
        and all(cell[key] == (claim[key] or cell[key]) for key in ("dataset", "arch", "attack"))
        and number(cell["epsilon"]) is not None
        and number(cell["epsilon"]) == number(claim["epsilon"])
    )


def _far_below(rate: Estimate, printed: float | None) -> bool:
    """Whether a rate is too low to be close to the printed one, by its interval."""
    return printed is not None and rate.high < printed - CLOSE


def _success(accuracy: Estimate) -> Estimate:
    return Estimate(100 - accuracy.value, 100 - accuracy.high, 100 - accuracy.low)
