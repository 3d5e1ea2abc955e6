"""Differences that running text reads off bar charts: no cell is printed, so the measured ones stand for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from statistics import fmean, median

from lossproof.claims.match import same_attack
from lossproof.claims.setting import Finding, Setting, joined, smallest
from lossproof.claims.verdict import Comparison
from lossproof.statistics.intervals import Estimate
from lossproof.tidy import Row, estimate

ALL = ("all competitors", "the others", "other methods")
# Not a method of the paper: its control.
CONTROLS = ("nce",)


def centre(found: Sequence[Estimate], of: Callable[[Sequence[float]], float] = fmean) -> Estimate:
    """The mean, or what ``of`` takes, of values and of bounds; a mean's are never narrower than the true ones."""
    if not all(one.bounded for one in found):
        return Estimate(of([one.value for one in found]))
    return Estimate(*(of([one[part] for one in found]) for part in range(3)))


def _median(found: Sequence[Estimate]) -> Estimate:
    return centre(found, median)


def _least(found: Sequence[Estimate]) -> Estimate:
    return min(found, key=lambda one: one.value)


# 'above' must hold of every method, 'in most cases' of half of them; a level or norm that is not said is averaged over.
WORDINGS: tuple[tuple[str, str, Callable[[Sequence[Estimate]], Estimate]], ...] = (
    ("in most cases", "median", _median),
    ("in many cases", "median", _median),
    ("above", "smallest", _least),
    ("", "mean", centre),
)


def exhibits_of(claim: Row) -> list[str]:
    """The ids of the exhibits that a text claim refers to."""
    found = re.search(r"refers to (\w+)(?: and (\w+))?", claim["note"])
    return [f"{claim['paper']}/{name}" for name in found.groups() if name] if found else []


def bar_difference(claim: Row, setting: Setting, rivals: Sequence[str], wording: str) -> Finding:
    """The claim's training less its rivals over every measured bar that the claim may speak of.

    ``rivals``: trainings, or one of ``ALL`` for every other of the exhibit. An architecture is not asked for: the
    text misnames one. Not run where a rival has no paired difference.
    """
    others, values, rows = set(rivals) - set(ALL), [], []
    printed = float(claim["value"])
    exhibits, datasets = exhibits_of(claim), claim["dataset"].split(";")
    for exhibit in exhibits:
        for row in setting.rows(exhibit):
            value = estimate(row)
            if (
                row["metric"] == "difference"
                and not row["seed"]
                and row["training"] == claim["training"]
                and (row["rival"] in others if others else row["rival"] not in CONTROLS)
                and row["dataset"] in datasets
                and row["split"] == "test"
                and same_attack(claim, row)
                and value is not None
            ):
                values.append(value)
                rows.append(row)
    if not rows:
        missing = setting.not_run(exhibits[0] if exhibits else "", f"{claim['training']} - {', '.join(rivals)}")
        return Finding(Comparison(printed, missing=missing), split="test")
    name, reduce = next((name, reduce) for words, name, reduce in WORDINGS if words in wording)
    value = reduce(values)
    against = sorted({row["rival"] for row in rows})
    levels = sorted({row["epsilon_printed"] for row in rows})
    several = f"The {name} of {len(rows)} differences" if len(rows) > 1 else "One difference"
    failed = (setting.failed(exhibit, *key) for exhibit in exhibits for key in _networks(rows))
    return Finding(
        Comparison(
            printed,
            measured=value,
            printed_difference=printed,
            difference=value,
            rival=", ".join(against),
            same_protocol=all(map(setting.same_protocol, datasets)),
            at_least=wording.startswith("above"),
            failed=next(filter(None, failed), ""),
            subject=f"{several} ({rows[0]['attack']} at eps {', '.join(levels)}), as the text states neither.",
        ),
        split="test",
        n_images=smallest([row["n_images"] for row in rows]),
        seeds=smallest([row["seeds"] for row in rows]),
        record=joined([row["record"] for row in rows]),
        measured_test=value.value,
    )


def _networks(rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    """Data set, architecture and training of everything compared."""
    return sorted({(row["dataset"], row["arch"], row[who]) for row in rows for who in ("training", "rival")})
