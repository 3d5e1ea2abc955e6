"""Claims of running text: differences over many cells, a radius on a curve, facts about data sets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lossproof.claims.bars import bar_difference, centre, exhibits_of
from lossproof.claims.match import compared_split, find_difference
from lossproof.claims.setting import Finding, Setting, describe, joined, narrows, rival_of, smallest
from lossproof.claims.success_rates import success_rate
from lossproof.claims.verdict import Comparison
from lossproof.statistics.intervals import Estimate
from lossproof.tidy import Row, estimate, number

# Percent accuracy at which a curve still counts as good; the papers give no number.
GOOD_ACCURACY = 80.0
BEST_COMPETITOR = "best competitor"

Measured = tuple[Estimate, Row]


def noted(claim: Row, pattern: str) -> str:
    """The first group of a pattern in the claim's note, or ''."""
    match = re.search(pattern, claim["note"])
    return match.group(1) if match else ""


def referred(claim: Row) -> str:
    """The exhibit id that a text claim refers to first, or ''."""
    return next(iter(exhibits_of(claim)), "")


def _smallest(found: Sequence[Measured]) -> Measured:
    return min(found, key=lambda pair: pair[0].value)


def _largest(found: Sequence[Measured]) -> Measured:
    return max(found, key=lambda pair: pair[0].value)


def _mean(found: Sequence[Measured]) -> Measured:
    """The mean (``centre``), with what all rows have in common."""
    estimates, rows = zip(*found, strict=True)
    row = dict(rows[0]) | {
        "n_images": smallest([row["n_images"] for row in rows]),
        "seeds": smallest([row["seeds"] for row in rows]),
        "record": joined([row["record"] for row in rows]),
    }
    return centre(estimates), row


# How a wording is read: 'at least' must hold for every cell, 'nearly' and 'up to' speak of the best one.
READINGS: dict[str, tuple[str, Callable[[Sequence[Measured]], Measured]]] = {
    "at least": ("smallest", _smallest),
    "nearly": ("largest", _largest),
    "up to": ("largest", _largest),
    "around": ("mean", _mean),
}


def _differences(
    claim: Row, cells: Sequence[Row], rivals: Sequence[str], tidy: Sequence[Row], split: str
) -> tuple[list[Measured], list[str]]:
    """Per printed cell the smallest difference to any of the rivals, and the trainings that are missing."""
    found, missing = [], []
    for cell in cells:
        pairs = []
        for rival in rivals:
            row = find_difference(cell, tidy, split=split, rival=rival)
            value = estimate(row)
            if row is None or value is None:
                missing.append(f"{claim['training']} - {rival} on {describe(cell)}")
            else:
                pairs.append((value, row))
        if len(pairs) == len(rivals):
            found.append(_smallest(pairs))
    return found, missing


def difference(claim: Row, setting: Setting) -> Finding:
    """A difference in running text, as a reduction over the measured differences of the table it refers to.

    Which reduction follows from the wording (``READINGS``). It needs every printed cell that the claim
    covers: a minimum over some of them would prove nothing.
    """
    printed = number(claim["value"])
    exhibit = referred(claim)
    rival = noted(claim, r"^vs: ([^;]+)") or rival_of(claim["training"])
    tidy = setting.rows(exhibit)
    cells = [
        cell for cell in setting.claims if f"{cell['paper']}/{cell['exhibit']}" == exhibit and narrows(claim, cell)
    ]
    rivals = [rival]
    if rival == BEST_COMPETITOR:
        rivals = list(
            dict.fromkeys(
                cell["training"]
                for cell in setting.claims
                if f"{cell['paper']}/{cell['exhibit']}" == exhibit and cell["training"] != claim["training"]
            )
        )
    if "name is wrong" in claim["note"]:
        lost = "Which competitor this number is about is lost: the paper misnames it."
        return Finding(Comparison(printed, lost=lost))
    if not cells:
        return bar_difference(claim, setting, rivals, noted(claim, r"worded '([^']+)'"))
    split = compared_split(claim)
    found, missing = _differences(claim, cells, rivals, tidy, split)
    if not tidy or not found or missing:
        why = setting.not_run(exhibit, f"{len(missing)} difference(s), first {missing[0]}," if missing else "any cell")
        return Finding(Comparison(printed, missing=why), split=split)
    wording = noted(claim, r"worded '([^']+)'")
    name, reduce = READINGS.get(wording, READINGS["around"])
    value, row = reduce(found)
    on_test, test_missing = _differences(claim, cells, rivals, tidy, "test")
    failed = (setting.failed(exhibit, cell["dataset"], cell["arch"], claim["training"], *rivals) for cell in cells)
    where = "" if name == "mean" else f" (at {row['arch']}, {row['attack']})"
    subject = f"'{wording or 'around'}' is read as the {name} of {len(found)} differences{where}."
    if len(found) == 1:
        subject = f"One difference, at {row['arch']}, {row['attack']}."
    comparison = Comparison(
        printed,
        measured=value,
        printed_difference=printed,
        difference=value,
        rival=rival,
        same_protocol=setting.same_protocol(claim["dataset"]),
        at_least=wording == "at least",
        failed=next(filter(None, failed), ""),
        subject=subject,
    )
    return Finding(
        comparison,
        split=split,
        n_images=row["n_images"],
        seeds=row["seeds"],
        record=row["record"],
        measured_test=reduce(on_test)[0].value if on_test and not test_missing else None,
    )


def _radius(curve: Sequence[Row]) -> tuple[float, float | None]:
    """Largest eps up to which a curve stays good (0 where it never is) and the next eps, None at the end."""
    good = 0.0
    points = sorted((number(row["epsilon"]) or 0.0, number(row["value"]) or 0.0) for row in curve)
    for epsilon, accuracy in points:
        if accuracy < GOOD_ACCURACY:
            return good, epsilon
        good = epsilon
    return good, None


def good_radius(claim: Row, setting: Setting) -> Finding:
    """The radius below which accuracy is good, from the measured curves: the smaller of its networks' radii."""
    printed = number(claim["value"])
    exhibit = referred(claim)
    rows = [
        row
        for row in setting.rows(exhibit)
        if row["metric"] == "adversarial_accuracy"
        and row["dataset"] == claim["dataset"]
        and row["training"] == claim["training"]
        and row["attack"].split("_")[0] == claim["attack"]
        and row["track"] == "printed"
        and not row["seed"]
    ]
    preferred = compared_split(claim)
    splits = {row["split"] for row in rows}
    split = preferred if preferred in splits or not splits else sorted(splits)[0]
    curves = {
        arch: [row for row in rows if row["arch"] == arch and row["split"] == split]
        for arch in claim["arch"].split(";")
    }
    absent = [arch for arch, curve in curves.items() if not curve]
    if absent:
        missing = setting.not_run(exhibit, f"{', '.join(absent)} / {claim['training']} on {claim['dataset']}")
        return Finding(Comparison(printed, missing=missing), split=split)
    radii = {arch: _radius(curve) for arch, curve in curves.items()}
    arch = min(radii, key=lambda name: radii[name][0])
    good, bad = radii[arch]
    curve = curves[arch]
    comparison = Comparison(
        printed,
        measured=Estimate(good),
        baseline=claim["training"] == rival_of(claim["training"]),
        same_protocol=setting.same_protocol(claim["dataset"]),
        at_least=True,
        tolerance=(bad if bad is not None else good) - good,
        unit="of eps",
        failed=setting.failed(exhibit, claim["dataset"], arch, claim["training"]),
        subject=f"'good' is read as at least {GOOD_ACCURACY:g} percent at every smaller eps of the curve ({arch}).",
    )
    return Finding(
        comparison,
        split=split,
        n_images=smallest([row["n_images"] for row in curve]),
        seeds=smallest([row["seeds"] for row in curve]),
        record=joined([row["record"] for row in curve]),
    )


def _images(card: Mapping[str, Any]) -> float | None:
    sizes = card.get("sizes") or {}
    return float(sum(sizes.values())) if sizes else None


def _fact(claim: Row, setting: Setting) -> float | None:
    """The measured fact, or None where no card of a real data set holds it."""
    card, note = setting.card(claim["dataset"]), claim["note"]
    sizes = {**(card.get("sizes") or {}), **(card.get("parts") or {})}
    if claim["unit"] == "classes":
        return float(len(card["classes"])) if card.get("classes") else None
    if claim["unit"] == "ratio":
        other = noted(claim, r"over size of ([\w-]+)").lower().replace("-", "")
        below = _images(setting.card(other)) if setting.real(other) else None
        above = _images(card)
        return above / below if above and below else None
    if "total size" in note:
        return _images(card)
    # Only parts of a data set are prepared, so a size of all its files ('whole dataset') stays open.
    part = "valid" if "validation" in note else "train" if "part that is used" in note else ""
    return float(sizes[part]) if part in sizes else None


def _rounding(claim: Row) -> float:
    """Half a unit of the last digit that the paper printed: '14k' -> 500, '4.5' -> 0.05."""
    short = noted(claim, r"printed '(\d+[kM])'")
    if short:
        return {"k": 500.0, "M": 500_000.0}[short[-1]]
    return 0.5 * 10.0 ** -len(claim["value"].partition(".")[2])


def dataset_fact(claim: Row, setting: Setting) -> Finding:
    """A printed fact about a data set, beside the card of the real one."""
    printed, dataset = number(claim["value"]), claim["dataset"]
    if not setting.real(dataset):
        stand_in = setting.data_for.get(dataset)
        has = f"{stand_in} stands in for it" if stand_in else "nothing stands in for it"
        missing = f"Needs the real {dataset}; {has} in the {setting.edition} edition."
        return Finding(Comparison(printed, missing=missing))
    value = _fact(claim, setting)
    if value is None and not setting.card(dataset):
        return Finding(Comparison(printed, missing=f"{dataset} was not prepared in the {setting.edition} edition."))
    if value is None:
        return Finding(Comparison(printed, missing=f"The prepared {dataset} does not hold this fact."))
    return Finding(
        Comparison(
            printed,
            measured=Estimate(value),
            same_protocol=True,
            tolerance=_rounding(claim),
            unit=claim["unit"],
            subject="Read from the card of the prepared data set.",
        )
    )


# What the ledger asks by metric; every other metric is a cell of a table.
BY_METRIC: dict[str, Callable[[Row, Setting], Finding]] = {
    "difference": difference,
    "epsilon_below_which_accuracy_is_good": good_radius,
    "dataset_fact": dataset_fact,
    "attack_success_rate": success_rate,
}
