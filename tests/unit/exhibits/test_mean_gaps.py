"""Mean probability gaps: collected from predictions, typeset beside the print, and judged in their own unit."""

from __future__ import annotations

import numpy as np
import pytest
from fake_records import context, predicted
from small_kinds import CONFIG, GAPS, as_text, declared
from tidy_rows import PRINTED

from lossproof.claims.ledger import build_ledger
from lossproof.display_names import as_printed
from lossproof.exhibits.accuracy import COLUMNS
from lossproof.exhibits.mean_gaps.kind import MeanGaps
from lossproof.exhibits.typeset import exhibit_table
from lossproof.paths import Run
from lossproof.planning.plan import Plan
from lossproof.records import read_npz, write_npz
from lossproof.statistics.intervals import mean

DECLARED = {
    "datasets": ["cifar100", "tiny_imagenet"],
    "archs": {"cifar100": ["resnet56"], "tiny_imagenet": ["vgg13"]},
    "trainings": ["ce_pc", "pc"],
    "rival": "ce_pc",
}
CLAIMS = [row for row in PRINTED if (row["paper"], row["metric"]) == ("pc", "mean_probability_gap")]
IMAGES = 400


def gaps(told, run, seed, middle, right=300):
    predicted(told, run, seed, right, IMAGES)
    path = told.root / told.paths.model(run, seed, "predictions.npz")
    spread = np.linspace(-0.1, 0.1, IMAGES, dtype=np.float32)
    write_npz(path, read_npz(path) | {"test_gap": (middle + spread).astype(np.float32)})


def collected(tmp_path, middles=(0.52, 0.56, 0.13, 0.30), seeds=2, right=300):
    """The tidy table of two data sets and two trainings, with a mean gap each; the second seed is 0.01 above."""
    there = {name: name for name in DECLARED["datasets"]}
    told = context(tmp_path, seeds=seeds, stand_ins=there)
    runs = [Run(data, DECLARED["archs"][data][0], training) for data in there for training in ("ce_pc", "pc")]
    for run, middle in zip(runs, middles, strict=True):
        for seed in range(seeds):
            gaps(told, run, seed, middle + 0.01 * seed, right)
    return told, MeanGaps.collect(DECLARED, told)


def test_gaps_over_images_and_seeds_and_their_paired_difference(tmp_path):
    _, tidy = collected(tmp_path)
    assert tidy.columns == COLUMNS and all(set(row) <= set(COLUMNS) for row in tidy.rows)
    here = [row for row in tidy.rows if row["dataset"] == "cifar100" and row["training"] == "pc"]
    assert {(row["split"], row["attack"], row["n_images"]) for row in here} == {("test", "none", IMAGES)}
    by_seed = [row["value"] for row in here if row["metric"] == "mean_probability_gap" and "seed" in row]
    assert by_seed == pytest.approx([0.56, 0.57])
    (over,) = [row for row in here if row["metric"] == "mean_probability_gap" and "seed" not in row]
    spread = np.linspace(-0.1, 0.1, IMAGES)
    expected = mean(np.stack([0.56 + spread, 0.57 + spread]))
    assert (over["value"], over["ci_low"], over["ci_high"]) == pytest.approx(tuple(expected), abs=1e-6)
    assert over["seeds"] == 2 and over["record"].endswith("pc/seed*/record.json")
    (gap,) = [row for row in here if row["metric"] == "difference"]
    assert (gap["rival"], gap["value"], gap["ci_low"]) == ("ce_pc", *[pytest.approx(0.04, abs=1e-6)] * 2)
    assert [row["value"] for row in here if row["metric"] == "test_accuracy"] == [75] * 3
    assert not [row for row in tidy.rows if row["training"] == "ce_pc" and row["metric"] == "difference"]


def test_predictions_without_gaps_are_named(tmp_path):
    told, _ = collected(tmp_path)
    predicted(told, Run("tiny_imagenet", "vgg13", "pc"), 1, 10)
    with pytest.raises(ValueError, match=r"vgg13/pc/seed1/predictions\.npz: array 'test_gap' is missing \(found: "):
        MeanGaps.collect(DECLARED, told)


def test_an_interval_ends_where_probabilities_do(tmp_path):
    _, tidy = collected(tmp_path, middles=(0.9, -0.9, 0.9, 0.9))
    rows = [row for row in tidy.rows if row["metric"] == "mean_probability_gap"]
    assert all(-1 <= row["ci_low"] <= row["ci_high"] <= 1 for row in rows)


def judged(tidy, full, **more):
    return build_ledger(
        CLAIMS, {"pc/text_introduction": as_printed(as_text(tidy.rows, COLUMNS), {"ce_pc": "ce"})}, full_protocol=full,
        edition="paper", data_for={name: name for name in DECLARED["datasets"]}, **more,
    )  # fmt: skip


def test_printed_gaps_are_judged_in_probability(tmp_path):
    _, tidy = collected(tmp_path)
    rows = judged(tidy, full=True)
    assert [(row["dataset"], row["training"], row["verdict"]) for row in rows] == [
        ("cifar100", "ce", "reproduced"),
        ("cifar100", "pc", "reproduced"),
        ("tiny_imagenet", "ce", "reproduced"),
        ("tiny_imagenet", "pc", "not reproduced"),
    ]
    assert [row["measured"] for row in rows] == pytest.approx([0.525, 0.565, 0.135, 0.305])
    assert "0.074 of probability apart (tolerance 0.02 of probability" in rows[3]["reason"]
    assert "measured +0.1700" in rows[3]["reason"] and "reported +0.1000 of probability" in rows[3]["reason"]
    assert {row["split"] for row in rows} == {"test"} and rows[0]["n_images"] == str(IMAGES)
    assert not [row for row in rows if "points" in row["reason"]]


def test_two_points_of_a_percentage_are_no_tolerance_of_a_probability(tmp_path):
    _, tidy = collected(tmp_path, middles=(0.25, 0.56, 0.13, 0.23), seeds=1)
    assert judged(tidy, full=True)[0]["verdict"] == "not reproduced"


def test_where_values_cannot_be_compared_the_direction_is(tmp_path):
    _, tidy = collected(tmp_path, middles=(0.6, 0.5, 0.1, 0.2))
    rows = judged(tidy, full=False)
    assert [row["verdict"] for row in rows] == ["baseline", "direction fails", "baseline", "direction holds"]
    assert "reported +0.0310 of probability; the signs disagree" in rows[1]["reason"]
    low = judged(collected(tmp_path, right=45)[1], full=True)
    assert {row["verdict"] for row in low} == {"failed to train"}


def test_a_claim_without_measurement_says_what_is_missing(tmp_path):
    _, tidy = collected(tmp_path)
    tidy.rows[:] = [row for row in tidy.rows if row["dataset"] == "cifar100"]
    row = judged(tidy, full=True)[2]
    assert row["verdict"] == "not run" and "mean probability gap" in row["reason"]


def test_the_table_has_the_print_beside_the_measurement(tmp_path):
    _, tidy = collected(tmp_path)
    words = ("pc", "mean_gaps", "mean_gaps", "T", as_text(tidy.rows, COLUMNS))
    made = exhibit_table(*words, PRINTED, ["text_introduction"], {"ce_pc": "ce"})
    first, second = made.sections
    assert first.title == f"CIFAR-100 ResNet-56, {IMAGES} images"
    assert [line.labels[0] for line in first.lines] == ["CE", "PC"]
    (ce, pc), (_, tiny) = (section.lines for section in (first, second))
    assert ce.texts[0] == "0.527" and ce.texts[1].startswith("0.525 [") and ce.texts[2] == "–"
    assert pc.texts[0] == "0.558" and pc.texts[2] == "0.040 [0.040, 0.040]" and pc.texts[3].startswith("75.0 [")
    assert tiny.texts[0] == "0.231"  # printed without a network
    assert "difference from CE is paired" in made.notes[0]


def test_needs(tmp_path):
    plan = Plan(CONFIG, declared(tmp_path, gaps=GAPS))
    needs = plan.needs["isce/gaps"]
    assert needs.models == [Run("digits_gray", "lenet5", training) for training in ("ce_isce", "isce")]
    assert not needs.attacks and len(plan.outputs(plan.exhibit("isce", "gaps"))) == 5
