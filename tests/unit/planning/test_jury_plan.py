"""What the jury judges: every network of the other exhibits, its own controls, and what must be there beside them."""

from __future__ import annotations

import pytest

from editions import edition, plan
from lossproof.paths import Run
from lossproof.planning.forecast import Forecast
from lossproof.planning.plan import judges

MADE = plan()
GRAY = ("digits_gray", "lenet5")


def test_every_network_of_the_papers_is_judged():
    papers = [exhibit for exhibit in MADE.made if not judges(exhibit)]
    trained = {run for exhibit in papers for run in MADE.needs[exhibit.id].runs}
    assert trained < set(MADE.judged) and Run("digits_gray", "cnn3", "ce_pc") in MADE.judged  # a substitute too
    assert MADE.diagnosed == MADE.judged
    verdicts = MADE.needs["jury/verdicts"]
    assert {run for run, _ in verdicts.attacks} == set(MADE.judged)
    assert {attack for _, attack in verdicts.attacks} == {"jury_pgd", "jury_linf", "jury_l2"}
    assert sorted(run for runs in MADE.carded.values() for run in runs) == MADE.judged


def test_controls_have_twins_and_what_they_are_made_from():
    declared = {one["training"]: one for one in MADE.exhibit("jury", "controls").declaration["judged"]}
    assert declared["ce_x100"]["control"] == "logits of CE (isce) × 100"
    assert declared["ce_like_pc"]["control"] == "logits of CE (pc), as confident as PC"
    twins = {name: declared[name]["twin"] for name in ("ce_x100", "isce_minus", "ce+at", "ce_isce")}
    assert twins == {"ce_x100": "ce_isce", "isce_minus": "ce_isce", "ce+at": "ce_pc", "ce_isce": ""}
    like = Run(*GRAY, "ce_like_isce")
    assert MADE.made_from(like) == [Run(*GRAY, "ce_isce"), Run(*GRAY, "isce")]
    assert {like, *MADE.made_from(like)} <= set(MADE.runs)


def test_transfer_comes_from_the_twin():
    assert MADE.substitute(Run(*GRAY, "isce"), "jury_linf") == Run(*GRAY, "ce_isce")
    assert MADE.substitute(Run(*GRAY, "ce_isce"), "jury_linf") is None
    assert MADE.substitute(Run(*GRAY, "isce"), "jury_pgd") is None


def test_patterns_choose_what_is_judged():
    chosen = plan(cli={"jury": {"runs": ["digits_gray/lenet5/*isce", "digits_gray/cnn2/ce"]}})
    assert {run.training for run in chosen.judged} == {"ce", "ce_isce", "ce_like_isce", "isce"}
    # The other controls are not made then.
    assert Run(*GRAY, "ce_x100") not in chosen.runs
    # What a control is made from is there, whether it is judged or not.
    only = plan(cli={"jury": {"runs": ["digits_gray/lenet5/ce_like_isce"]}, "papers": ["jury"]})
    assert only.runs == sorted(Run(*GRAY, name) for name in ("ce_isce", "ce_like_isce", "isce"))


def test_without_networks_the_jury_does_not_sit():
    none = plan(cli={"jury": {"runs": ["nothing/*"]}})
    assert not none.judged and not [exhibit for exhibit in none.made if judges(exhibit)]
    alone = plan(cli={"papers": ["sp"]})
    assert not alone.diagnosed and not alone.carded


def test_the_forecast_counts_the_jury():
    forecast = Forecast(MADE)
    verdicts = forecast.work["jury/verdicts"]
    assert len(verdicts.diagnoses) == len(MADE.judged)
    # A bundle is run whole, for every seed, on test images.
    assert len(verdicts.records) == 3 * 3 * len(MADE.judged)
    diagnosed = forecast.amount(forecast.work["jury/diagnostics"])
    assert diagnosed.attack_passes > 0 and diagnosed.records == 0
    # A control is not trained.
    few = {"jury": {"runs": ["digits_gray/lenet5/ce_x100"]}, "papers": ["jury"]}
    amount = Forecast(plan(cli=few)).amount(Forecast(plan(cli=few)).work["jury/diagnostics"])
    assert amount.models == 6 and amount.training_passes == 3 * 1437 * 6


@pytest.mark.parametrize("name", ["paper", "mnist_jury_cpu"])
def test_shipped_editions_judge(name):
    overlays = [edition("paper")] + ([edition(name)] if name != "paper" else [])
    made = plan(*overlays)
    assert {run.dataset for run in made.judged} <= {"mnist", "cifar10"} and len(made.judged) >= 14
    assert {str(run) for run in made.judged} <= {str(run) for run in made.runs}
