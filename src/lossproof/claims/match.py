"""Which row of a tidy accuracy table answers a printed claim.

A claim names a training under an attack by method, epsilon and steps; a tidy row names the attack by
its id in the configuration (``bim``, ``bim_library``, ``pgd_1of255``), so an id answers a method when
it is the method's name, alone or followed by ``_``, and its numbers and what it aims at agree. Only the *as printed*
track answers a claim: the honest track is another question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lossproof.threats.epsilon import UNBOUNDED
from lossproof.tidy import Row, number

# `sp` does not state which images were attacked; only training images fit the printed numbers
# (18 adversarial accuracies lie above the clean test accuracy of the same network).
ATTACKED_SPLIT = {"sp": "train"}
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


def compared_split(claim: Row) -> str:
    """The split on which a claim is compared: see ``ATTACKED_SPLIT`` for attacked images."""
    return CLEAN_SPLIT.get(claim["metric"]) or ATTACKED_SPLIT.get(claim["paper"], "test")


def same_attack(claim: Row, row: Row) -> bool:
    """Whether a row's attack is the claim's, as far as the claim says what it was."""
    method = claim["attack"] or "none"
    if method == "none":
        return row["attack"] in ("", "none")
    # An id is the method's name, perhaps with its steps, and what tells it from others: pgd10_8of255.
    named = re.fullmatch(rf"{re.escape(method)}\d*(_.*)?", row["attack"]) is not None
    steps = row["steps"] or ("1" if method == "fgsm" else "")
    return (
        named
        and row["track"] == "printed"
        and row["norm"] == (claim["norm"] or row["norm"])
        and _same_budget(claim, row)
        and agree(claim["steps"], steps)
        and agree(claim["step_size"], row["step_size"])
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


def _one(rows: list[Row], claim: Row) -> Row | None:
    """The row aggregated over seeds, or the only seed's; None where that leaves a choice.

    A claim does not say how its budget is read, nor all that an attack depends on; of those that agree with it the
    reading and the attack that the exhibit declares first answer it.
    """
    exact = [row for row in rows if row["attack"] == claim["attack"]]
    rows = exact or rows
    # Only a claim without a budget has such rows: they are what it speaks of, the radii beside them are not.
    rows = [row for row in rows if row["epsilon_printed"] == UNBOUNDED] or rows
    aggregated = [row for row in rows if not row["seed"]]
    chosen = aggregated or rows
    chosen = [row for row in chosen if all(row[key] == chosen[0][key] for key in ("attack", "reading"))]
    return chosen[0] if len(chosen) == 1 else None


def find(claim: Row, tidy: Iterable[Row], *, split: str) -> Row | None:
    """The measured row of a claimed accuracy on one split, or None."""
    metric = {"clean_accuracy": "test_accuracy"}.get(claim["metric"], claim["metric"])
    return _one(
        at_lost_level(
            claim,
            [
                row
                for row in tidy
                if row["metric"] == metric
                and not row["rival"]
                and (row["split"] == split or metric in CLEAN_SPLIT)
                and _same_network(claim, row)
                and same_attack(claim, row)
            ],
        ),
        claim,
    )


def at_lost_level(claim: Row, rows: list[Row]) -> list[Row]:
    """Of a claim at the first or second of two levels that the sources lost, the rows at our first or second."""
    which = next((at for at, words in enumerate(("first of two", "second of two")) if words in claim["note"]), None)
    levels = sorted({value for row in rows if (value := number(row["epsilon"])) is not None})
    if number(claim["epsilon"]) is not None or which is None or len(levels) <= which:
        return rows
    return [row for row in rows if number(row["epsilon"]) == levels[which]]


def find_difference(claim: Row, tidy: Iterable[Row], *, split: str, rival: str) -> Row | None:
    """The row with (the claim's training - rival) under the claim's attack, paired over images, or None."""
    return _one(
        at_lost_level(
            claim,
            [
                row
                for row in tidy
                if row["metric"] == "difference"
                and row["rival"] == rival
                and row["split"] == split
                and _same_network(claim, row)
                and same_attack(claim, row)
            ],
        ),
        claim,
    )


def twin(claim: Row, claims: Iterable[Row], rival: str) -> Row | None:
    """The printed cell of the rival beside this one: all else equal."""
    keys = ("paper", "exhibit", "dataset", "arch", "metric", "attack", "norm", "epsilon", "steps", "targeted", "unit")
    for other in claims:
        if other["training"] == rival and all(other[key] == claim[key] for key in keys):
            return other
    return None
