"""Claims that no printed cell holds: differences read off bars, levels that are lost, rivals that are no twin."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from editions import ROOT
from lossproof.claims.ledger import build_ledger
from lossproof.display_names import as_printed
from lossproof.drawing.typeset import to_csv
from lossproof.exhibits.typeset import exhibit_table

with (ROOT / "reference/claims.csv").open(newline="", encoding="utf-8") as file:
    CLAIMS = [row for row in csv.DictReader(file) if row["paper"] == "isce"]

OWN_NAMES = {"ce_isce": "ce"}
METHODS = ("ce_isce", "center", "lgm", "arcface", "mmc", "random", "label_smoothing", "at", "nce")
KEYS = ("rival", "seed", "epsilon", "steps", "step_size", "targeted", "reading", "value", "ci_low", "ci_high")


def row(**said: Any) -> dict[str, str]:
    base = {
        "dataset": "mnist", "data": "digits", "arch": "lenet5", "training": "isce", "rival": "", "seed": "",
        "seeds": "3", "split": "test", "metric": "adversarial_accuracy", "attack": "pgd_l2_un_50_sign",
        "method": "pgd_l2", "momentum": "",
        "track": "printed", "norm": "l2", "epsilon": "0.02", "epsilon_printed": "0.02", "steps": "50",
        "step_size": "", "targeted": "untargeted", "reading": "per_step_sign", "value": "30", "ci_low": "28",
        "ci_high": "32", "n_images": "96", "record": "r",
    }  # fmt: skip
    return base | {key: str(value) for key, value in said.items()}


def gap(rival: str, value: float, half: float = 2.0, **said: Any) -> dict[str, str]:
    low, high = value - half, value + half
    return row(metric="difference", rival=rival, value=value, ci_low=low, ci_high=high, **said)


def ledger(tidy: dict[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    tidy = {name: as_printed(rows, OWN_NAMES) for name, rows in tidy.items()}
    found = {"mnist": "digits", "cifar10": "digits"}
    return build_ledger(CLAIMS, tidy, full_protocol=False, edition="e", data_for=found, controls=["nce"])


def of(rows: list[dict[str, Any]], exhibit: str, **said: str) -> dict[str, Any]:
    (one,) = [
        one for one in rows if one["exhibit"] == exhibit and all(one[key] == value for key, value in said.items())
    ]
    return one


def test_a_rival_of_the_text_is_found_among_the_bars():
    gaps = {"ce_isce": 10.0, "center": 4.0, "mmc": -3.0}
    bars = [gap(rival, value, arch="resnet32") for rival, value in gaps.items()]
    bars += [gap("center", 8.0, arch="resnet32", epsilon="0.04", epsilon_printed="0.04")]
    rows = ledger({"isce/fig_5": bars})
    assert of(rows, "text_4.2", value="63.13")["verdict"] == "direction holds"
    over = of(rows, "text_4.2", value="60.31")
    # The text names no level: the mean of both.
    assert (over["measured"], over["verdict"]) == (6.0, "direction holds")
    assert "The mean of 2 differences" in over["reason"] and "0.02, 0.04" in over["reason"]
    assert of(rows, "text_4.2", value="17.41")["verdict"] == "direction fails"
    assert of(rows, "text_4.2", value="61.06")["verdict"] == "not run"
    misnamed = of(rows, "text_4.2", value="11.35")
    assert misnamed["verdict"] == "lost" and "misnames" in misnamed["reason"]
    assert of(rows, "text_abstract")["measured"] == 10.0


@pytest.mark.parametrize(("smallest", "verdict"), [(5.0, "direction holds"), (-5.0, "direction fails")])
def test_above_all_others_is_the_smallest_difference_to_any_method(smallest, verdict):
    others = dict.fromkeys(METHODS, 20.0) | {"mmc": smallest, "nce": -50.0}
    rows = ledger({"isce/fig_10": [gap(name, value) for name, value in others.items()]})
    found = of(rows, "text_4.3", value="48")
    # The control is no method of the paper.
    assert (found["measured"], found["verdict"]) == (smallest, verdict)


def test_in_most_cases_is_the_median_over_both_data_sets():
    bars = [
        gap(name, value, dataset=data, arch="resnet32", attack="deepfool_50", method="deepfool")
        for data, low in (("mnist", 0), ("cifar10", 8))
        for name, value in zip(METHODS[:8], range(low, low + 8), strict=True)
    ]
    found = of(ledger({"isce/fig_8": bars}), "text_4.2", value="50")
    assert found["measured"] == 7.5 and "The median of 16 differences" in found["reason"]


def test_lost_levels_are_ours_in_order():
    levels = {"0.5": 90.0, "1": 60.0, "2": 20.0}
    bars = [
        row(
            attack="deepfool_10",
            method="deepfool",
            reading="",
            steps=10,
            epsilon=level,
            epsilon_printed=level,
            value=value,
        )
        for level, value in levels.items()
    ]
    rows = ledger({"isce/conf_table_7": bars})
    told = {"dataset": "mnist", "training": "isce", "steps": "10"}
    first, second = (
        next(one for one in rows if one["exhibit"] == "conf_table_7" and one["value"] == value
             and all(one[key] == said for key, said in told.items()))
        for value in ("97.48", "92.62")
    )  # fmt: skip
    assert (first["measured"], second["measured"]) == (90.0, 60.0)
    lost = [one for one in rows if one["exhibit"] == "conf_table_7" and not one["training"]]
    assert lost and {one["verdict"] for one in lost} == {"lost"}


def test_without_a_printed_twin_the_papers_loss_is_compared_with_the_other_training():
    common = {"arch": "resnet32", "attack": "pgd_l2_un_50", "reading": "radius"}
    sign = {"arch": "resnet32", "value": 0}
    rows = ledger(
        {
            "isce/table_1": [
                row(**common), row(**common, training="at", value=20), gap("at", 10.0, **common), row(**sign),
                gap("ce_isce", 3.0, **common), row(**sign, training="at"),
            ]
        }
    )  # fmt: skip
    told = {"attack": "pgd", "epsilon": "0.02", "targeted": "untargeted"}
    isce = of(rows, "table_1", training="isce", **told)
    # The literal reading is declared first and answers; the other one stands beside it in the table.
    assert (isce["measured"], isce["verdict"]) == (30.0, "direction holds")
    assert of(rows, "table_1", training="at", **told)["verdict"] == "baseline"


def test_every_claim_of_the_paper_has_a_verdict_and_a_reason():
    rows = ledger({})
    assert len(rows) == len(CLAIMS) == 126
    assert all(one["verdict"] in ("not run", "lost") and one["reason"] for one in rows)


def test_a_table_shows_a_papers_own_recipe_in_its_printed_column():
    tidy = [
        row(training=training, arch="resnet32", metric="test_accuracy", attack="none", track="", norm="", value=value)
        for training, value in (("ce_isce", 93.1), ("isce", 97.8))
    ]
    made = to_csv(exhibit_table("isce", "table_3", "accuracy_table", "SimBA", tidy, CLAIMS, reported_as=OWN_NAMES))
    told = [one for one in csv.DictReader(io.StringIO(made)) if one["dataset"] == "mnist" and one["printed"]]
    clean = {one["training"]: (one["printed"], one["measured"]) for one in told if one["metric"] == "clean_accuracy"}
    assert "ce_isce" not in made
    assert (clean["ce"], clean["isce"]) == (("99.33", "93.1"), ("99.40", "97.8"))
