"""From the configuration to the complete settings of one run, attack or toy.

What a step gets is complete and holds nothing else: it is the step's ``params``, so a changed key
makes stale exactly the results that it can change.
"""

from __future__ import annotations

from typing import Any

from lossproof.catalogue import catalogue
from lossproof.settings.check import SettingsError, nearest

SELECTIONS = ("last", "best_test", "held_out")
# Which keys of `training` only one choice of another key reads.
TAKEN_BY = {
    "optimiser": {"adam": ("betas",), "sgd": ("momentum", "nesterov")},
    "schedule": {"constant": (), "cosine": (), "step": (), "milestones": ("milestones", "factor")},
}


def split_training(name: str) -> tuple[str, str | None]:
    """``ce@last`` -> ("ce", "last"); ``ce`` -> ("ce", None)."""
    recipe, _, selection = name.partition("@")
    return recipe, selection or None


def training_known(config: dict[str, Any], name: str) -> bool:
    """Whether a training's name resolves."""
    recipe, selection = split_training(name)
    return recipe in config["trainings"] and (selection is None or selection in SELECTIONS)


def recipe_settings(config: dict[str, Any], training: str) -> dict[str, Any]:
    """Criterion, optimiser and schedule of a training's name; SettingsError where it does not resolve."""
    recipe, selection = split_training(training)
    if not training_known(config, training):
        known = [*config["trainings"], *(f"{recipe}@{choice}" for choice in SELECTIONS)]
        raise SettingsError(f"unknown training '{training}'; {nearest(training, known)}")
    given = config["trainings"][recipe]
    criterion = given["criterion"]
    parameters = {key: given[key] for key in catalogue("criteria")[criterion].parameters if key in given}
    merged = config["training"] | {key: value for key, value in given.items() if key in config["training"]}
    if selection:
        merged["selection"] = selection
    found = {"criterion": {"name": criterion, "parameters": parameters}, "training": merged}
    if "defence" in given:
        defence = {key: value for key, value in given["defence"].items() if key != "name"}
        found["defence"] = {"name": given["defence"]["name"], "parameters": defence}
    return found


def most_specific(given: dict[str, Any], dataset: str, arch: str) -> Any:
    """The entry for ``data set/architecture``, else for ``data set``, else ``default``."""
    return next(given[key] for key in (f"{dataset}/{arch}", dataset, "default") if key in given)


def optimiser_settings(training: dict[str, Any], dataset: str, arch: str) -> dict[str, Any]:
    """Optimiser and schedule of a run, with the keys that these read and no others."""
    name, schedule = training["optimiser"], training["schedule"]
    keys = (
        "learning_rate",
        *TAKEN_BY["optimiser"][name],
        "schedule",
        *TAKEN_BY["schedule"][schedule],
        "weight_decay",
    )
    found = {"name": name} | {key: training[key] for key in keys}
    if "milestones" in found:
        found["milestones"] = per_dataset(found["milestones"], dataset, arch)
    return found


def per_dataset(given: Any, dataset: str, arch: str) -> Any:
    """A setting that is one value for all, or values by data set like ``epochs``."""
    return most_specific(given, dataset, arch) if isinstance(given, dict) else given


def run_settings(config: dict[str, Any], dataset: str, arch: str, training: str) -> dict[str, Any]:
    """Everything that a training run depends on, but its seed."""
    recipe = recipe_settings(config, training)
    merged = recipe["training"]
    accepted = catalogue("models")[arch].parameters
    model = {
        "stem": config["models"]["stem"],
        "width": config["models"]["width"].get(arch, 1.0),
    }
    return {
        "dataset": dataset,
        "arch": arch,
        "training": training,
        "model": {key: value for key, value in model.items() if key in accepted}
        | {"normalise": config["models"]["normalise"]},
        **{key: recipe[key] for key in ("criterion", "defence") if key in recipe},
        "optimiser": optimiser_settings(merged, dataset, arch),
        "epochs": most_specific(merged["epochs"], dataset, arch),
        **{key: merged[key] for key in ("batch_size", "precision", "compile", "selection", "held_out_share")},
        "augmentation": per_dataset(merged["augmentation"], dataset, arch),
    }


def toy_settings(config: dict[str, Any], training: str, toys: list[str]) -> dict[str, Any]:
    """Everything that a toy job depends on."""
    part = config["toys"]
    chosen = {}
    for toy in toys:
        parameters = {key: value for key, value in part["sets"][toy].items() if key != "source"}
        chosen[toy] = {"family": part["sets"][toy]["source"], "parameters": parameters}
    return {
        "training": training,
        "criterion": recipe_settings(config, training)["criterion"],
        "toys": chosen,
        **{key: part[key] for key in ("seeds", "hidden", "epochs", "learning_rate")},
    }
