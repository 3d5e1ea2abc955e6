"""From the configuration to the complete settings of one run, attack or toy.

What a step gets is complete and holds nothing else: it is the step's ``params``, so a changed key
makes stale exactly the results that it can change.
"""

from __future__ import annotations

from typing import Any

from lossproof.catalogue import catalogue
from lossproof.settings.check import SettingsError, nearest

SELECTIONS = ("last", "best_test", "held_out")


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
    return {"criterion": {"name": criterion, "parameters": parameters}, "training": merged}


def epochs_of(epochs: dict[str, Any], dataset: str, arch: str) -> Any:
    """The most specific entry: ``data set/architecture``, ``data set``, ``default``."""
    return next(epochs[key] for key in (f"{dataset}/{arch}", dataset, "default") if key in epochs)


def per_dataset(given: Any, dataset: str, arch: str) -> Any:
    """A setting that is one value for all, or values by data set like ``epochs``."""
    return epochs_of(given, dataset, arch) if isinstance(given, dict) else given


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
        "criterion": recipe["criterion"],
        "optimiser": {
            "name": "adam",
            **{key: merged[key] for key in ("learning_rate", "betas", "schedule", "weight_decay")},
        },
        "epochs": epochs_of(merged["epochs"], dataset, arch),
        "augmentation": per_dataset(merged["augmentation"], dataset, arch),
        **{key: merged[key] for key in ("batch_size", "selection", "held_out_share")},
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
