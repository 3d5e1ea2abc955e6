"""One page per paper: what holds, what vanishes under the jury, and why. Facts here, words in ``summary_text``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossproof.claims.verdict import Verdict
from lossproof.jury.finding import RAISED
from lossproof.jury.verdict import REFERENCE
from lossproof.report.judged import in_order, judged, run_of
from lossproof.report.ledger import interval_in_words, network, printed_in_words, value_in_words, what
from lossproof.report.overview import exhibit_of, measured

Row = Mapping[str, Any]


def summarise(
    paper: str,
    ledger_rows: Iterable[Row],
    verdict_rows: Iterable[Row] = (),
    diagnostic_rows: Iterable[Row] = (),
    *,
    runs: Iterable[str] = (),
    title: str = "",
    edition: str = "",
) -> dict[str, Any]:
    """The facts of a paper's page, all taken from the rows.

    ``ledger_rows``: of ``claims.ledger.COLUMNS``, of any paper; ``verdict_rows`` and ``diagnostic_rows``: the jury's
    tidy tables ``jury_verdicts`` and ``diagnostics_map``, empty where no jury sat; ``runs``: the networks of the
    paper's exhibits as 'data set/architecture/training'.

    ``claims``: counts; ``holds`` and ``fails``: printed numbers with a verdict for or against; ``sat``: whether there
    was a jury; ``trainings``: entries of ``judged`` in the order of their verdicts; ``flags``: per diagnostic where it
    was raised; ``controls``: networks made to be caught, where this paper has their data set and architecture.
    """
    claims = [row for row in ledger_rows if row["paper"] == paper]
    mine = set(runs)
    entries = judged(verdict_rows)
    own = [entry for entry in entries if entry["run"] in mine and not entry["control"]]
    places = {(entry["dataset"], entry["arch"]) for entry in own}
    trainings = [entry for entry in own if entry["verdict"] != REFERENCE]
    diagnosed = [row for row in diagnostic_rows if run_of(row) in mine and not row["control"]]
    return {
        "paper": paper,
        "title": title or paper,
        "edition": edition,
        "claims": {
            "printed": len(claims),
            "measured": len(measured(claims)),
            "implausible": sum(row["plausible"] != "yes" for row in claims),
            "verdicts": Counter(str(row["verdict"]) for row in claims),
        },
        "holds": [_number(row) for row in claims if Verdict(row["verdict"]).meaning == "good"],
        "fails": [_number(row) for row in claims if Verdict(row["verdict"]).meaning == "bad"],
        "sat": bool(entries),
        "references": sum(entry["verdict"] == REFERENCE for entry in own),
        "verdicts": Counter(entry["verdict"] for entry in trainings),
        "trainings": in_order(trainings),
        "diagnosed": len({run_of(row) for row in diagnosed}),
        "flags": _flags(diagnosed),
        "controls": [entry for entry in entries if entry["control"] and (entry["dataset"], entry["arch"]) in places],
    }


def _number(row: Row) -> dict[str, str]:
    return {
        "exhibit": exhibit_of(row),
        "training": row["training"],
        "dataset": row["dataset"],
        "network": network(row),
        "what": what(row),
        "printed": printed_in_words(row),
        "measured": value_in_words(row["measured"], row["unit"]),
        "interval": interval_in_words(row),
        "verdict": str(row["verdict"]),
        "plausible": row["plausible"],
        "reason": row["reason"],
    }


def _flags(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Per diagnostic that was raised: the networks (once each, seeds together) and what the first of them says."""
    flags = []
    for name in dict.fromkeys(row["diagnostic"] for row in rows):
        mine = [row for row in rows if row["diagnostic"] == name]
        raised = [row for row in mine if row["flag"] == RAISED]
        if raised:
            flags.append(
                {
                    **{key: raised[0][key] for key in ("diagnostic", "id", "title", "of", "says")},
                    "runs": list(dict.fromkeys(run_of(row) for row in raised)),
                    "of_runs": len({run_of(row) for row in mine}),
                }
            )
    return flags
