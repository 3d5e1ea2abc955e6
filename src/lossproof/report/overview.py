"""The status at a glance: verdicts in all, by paper and by exhibit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossproof.claims.verdict import Verdict
from lossproof.tidy import Row, number
from lossproof.verdict_word import VerdictWord

EXPLANATIONS = {
    Verdict.REPRODUCED: "Same data set and protocol; within 2 points (probabilities: 0.02) or the 95 % interval.",
    Verdict.NOT_REPRODUCED: "Same data set and protocol; outside that tolerance.",
    Verdict.DIRECTION_HOLDS: "The difference to the baseline has the reported sign; its interval excludes zero.",
    Verdict.DIRECTION_FAILS: "That difference has another sign than the reported one; its interval excludes zero.",
    Verdict.UNDECIDED: "The interval of the difference does not exclude zero, or there is no difference to compare.",
    Verdict.BASELINE: "The row is itself the baseline; only a full-protocol run could say more.",
    Verdict.FAILED_TO_TRAIN: "A network of the comparison stays below twice the accuracy of guessing.",
    Verdict.NOT_RUN: "The run is not part of this edition; the reason names it.",
    Verdict.LOST: "The number, or its label, is not in the sources.",
}


def exhibit_of(row: Mapping[str, Any]) -> str:
    """The exhibit id of a ledger row: 'sp/table_2'."""
    return f"{row['paper']}/{row['exhibit']}"


def measured(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows that carry a measured value."""
    return [row for row in rows if number(row["measured"]) is not None]


def distinct(rows: Iterable[Mapping[str, Any]]) -> int:
    """How many measurements stand behind some claims: where one data set stands in for several, claims share one."""
    return len({(row["record"], row["split"], str(row["measured"])) for row in measured(rows)})


def verdict_counts(rows: Iterable[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """Verdicts by exhibit id, in the order of the ledger."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(exhibit_of(row), Counter())[str(row["verdict"])] += 1
    return counts


def parts(found: Mapping[str, int], shown: Iterable[VerdictWord] = tuple(Verdict)) -> list[dict[str, Any]]:
    """The counts of some verdicts in the order of the report."""
    return [{"name": str(one), "meaning": one.meaning, "count": found.get(one, 0)} for one in shown]


def verdict_list(ledger: Sequence[Row]) -> list[dict[str, Any]]:
    """Every verdict with its meaning, its claims and the measurements behind them."""
    total = Counter(str(row["verdict"]) for row in ledger)
    return [
        part
        | {
            "distinct": distinct(row for row in ledger if row["verdict"] == part["name"]),
            "explanation": EXPLANATIONS[Verdict(part["name"])],
        }
        for part in parts(total)
    ]


def status(ledger: Sequence[Row], anchors: Mapping[str, str]) -> list[dict[str, Any]]:
    """A group per paper: its total and its exhibits, each with verdicts, measured and implausible numbers."""
    # Verdicts that occur nowhere have no column.
    shown = [one for one in Verdict if any(row["verdict"] == str(one) for row in ledger)]

    def line(name: str, rows: Sequence[Row]) -> dict[str, Any]:
        found = Counter(str(row["verdict"]) for row in rows)
        return {
            "name": name,
            "anchor": anchors.get(name, ""),
            "total": len(rows),
            "measured": len(measured(rows)),
            "implausible": sum(row["plausible"] != "yes" for row in rows),
            "parts": parts(found, shown),
        }

    groups = []
    for paper in dict.fromkeys(row["paper"] for row in ledger):
        mine = [row for row in ledger if row["paper"] == paper]
        exhibits = dict.fromkeys(exhibit_of(row) for row in mine)
        lines = [line(exhibit, [row for row in mine if exhibit_of(row) == exhibit]) for exhibit in exhibits]
        groups.append(line(paper, mine) | {"exhibits": lines})
    return groups
