"""The ledger: every printed claim with its measurement, verdict and plausibility."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lossproof.claims.columns import CLAIM_COLUMNS
from lossproof.claims.dataset_facts import dataset_fact
from lossproof.claims.differences import difference
from lossproof.claims.good_radius import good_radius
from lossproof.claims.match import baseline_cell, find, find_difference
from lossproof.claims.setting import Finding, Setting, describe, exhibit_of
from lossproof.claims.success_rates import success_rate
from lossproof.claims.verdict import POINTS, PROBABILITY, TOLERANCE_POINTS, TOLERANCE_PROBABILITY, Comparison, judge
from lossproof.tidy import Row, estimate, number

COLUMNS = (
    *CLAIM_COLUMNS,
    "measured",
    "ci_low",
    "ci_high",
    "tolerance",
    "n_images",
    "seeds",
    "split",
    "measured_test",
    "verdict",
    "plausible",
    "reason",
    "record",
)
SPLIT_IN_WORDS = {"train": "training images", "test": "test images"}


def _cell(claim: Row, setting: Setting) -> Finding:
    """The finding for a number printed in a table."""
    exhibit, tidy, split = exhibit_of(claim), setting.rows(exhibit_of(claim)), setting.split(claim)
    printed, rival = number(claim["value"]), claim["against"]
    row = find(claim, tidy, split=split)
    on_test = estimate(find(claim, tidy, split="test")) if claim["metric"] != "train_accuracy" else None
    measured_test = on_test.value if on_test else None
    measured = estimate(row)
    if row is None or measured is None:
        run = f"{describe(claim)} on {SPLIT_IN_WORDS[split]}"
        missing = setting.not_run(exhibit, run)
        return Finding(Comparison(printed, missing=missing), split=split, measured_test=measured_test)
    baseline = claim["training"] == rival
    beside = None if baseline else baseline_cell(claim, setting.claims)
    beside_value = number(beside["value"]) if beside else None
    same_protocol = setting.same_protocol(claim["dataset"])
    # A rival that has not learnt spoils a direction, but not the value itself.
    networks = (claim["training"],) if same_protocol else (claim["training"], rival)
    probability = claim["unit"] == "probability"
    comparison = Comparison(
        printed,
        measured=measured,
        printed_difference=None if printed is None or beside_value is None else printed - beside_value,
        difference=None if baseline else estimate(find_difference(claim, tidy, split=split, rival=rival)),
        rival=rival,
        baseline=baseline,
        same_protocol=same_protocol,
        failed=setting.failed(exhibit, claim["dataset"], claim["arch"], *networks),
        tolerance=TOLERANCE_PROBABILITY if probability else TOLERANCE_POINTS,
        unit=PROBABILITY if probability else POINTS,
    )
    return Finding(
        comparison,
        split=split,
        n_images=row["n_images"],
        seeds=row["seeds"],
        record=row["record"],
        measured_test=measured_test,
    )


# What the ledger asks by metric; every other metric is a cell of a table.
BY_METRIC: dict[str, Callable[[Row, Setting], Finding]] = {
    "difference": difference,
    "epsilon_below_which_accuracy_is_good": good_radius,
    "dataset_fact": dataset_fact,
    "attack_success_rate": success_rate,
}


def build_ledger(
    claims_rows: Sequence[Row],
    tidy: Mapping[str, Sequence[Row]],
    *,
    full_protocol: bool,
    edition: str,
    data_for: Mapping[str, str],
    missing: Mapping[str, str] | None = None,
    cards: Mapping[str, Mapping[str, Any]] | None = None,
    sources: Mapping[str, str] | None = None,
    attacked_split: str = "test",
    controls: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """One row (``COLUMNS``) per claim, in the order of ``claims_rows``.

    ``tidy``: rows of the exhibits by id ('sp/table_2'), as written by the exhibit stage;
    ``full_protocol``: whether the edition runs the printed settings (with a stand-in for its data set a
    claim can still only be judged by direction); ``data_for``: the paper's data set to what ran;
    ``missing``: why an exhibit did not run; ``cards``: data cards by what ran;
    ``sources``: what the data that ran was read as, by its id; ``attacked_split`` and ``controls``: facts of the
    paper that reports the claims.
    """
    setting = Setting(
        claims_rows,
        tidy,
        full_protocol,
        edition,
        data_for,
        missing or {},
        cards or {},
        sources or {},
        attacked_split,
        controls,
    )
    ledger = []
    for claim in claims_rows:
        if claim["lost"]:
            finding = Finding(Comparison(number(claim["value"]), lost=claim["lost"]))
        else:
            finding = BY_METRIC.get(claim["metric"], _cell)(claim, setting)
        verdict, reason = judge(finding.comparison)
        # What a data set's owner says of it (say, that its files are lossy) belongs to every number from it.
        note = setting.card(claim["dataset"]).get("note") if finding.comparison.measured else ""
        reason += f" Measured on {setting.data_for[claim['dataset']]}: {note}." if note else ""
        measured = finding.comparison.measured
        printed: dict[str, Any] = {column: claim[column] for column in CLAIM_COLUMNS}
        ledger.append(
            printed
            | {
                "measured": measured.value if measured else None,
                "ci_low": measured.low if measured and measured.bounded else None,
                "ci_high": measured.high if measured and measured.bounded else None,
                "tolerance": finding.comparison.allowed,
                "n_images": finding.n_images,
                "seeds": finding.seeds,
                "split": finding.split,
                "measured_test": finding.measured_test,
                "verdict": str(verdict),
                "plausible": f"no ({claim['implausible'].replace(';', ', ')})" if claim["implausible"] else "yes",
                "reason": reason,
                "record": finding.record,
            }
        )
    return ledger
