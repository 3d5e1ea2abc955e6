"""Differences in running text: a reduction over the measured differences of what the text refers to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, median

from lossproof.claims.match import find_difference, same_attack
from lossproof.claims.setting import Finding, Setting, describe, exhibit_of, joined, narrows, smallest
from lossproof.claims.verdict import Comparison
from lossproof.statistics.intervals import Estimate
from lossproof.tidy import Row, estimate, number

ALL = "all"  # in the column `against`: every other training of the exhibit

Measured = tuple[Estimate, Row]


def centre(found: Sequence[Estimate], of: Callable[[Sequence[float]], float] = fmean) -> Estimate:
    """The mean, or what ``of`` takes, of values and of bounds; a mean's are never narrower than the true ones."""
    if not all(one.bounded for one in found):
        return Estimate(of([one.value for one in found]))
    return Estimate(*(of([one[part] for one in found]) for part in range(3)))


def _smallest(found: Sequence[Measured]) -> Measured:
    return min(found, key=lambda pair: pair[0].value)


def _largest(found: Sequence[Measured]) -> Measured:
    return max(found, key=lambda pair: pair[0].value)


def _mean(found: Sequence[Measured]) -> Measured:
    return centre([one for one, _ in found]), _common([row for _, row in found])


def _median(found: Sequence[Measured]) -> Measured:
    return centre([one for one, _ in found], median), _common([row for _, row in found])


def _common(rows: Sequence[Row]) -> Row:
    """The first row, with the counts and records of all."""
    counts = {key: smallest([row[key] for row in rows]) for key in ("n_images", "seeds")}
    return dict(rows[0]) | counts | {"record": joined([row["record"] for row in rows])}


# How a wording is read: 'at least' and 'above' must hold of every difference, 'in most cases' of half of them, 'nearly'
# and 'up to' speak of the best one; a level or norm that is not stated is averaged over.
READINGS: dict[str, tuple[str, Callable[[Sequence[Measured]], Measured]]] = {
    "": ("mean", _mean),
    "around": ("mean", _mean),
    "close to": ("mean", _mean),
    "nearly": ("largest", _largest),
    "up to": ("largest", _largest),
    "at least": ("smallest", _smallest),
    "above": ("smallest", _smallest),
    "above in most cases": ("median", _median),
    "above in many cases": ("median", _median),
}
LOWER_BOUNDS = ("at least", "above", "above in most cases", "above in many cases")


def difference(claim: Row, setting: Setting) -> Finding:
    """A difference in running text: over the reported cells that it covers, else over the bars of its figures."""
    exhibits = setting.exhibits(claim)
    cells = [cell for cell in setting.claims if exhibit_of(cell) == exhibits[0] and narrows(claim, cell)]
    if cells:
        return _over_cells(claim, setting, exhibits[0], cells)
    return _over_bars(claim, setting, exhibits)


def _over_cells(claim: Row, setting: Setting, exhibit: str, cells: Sequence[Row]) -> Finding:
    """It needs every reported cell that the claim covers: a minimum over some of them would prove nothing."""
    printed, tidy, split = number(claim["value"]), setting.rows(exhibit), setting.split(claim)
    rivals = [claim["against"]]
    if claim["against"] == ALL:
        beside = [cell["training"] for cell in setting.claims if exhibit_of(cell) == exhibit]
        rivals = [training for training in dict.fromkeys(beside) if training != claim["training"]]
    found, missing = _per_cell(claim, cells, rivals, tidy, split)
    if not tidy or not found or missing:
        why = setting.not_run(exhibit, f"{len(missing)} difference(s), first {missing[0]}," if missing else "any cell")
        return Finding(Comparison(printed, missing=why), split=split)
    name, reduce = READINGS[claim["wording"]]
    value, row = reduce(found)
    on_test, test_missing = _per_cell(claim, cells, rivals, tidy, "test")
    failed = (setting.failed(exhibit, cell["dataset"], cell["arch"], claim["training"], *rivals) for cell in cells)
    where = f" (at {row['arch']}, {row['attack']})" if name in ("smallest", "largest") else ""
    subject = f"'{claim['wording'] or 'around'}' is read as the {name} of {len(found)} differences{where}."
    if len(found) == 1:
        subject = f"One difference, at {row['arch']}, {row['attack']}."
    return Finding(
        Comparison(
            printed,
            measured=value,
            printed_difference=printed,
            difference=value,
            rival="best competitor" if claim["against"] == ALL else claim["against"],
            same_protocol=setting.same_protocol(claim["dataset"]),
            at_least=claim["wording"] in LOWER_BOUNDS,
            failed=next(filter(None, failed), ""),
            subject=subject,
        ),
        split=split,
        n_images=row["n_images"],
        seeds=row["seeds"],
        record=row["record"],
        measured_test=reduce(on_test)[0].value if on_test and not test_missing else None,
    )


def _per_cell(
    claim: Row, cells: Sequence[Row], rivals: Sequence[str], tidy: Sequence[Row], split: str
) -> tuple[list[Measured], list[str]]:
    """Per reported cell the smallest difference to any of the rivals, and the trainings that are missing."""
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


def _over_bars(claim: Row, setting: Setting, exhibits: Sequence[str]) -> Finding:
    """The text reads it off bar charts: no cell is reported, so every measured bar that it may speak of counts.

    An architecture is not asked for: the text misnames one. Not run where a rival has no paired difference.
    """
    printed, split, datasets = number(claim["value"]), setting.split(claim), claim["dataset"].split(";")
    everyone = claim["against"] == ALL
    found: list[Measured] = [
        (value, row)
        for exhibit in exhibits
        for row in setting.rows(exhibit)
        if row["metric"] == "difference"
        and not row["seed"]
        and row["training"] == claim["training"]
        and (row["rival"] not in setting.controls if everyone else row["rival"] == claim["against"])
        and row["dataset"] in datasets
        and row["split"] == split
        and same_attack(claim, row)
        and (value := estimate(row)) is not None
    ]
    if not found:
        run = f"{claim['training']} - {'all others' if everyone else claim['against']}"
        return Finding(Comparison(printed, missing=setting.not_run(exhibits[0], run)), split=split)
    rows = [row for _, row in found]
    name, reduce = READINGS[claim["wording"]]
    value, _ = reduce(found)
    levels = sorted({row["epsilon_printed"] for row in rows})
    several = f"The {name} of {len(rows)} differences" if len(rows) > 1 else "One difference"
    networks = sorted({(row["dataset"], row["arch"], row[who]) for row in rows for who in ("training", "rival")})
    failed = (setting.failed(exhibit, *network) for exhibit in exhibits for network in networks)
    basis = _common(rows)
    return Finding(
        Comparison(
            printed,
            measured=value,
            printed_difference=printed,
            difference=value,
            rival=", ".join(sorted({row["rival"] for row in rows})),
            same_protocol=all(map(setting.same_protocol, datasets)),
            at_least=claim["wording"] in LOWER_BOUNDS,
            failed=next(filter(None, failed), ""),
            subject=f"{several} ({rows[0]['attack']} at eps {', '.join(levels)}), as the text states neither.",
        ),
        split=split,
        n_images=basis["n_images"],
        seeds=basis["seeds"],
        record=basis["record"],
        measured_test=value.value if split == "test" else None,
    )
