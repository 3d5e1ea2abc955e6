"""Recipes with phases, and with a defence for each data set."""

from __future__ import annotations

import pytest

from editions import load
from lossproof.settings.faults import SettingsError
from lossproof.settings.resolved import all_epochs, phases, run_settings

WEAK = {"name": "adversarial", "epsilon": ["0.1", "0.3"], "steps": 1, "random_start": False}
STRONG = {"name": "adversarial", "epsilon": "0.1", "steps": 5}


def run(recipe, dataset="digits_gray", arch="lenet5", **trainings):
    config = load(cli={"trainings": {"x": recipe, **trainings}})
    return run_settings(config, dataset, arch, "x")


def test_a_phase_has_what_it_sets_and_else_what_the_recipe_has():
    recipe = {"criterion": "pc", "learning_rate": 0.02, "batch_size": 32, "epochs": {"default": 5}, "defence": WEAK}
    settings = run(recipe | {"warm_up": [{"criterion": "ce", "epochs": {"default": 2}, "defence": None}]})
    (warm_up,) = settings["warm_up"]
    assert warm_up["criterion"] == {"name": "ce", "parameters": {}}
    assert (warm_up["epochs"], warm_up["batch_size"], warm_up["optimiser"]["learning_rate"]) == (2, 32, 0.02)
    assert "defence" not in warm_up and settings["defence"]["name"] == "adversarial"
    assert settings["criterion"]["parameters"]["xi"] == 0.995 and settings["epochs"] == 5
    assert all_epochs(settings) == 7 and [part["epochs"] for part in phases(settings)] == [2, 5]
    # What is of the training as a whole stands once.
    assert "selection" in settings and "selection" not in warm_up


def test_a_recipe_without_phases_resolves_as_before():
    assert "warm_up" not in run({"criterion": "ce"})


def test_a_warm_up_inherits_the_defence():
    settings = run({"criterion": "pc", "defence": WEAK, "warm_up": [{"criterion": "ce"}]})
    assert settings["warm_up"][0]["defence"] == settings["defence"]


def test_data_sets_may_have_defences_of_their_own():
    recipe = {"criterion": "ce", "defence": {"default": WEAK, "digits_colour": STRONG}}
    gray, colour = (run(recipe, dataset)["defence"] for dataset in ("digits_gray", "digits_colour"))
    assert (gray["parameters"]["steps"], colour["parameters"]["steps"]) == (1, 5)
    # Defaults are written in for each.
    assert gray["parameters"]["clean_share"] == colour["parameters"]["clean_share"] == 0


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"warm_up": [{"criterion": "cce"}]}, "trainings.x.warm_up.0.criterion: unknown criterion 'cce'"),
        ({"warm_up": [{"criterion": "ce", "selection": "last"}]}, "warm_up.0.selection: unknown key 'selection'"),
        ({"warm_up": [{"criterion": "ce", "xi": 1}]}, "trainings.x.warm_up.0.xi: unknown key 'xi'"),
        ({"warm_up": []}, "trainings.x.warm_up: found []"),
        ({"warm_up": [{"criterion": "mmc"}]}, "'mmc' has the head max_mahalanobis; 'ce' has linear"),
        ({"warm_up": [{"criterion": "ce", "schedule": "milestones"}]}, "without epochs"),
        ({"warm_up": [{"criterion": "ce", "momentum": 0.9}]}, "it belongs to optimiser 'sgd'"),
        ({"warm_up": [{"criterion": "ce", "epochs": {"default": 1, "mnits": 2}}]}, "unknown data set 'mnits'"),
        ({"defence": {"mnist": WEAK}}, "trainings.x.defence: key 'default' is missing"),
        ({"defence": {"default": WEAK, "mnits": STRONG}}, "trainings.x.defence.mnits: unknown data set 'mnits'"),
        ({"defence": {"default": {"steps": 3}}}, "trainings.x.defence.default.name: key 'name' is missing"),
        ({"defence": {"default": WEAK | {"epsilon": "much"}}}, "trainings.x.defence.default.epsilon: found 'much'"),
    ],
)
def test_faults_are_named(recipe, says):
    with pytest.raises(SettingsError) as caught:
        run({"criterion": "ce"} | recipe)
    assert says in str(caught.value) and "\n" not in str(caught.value)
