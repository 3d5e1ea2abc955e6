"""Sweeps and embeddings in the workflow: jobs, forecast, and what makes them again."""

from __future__ import annotations

import re

import pytest
import yaml
from checkout import new_checkout
from small_kinds import BOUND, GAPS, GRID, LEVELS, PLACES, SCATTER, TABLE, WORDS

from editions import edition, load
from lossproof.planning.declare import load_exhibits
from lossproof.planning.forecast import Forecast, Work
from lossproof.planning.plan import Plan
from lossproof.records import read_json

EXHIBITS = {
    "grid": GRID,
    "levels": LEVELS,
    "places": PLACES,
    "scatter": SCATTER,
    "table": TABLE,
    "bound": BOUND,
    "gaps": GAPS,
}
CONTENT = yaml.dump({"title": "Paper", "exhibits": {name: one | WORDS for name, one in EXHIBITS.items()}})
OPTIONS = ("--configfile=editions/test.yaml", "--config", "papers=[kinds]")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout with a paper of one exhibit per kind, in which nothing is made."""
    made = new_checkout(tmp_path_factory.mktemp("kinds") / "lossproof")
    (made.folder / "exhibits/kinds.yaml").write_text(CONTENT)
    return made


def planned(tmp_path, **cli) -> Plan:
    (tmp_path / "kinds.yaml").write_text(CONTENT)
    config = load(edition("test"), cli=cli)
    return Plan(config, load_exhibits(tmp_path, ["kinds"], config))


# Two points per sweep in this edition, two seeds in one job.
NEEDS = {
    "kinds_grid": {"prepare": 2, "train": 4, "attack_tables": 4, "collect": 1, "figure": 1, "table": 1},
    "kinds_levels": {"prepare": 1, "train": 2, "attack_tables": 2, "collect": 1, "figure": 1, "table": 1},
    "kinds_places": {"prepare": 1, "train": 2, "embed": 2, "collect_grids": 1, "figure": 1, "table": 1},
    "kinds_bound": {
        **{"prepare": 1, "train": 2, "attack_tables": 2, "sensitivity": 2},
        **{"collect_grids": 1, "figure": 1, "table": 1},
    },
    "kinds_gaps": {"prepare": 1, "train": 2, "collect": 1, "figure": 1, "table": 1},
    "kinds_scatter": {"prepare": 1, "train": 2, "embed": 2, "embed_attacked": 2}
    | {"collect_grids": 1, "figure": 1, "table": 1},
    "kinds_table": {"prepare": 2, "train": 4, "attack_tables": 4, "collect": 1, "figure": 1, "table": 1},
}


@pytest.mark.parametrize("target", NEEDS)
def test_an_exhibit_needs_only_what_it_shows(checkout, target):
    assert checkout.jobs(target, *OPTIONS) == NEEDS[target] | {target: 1}


def test_seeds_have_jobs_of_their_own_where_trainings_do(checkout):
    assert checkout.jobs("kinds_places", *OPTIONS, "seeds_per_job=one")["embed"] == 4
    assert checkout.jobs("kinds_bound", *OPTIONS, "seeds_per_job=one")["sensitivity"] == 4
    assert checkout.jobs("kinds_scatter", *OPTIONS, "seeds_per_job=one")["embed_attacked"] == 4


def test_the_ledger_reads_the_kinds_that_answer_printed_numbers(checkout):
    said = checkout.succeed("results/test/claims.csv", "-n", "-p", *OPTIONS)
    (path,) = set(re.findall(r"claims.py --plan (\S+)", said))
    assert set(read_json(checkout.folder / path)["claims"]["exhibits"]) == {"kinds/gaps", "kinds/table"}


def test_the_step_knows_its_code_and_lint_finds_nothing(checkout):
    said = checkout.succeed("kinds_places", "-n", "-p", *OPTIONS)
    assert "workflow/scripts/embed.py" in said
    said = checkout.succeed("kinds_bound", "-n", "-p", *OPTIONS)
    assert "workflow/scripts/sensitivity.py" in said
    done = checkout.snakemake("--lint")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_forecast_counts_embeddings(tmp_path):
    plan = planned(tmp_path, seeds_per_job="one")
    work = Forecast(plan).work["kinds/places"]
    assert {(model.run.training, model.seed) for model in work.embeddings} == {
        (training, seed) for training in ("ce_isce", "isce") for seed in range(2)
    }
    # Every seed is embedded, so every seed is trained; forward passes and files cost something.
    assert work.models == work.embeddings
    amounts = []
    for images in (20, 40):
        forecast = Forecast(planned(tmp_path, embedding_images=images))
        amounts.append(forecast.amount(forecast.work["kinds/places"]))
    one, two = amounts
    assert two.attack_flop == pytest.approx(2 * one.attack_flop) and one.attack_flop > 0
    assert two.disk > one.disk and two.training_flop == one.training_flop


def test_the_forecast_counts_sensitivities(tmp_path):
    work = Forecast(planned(tmp_path, seeds_per_job="one")).work["kinds/bound"]
    assert {(model.run.training, model.seed) for model in work.sensitivities} == {
        (training, seed) for training in ("ce_isce", "isce") for seed in range(2)
    }
    assert work.models == work.sensitivities
    amounts = []
    for images in (10, 20):
        forecast = Forecast(planned(tmp_path, attack_images={"test": images}))
        alone = Work(sensitivities=forecast.work["kinds/bound"].sensitivities)
        amounts.append(forecast.amount(alone))
    one, two = amounts
    assert two.attack_flop == pytest.approx(2 * one.attack_flop) and one.attack_flop > 0
    assert two.disk > one.disk


def test_the_forecast_counts_attacked_embeddings(tmp_path):
    forecast = Forecast(planned(tmp_path))
    plain, attacked = (forecast.work[f"kinds/{name}"] for name in ("places", "scatter"))
    assert attacked.models == plain.models and len(attacked.attacked_embeddings) == 2 * 2
    less, more = (forecast.amount(work) for work in (plain, attacked))
    # Two budgets of two steps in this edition, 20 images, four networks.
    assert more.attack_passes - less.attack_passes == 2 * 2 * 20 * 4
    assert more.attack_flop > less.attack_flop and more.disk > less.disk
    assert forecast.amount(plain | attacked).attack_flop == more.attack_flop
