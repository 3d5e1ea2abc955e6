"""Networks that run in place of the paper's."""

from __future__ import annotations

import pytest

from editions import edition, load, plan
from lossproof import tidy
from lossproof.drawing import labels
from lossproof.paths import Run
from lossproof.planning.caption import caption
from lossproof.planning.forecast import Forecast
from lossproof.planning.named import named_archs
from lossproof.records import write_csv
from lossproof.settings.faults import SettingsError

EMBEDDED = plan()


def test_an_exhibit_runs_the_network_that_stands_in():
    needs = EMBEDDED.needs["isce/fig_5"]
    assert {run.arch for run in needs.runs} == {"lenet5"}
    assert set(needs.runs) == set(EMBEDDED.needs["isce/fig_10"].runs)
    assert {run.arch for run in EMBEDDED.needs["isce/fig_9"].embeddings} == {"lenet5_3d"}
    assert Run("digits_colour", "lenet5", "isce_grid.s=1.m=0.1") in EMBEDDED.needs["isce/fig_4"].runs
    assert {run.arch for run in plan(edition("paper")).needs["isce/fig_5"].runs} == {"resnet32"}


def test_the_caption_says_so():
    said = caption(EMBEDDED, EMBEDDED.exhibit("isce", "fig_5"))
    assert "In this edition lenet5 is the surrogate for resnet32." in said
    assert "is the surrogate for lenet5" not in caption(EMBEDDED, EMBEDDED.exhibit("isce", "fig_10"))


def test_figures_say_so(tmp_path):
    write_csv(tmp_path / "a.csv", [{"arch": "resnet32"}, {"arch": "lenet5"}], ["arch"])
    found = [row["arch"] for row in tidy.rows(tmp_path / "a.csv", ["arch"], {"resnet32": "lenet5"})]
    assert [labels.name(arch) for arch in found] == ["ResNet-32 (here: LeNet-5)", "LeNet-5"]


def test_architectures_are_found_at_any_depth():
    declared = {"archs": {"mnist": ["a"], "cifar10": ["b"]}, "panels": [{"archs": ["c"]}], "arch": "d", "title": "e"}
    assert named_archs(declared) == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("overlays", "cli", "says"),
    [
        ((), {"stand_ins": {"resnet32": "lenet6"}}, "stand_ins.resnet32: unknown architecture 'lenet6'"),
        ((), {"stand_ins": {"resnet32": None}}, "stand_ins.resnet32: unknown architecture 'None'"),
        ((), {"stand_ins": {"resnet33": "lenet5"}}, "stand_ins.resnet33: unknown data set 'resnet33'"),
        # A number can only be reproduced on the paper's own network.
        ((edition("paper"),), {"stand_ins": {"cnn8": "lenet5"}}, "found 'lenet5' with protocol full; expected cnn8"),
    ],
)
def test_faults_are_named(overlays, cli, says):
    with pytest.raises(SettingsError) as caught:
        load(*overlays, cli=cli)
    assert says in str(caught.value)


def test_adversarial_training_costs_its_steps():
    def passes(training):
        made = plan(cli={"papers": ["isce"], "trainings": {"ce_isce": {"epochs": {"default": 2}}}})
        forecast = Forecast(made)
        models = {one for one in forecast.work["isce/fig_10"].models if one.run.training == training}
        return forecast.amount(type(forecast.whole)(models=frozenset(models))).training_passes

    assert passes("at") == pytest.approx(11 * passes("ce_isce"))


def test_draws_cost_only_where_a_defence_draws():
    forecast = Forecast(EMBEDDED)
    work = forecast.work["isce/fig_5"]

    def passes(training):
        records = {
            one for one in work.records
            if (one.model.run.training, one.attack) == (training, "worst_case_l2")
        }  # fmt: skip
        return forecast.amount(type(work)(records=frozenset(records))).attack_passes

    draws = EMBEDDED.config["attacks"]["worst_case_l2"]["draws"]
    assert passes("random") == draws * passes("ce_isce")
