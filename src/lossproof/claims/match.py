"""Which row of a tidy accuracy table answers a reported number.

A claim names a network and an attack: method, norm, epsilon, steps, step size, momentum, aim. A tidy row holds the same
columns, from the attack's record. Only the *as printed* track answers a claim: the honest track is another question.
"""

from __future__ import annotations

from collections.abc import Iterable

from lossproof.threats.epsilon import UNBOUNDED
from lossproof.tidy import Row, number

CLEAN_SPLIT = {
    "train_accuracy": "train",
    "test_accuracy": "test",
    "clean_accuracy": "test",
    "mean_probability_gap": "test",
}


def agree(one: object, other: object, tolerance: float = 2e-6) -> bool:
    """Equal numbers up to the rounding of printed decimals; equal when either is not given."""
    left, right = number(one), number(other)
    return left is None or right is None or abs(left - right) <= tolerance


def same_attack(claim: Row, row: Row) -> bool:
    """Whether a row's attack is the claim's, as far as the claim says what it was."""
    if not claim["method"]:
        return row["attack"] in ("", "none")
    return (
        row["method"] in claim["method"].split(";")
        and row["track"] == "printed"
        and row["norm"] == (claim["norm"] or row["norm"])
        and _same_budget(claim, row)
        and all(agree(claim[key], row[key]) for key in ("steps", "step_size", "momentum"))
        and row["targeted"] == (claim["targeted"] or row["targeted"])
    )


def _same_budget(claim: Row, row: Row) -> bool:
    """Equal epsilons; any answers a claim that has none, but only such a claim is answered by an unbounded one."""
    if row["epsilon_printed"] == UNBOUNDED:
        return number(claim["epsilon"]) is None
    return number(row["epsilon"]) is not None and agree(claim["epsilon"], row["epsilon"])


def _same_network(claim: Row, row: Row) -> bool:
    # An architecture that the paper does not state is whichever the exhibit ran.
    return (
        row["dataset"] == claim["dataset"]
        and row["arch"] == (claim["arch"] or row["arch"])
        and row["training"] == claim["training"]
    )


def _one(rows: list[Row]) -> Row | None:
    """The row aggregated over seeds, or the only seed's; None where that leaves a choice.

    A claim does not say how its budget is read, nor all that an attack depends on; of those that agree with it the
    reading and the attack that the exhibit declares first answer it.
    """
    # Only a claim without a budget has such rows: they are what it speaks of, the radii beside them are not.
    rows = [row for row in rows if row["epsilon_printed"] == UNBOUNDED] or rows
    chosen = [row for row in rows if not row["seed"]] or rows
    chosen = [row for row in chosen if all(row[key] == chosen[0][key] for key in ("attack", "reading"))]
    return chosen[0] if len(chosen) == 1 else None


def find(claim: Row, tidy: Iterable[Row], *, split: str) -> Row | None:
    """The measured row of a claimed accuracy on one split, or None."""
    metric = {"clean_accuracy": "test_accuracy"}.get(claim["metric"], claim["metric"])
    rows = [
        row
        for row in tidy
        if row["metric"] == metric
        and not row["rival"]
        and (row["split"] == split or metric in CLEAN_SPLIT)
        and _same_network(claim, row)
        and same_attack(claim, row)
    ]
    return _one(_at_level(claim, rows))


def find_difference(claim: Row, tidy: Iterable[Row], *, split: str, rival: str) -> Row | None:
    """The row with (the claim's training - rival) under the claim's attack, paired over images, or None."""
    rows = [
        row
        for row in tidy
        if row["metric"] == "difference"
        and row["rival"] == rival
        and row["split"] == split
        and _same_network(claim, row)
        and same_attack(claim, row)
    ]
    return _one(_at_level(claim, rows))


def _at_level(claim: Row, rows: list[Row]) -> list[Row]:
    """Of a claim whose ε is lost (``level`` 1: the smaller, 2: the next), the rows at our level of that place."""
    levels = sorted({value for row in rows if (value := number(row["epsilon"])) is not None})
    place = int(claim["level"] or 0)
    if not 0 < place <= len(levels):
        return rows
    return [row for row in rows if number(row["epsilon"]) == levels[place - 1]]


def baseline_cell(claim: Row, claims: Iterable[Row]) -> Row | None:
    """The reported number of the training that a claim is compared with: all else equal."""
    keys = ("paper", "exhibit", "dataset", "arch", "metric", "attack", "norm", "epsilon", "steps", "targeted", "unit")
    for other in claims:
        if other["training"] == claim["against"] and all(other[key] == claim[key] for key in keys):
            return other
    return None
