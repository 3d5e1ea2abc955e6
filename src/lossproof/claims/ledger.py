"""The ledger: every printed claim with its measurement, verdict and plausibility."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossproof.claims.match import compared_split, find, find_difference, twin
from lossproof.claims.plausible import plausibility
from lossproof.claims.setting import Finding, Setting, describe, rival_of
from lossproof.claims.text_claims import BY_METRIC
from lossproof.claims.verdict import POINTS, PROBABILITY, TOLERANCE_POINTS, TOLERANCE_PROBABILITY, Comparison, judge
from lossproof.tidy import Row, estimate, number

CLAIM_COLUMNS = (
    "paper",
    "exhibit",
    "dataset",
    "arch",
    "training",
    "metric",
    "attack",
    "norm",
    "epsilon",
    "epsilon_printed",
    "steps",
    "step_size",
    "targeted",
    "value",
    "unit",
    "note",
)
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
    exhibit = f"{claim['paper']}/{claim['exhibit']}"
    printed = number(claim["value"])
    tidy = setting.rows(exhibit)
    split = compared_split(claim)
    rival = _rival(claim, setting)
    row = find(claim, tidy, split=split)
    on_test = estimate(find(claim, tidy, split="test")) if claim["metric"] != "train_accuracy" else None
    measured_test = on_test.value if on_test else None
    if not claim["training"]:
        lost = f"The label of this row is lost in the sources: {claim['note'].partition(';')[0]}."
        return Finding(Comparison(printed, lost=lost), split=split)
    measured = estimate(row)
    if row is None or measured is None:
        run = f"{describe(claim)} on {SPLIT_IN_WORDS[split]}"
        missing = setting.not_run(exhibit, run)
        return Finding(Comparison(printed, missing=missing), split=split, measured_test=measured_test)
    baseline = claim["training"] == rival
    beside = None if baseline else twin(claim, setting.claims, rival)
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


def _rival(claim: Row, setting: Setting) -> str:
    """What a cell is compared with: the twin, or the only training with cross entropy, or the only other one there."""
    beside = {
        other["training"]
        for other in setting.claims
        if other["training"] and all(other[key] == claim[key] for key in ("paper", "exhibit", "dataset", "arch"))
    }
    twin_of = rival_of(claim["training"])
    if twin_of in beside:
        return twin_of
    # A print that has only adversarially trained twins compares a plain training with those.
    entropies = [training for training in beside if training.partition("+")[0] == "ce"]
    if len(entropies) == 1:
        return entropies[0]
    others = sorted(beside - {claim["training"]})
    if len(others) != 1:
        return twin_of
    # Of two trainings without a twin the paper's own loss is compared with the other, which is the baseline.
    return others[0] if claim["training"] == claim["paper"] else claim["training"]


def build_ledger(
    claims_rows: Sequence[Row],
    suspicious_rows: Iterable[Row],
    tidy: Mapping[str, Sequence[Row]],
    *,
    full_protocol: bool,
    edition: str,
    data_for: Mapping[str, str],
    missing: Mapping[str, str] | None = None,
    cards: Mapping[str, Mapping[str, Any]] | None = None,
    sources: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """One row (``COLUMNS``) per claim, in the order of ``claims_rows``.

    ``tidy``: rows of the exhibits by id ('sp/table_2'), as written by the exhibit stage;
    ``full_protocol``: whether the edition runs the printed settings (with a stand-in for its data set a
    claim can still only be judged by direction); ``data_for``: the paper's data set to what ran;
    ``missing``: why an exhibit did not run; ``cards``: data cards by what ran;
    ``sources``: what the data that ran was read as, by its id.
    """
    setting = Setting(claims_rows, tidy, full_protocol, edition, data_for, missing or {}, cards or {}, sources or {})
    ledger = []
    for claim, plausible in zip(claims_rows, plausibility(claims_rows, suspicious_rows), strict=True):
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
                "plausible": plausible,
                "reason": reason,
                "record": finding.record,
            }
        )
    return ledger
