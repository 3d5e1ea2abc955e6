"""What the jury found of each network, one entry per network from its rows per attack and radius."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lossproof.jury import verdict as rule
from lossproof.tidy import number

PRINTED_PROTOCOL, STRONGEST, STRONGEST_L2 = "jury_pgd", "jury_linf", "jury_l2"
# The order of the report: what a reader asks first.
VERDICTS = (rule.REAL, rule.VANISHES, rule.WORSE, rule.NO_GAIN, rule.UNDECIDED, rule.REFERENCE, rule.CONTROL)
# The colours of the ledger's verdicts, by what the two have in common.
LIKE = {
    rule.REAL: "direction-holds",
    rule.VANISHES: "direction-fails",
    rule.WORSE: "direction-fails",
    rule.NO_GAIN: "not-run",
    rule.UNDECIDED: "undecided",
    rule.REFERENCE: "baseline",
    rule.CONTROL: "baseline",
}
NUMBERS = ("accuracy", "low", "high", "twin_accuracy", "gain", "gain_low", "gain_high")

Row = Mapping[str, Any]


def run_of(row: Row) -> str:
    """A network of some table of the jury: 'digits_gray/lenet5/isce'."""
    return f"{row['dataset']}/{row['arch']}/{row['training']}"


def judged(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """One entry per network of a ``jury_verdicts`` table, in its order.

    ``printed`` and ``strongest`` hold the numbers (accuracy in percent, gain over the twin in points, 95 % intervals;
    None where not recorded) under the attack that a paper would have reported and under the strongest one, at one
    radius: where the claimed gain is surest; without one where the strongest attack tells the two networks apart;
    else where the twin is nearest to 50 %. ``strongest_l2`` is the L2 attack's surest gain. Each is None without rows.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(run_of(row), []).append(row)
    return [_entry(run, mine) for run, mine in groups.items()]


def _entry(run: str, rows: list[Row]) -> dict[str, Any]:
    first = rows[0]
    by_attack = {
        attack: {str(row["epsilon"]): row for row in rows if row["attack"] == attack}
        for attack in (PRINTED_PROTOCOL, STRONGEST, STRONGEST_L2)
    }
    epsilon = _telling(by_attack)
    return {
        "run": run,
        **{key: first[key] for key in ("dataset", "arch", "training", "control", "twin", "verdict", "why")},
        "flags": str(first["flags"] or "").split(),
        **{key: number(first[key]) for key in ("n_images", "seeds", "clean")},
        "epsilon": next((_radius(row) for row in rows if str(row["epsilon"]) == epsilon), epsilon),
        "printed": _numbers(by_attack[PRINTED_PROTOCOL].get(epsilon)),
        "strongest": _numbers(by_attack[STRONGEST].get(epsilon)),
        "strongest_l2": _numbers(max(by_attack[STRONGEST_L2].values(), key=_surest, default=None)),
    }


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


def _telling(by_attack: Mapping[str, Mapping[str, Row]]) -> str:
    """The radius to tell of; see ``judged``."""
    printed, strongest = (list(by_attack[attack].values()) for attack in (PRINTED_PROTOCOL, STRONGEST))
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
