"""What the jury found of each network, one entry per network from its rows per attack and radius."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from lossproof.jury.verdict import Verdict
from lossproof.tidy import number

NUMBERS = ("accuracy", "low", "high", "twin_accuracy", "gain", "gain_low", "gain_high")

Row = Mapping[str, Any]


def run_of(row: Row) -> str:
    """A network of some table of the jury: 'digits_gray/lenet5/isce'."""
    return f"{row['dataset']}/{row['arch']}/{row['training']}"


def once(tables: Iterable[Iterable[Row]]) -> list[Row]:
    """The rows of several tables of networks; of a network that several hold, those of the first table."""
    owner: dict[str, int] = {}
    return [row for at, rows in enumerate(tables) for row in rows if owner.setdefault(run_of(row), at) == at]


def judged(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """One entry per network of a ``jury_verdicts`` table, in its order.

    ``printed`` and ``strongest`` hold the numbers (accuracy in percent, gain over the twin in points, 95 % intervals;
    None where not recorded) under the attack that a paper would have reported (track printed) and under the strongest
    one (track honest), in the L-infinity norm where the table has it, at one radius: where the claimed gain is surest;
    without one where the strongest attack tells the two networks apart; else where the twin is nearest to 50 %.
    ``strongest_l2`` is the surest gain under an honest attack in the other norm. Each is None without rows.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(run_of(row), []).append(row)
    return [_entry(run, mine) for run, mine in groups.items()]


def in_order(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries of ``judged`` by verdict: gains first, kept or lost; the many without one after them."""
    ranks = list(Verdict)
    return sorted(entries, key=lambda entry: ranks.index(entry["verdict"]))


def _entry(run: str, rows: list[Row]) -> dict[str, Any]:
    first = rows[0]
    norm = min((row["norm"] for row in rows), key="linf".__ne__)
    printed, strongest = (
        _worst([row for row in rows if (row["track"], row["norm"]) == (track, norm)]) for track in ("printed", "honest")
    )
    elsewhere = [row for row in rows if row["track"] == "honest" and row["norm"] != norm]
    epsilon = _telling(list(printed.values()), list(strongest.values()))
    return {
        "run": run,
        **{key: first[key] for key in ("dataset", "arch", "training", "control", "twin", "why")},
        "verdict": Verdict(first["verdict"]),
        "flags": str(first["flags"] or "").split(),
        **{key: number(first[key]) for key in ("n_images", "seeds", "clean")},
        "epsilon": next((_radius(row) for row in rows if str(row["epsilon"]) == epsilon), epsilon),
        "printed": _numbers(printed.get(epsilon)),
        "strongest": _numbers(strongest.get(epsilon)),
        "strongest_l2": _numbers(max(elsewhere, key=_surest, default=None)),
    }


def _worst(rows: Iterable[Row]) -> dict[str, Row]:
    """By radius: of several attacks the one that leaves least."""
    found: dict[str, Row] = {}
    for row in rows:
        radius = str(row["epsilon"])
        found[radius] = min(found.get(radius, row), row, key=_or("accuracy", math.inf))
    return found


def _numbers(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else {"epsilon": _radius(row)} | {key: number(row[key]) for key in NUMBERS}


def _radius(row: Row) -> str:
    """A radius as the configuration spells it: '8/255'."""
    return str(row.get("epsilon_printed") or row["epsilon"])


def _or(key: str, missing: float) -> Callable[[Row], float]:
    def value(row: Row) -> float:
        found = number(row[key])
        return missing if found is None else found

    return value


_surest = _or("gain_low", -math.inf)


def _telling(printed: Sequence[Row], strongest: Sequence[Row]) -> str:
    """The radius to tell of; see ``judged``."""
    claimed = [row for row in printed if _surest(row) > 0]
    if claimed:
        return str(max(claimed, key=_surest)["epsilon"])
    apart = [row for row in strongest if _surest(row) > 0 or _or("gain_high", math.inf)(row) < 0]
    if apart:
        return str(max(apart, key=lambda row: abs(_or("gain", 0.0)(row)))["epsilon"])

    def off_middle(row: Row) -> float:
        twin = number(row["twin_accuracy"])
        own = number(row["accuracy"])
        return abs((own if twin is None else twin) - 50) if own is not None else math.inf

    open_rows = printed or strongest
    return str(min(open_rows, key=off_middle)["epsilon"]) if open_rows else ""
