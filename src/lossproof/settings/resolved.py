"""From the configuration to the complete settings of one run, attack or toy.

What a step gets is complete and holds nothing else: it is the step's ``params``, so a changed key
makes stale exactly the results that it can change.
"""

from __future__ import annotations

from typing import Any

from lossproof.catalogue import catalogue
from lossproof.settings.faults import SettingsError, nearest

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
    """Whether the name of a training, or of a control, resolves."""
    return name in config["controls"] or is_trained(config, name)


def is_trained(config: dict[str, Any], name: str) -> bool:
    """Whether a training's name resolves."""
    recipe, selection = split_training(name)
    return recipe in config["trainings"] and (selection is None or selection in SELECTIONS)


# What a phase of a training may set for itself; the rest is of the training as a whole.
OF_A_PHASE = (
    "optimiser",
    "learning_rate",
    "betas",
    "momentum",
    "nesterov",
    "batch_size",
    "schedule",
    "milestones",
    "factor",
    "weight_decay",
    "augmentation",
    "epochs",
)


def made_from(config: dict[str, Any], training: str) -> list[str]:
    """The trainings that must be there before a control is made; [] for what is trained itself."""
    control = config["controls"].get(training, {})
    return [control[key] for key in ("of", "match") if key in control]


def twin_of(config: dict[str, Any], training: str) -> str | None:
    """The training that this one is compared with (a control: what it is made from), with the same selection.

    None where there is none, or where it is the recipe itself.
    """
    if training in config["controls"]:
        return str(config["controls"][training]["of"])
    recipe, selection = split_training(training)
    twin = config["trainings"][recipe].get("twin")
    if twin in (None, recipe):
        return None
    return f"{twin}@{selection}" if selection else str(twin)


def recipe_settings(config: dict[str, Any], training: str) -> dict[str, Any]:
    """Criterion, optimiser and schedule of a training's name; SettingsError where it does not resolve.

    With ``defence`` as it is given (perhaps by data set), and ``warm_up``: the same of each phase before the last.
    """
    recipe, selection = split_training(training)
    if not is_trained(config, training):
        known = [*config["trainings"], *(f"{recipe}@{choice}" for choice in SELECTIONS)]
        raise SettingsError(f"unknown training '{training}'; {nearest(training, known)}")
    given = config["trainings"][recipe]
    found = _recipe(config, given)
    if selection:
        found["training"]["selection"] = selection
    if "warm_up" in given:
        found["warm_up"] = [_recipe(config, phase_recipe(given, phase)) for phase in given["warm_up"]]
    return found


def phase_recipe(given: dict[str, Any], phase: dict[str, Any]) -> dict[str, Any]:
    """The recipe of one phase of ``warm_up``: what it sets, and for the rest what the training's recipe does.

    A defence of null is none.
    """
    inherited = {key: value for key, value in given.items() if key in (*OF_A_PHASE, "defence")}
    return {key: value for key, value in (inherited | phase).items() if (key, value) != ("defence", None)}


def _recipe(config: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    criterion = given["criterion"]
    parameters = {key: given[key] for key in catalogue("criteria")[criterion].parameters if key in given}
    merged = config["training"] | {key: value for key, value in given.items() if key in config["training"]}
    found = {"criterion": {"name": criterion, "parameters": parameters}, "training": merged}
    return found | ({"defence": given["defence"]} if given.get("defence") else {})


def _defence(given: dict[str, Any], dataset: str, arch: str) -> dict[str, Any]:
    """A recipe's defence for a data set: it has one, or one by data set like ``epochs``."""
    chosen = given if "name" in given else most_specific(given, dataset, arch)
    parameters = {key: value for key, value in chosen.items() if key != "name"}
    return {"name": chosen["name"], "parameters": parameters}


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
    """Everything that a training run depends on, but its seed.

    A control's are those of the training that it is made from, and under ``logits`` what is changed.
    """
    if training in config["controls"]:
        control = config["controls"][training]
        return run_settings(config, dataset, arch, control["of"]) | {"training": training, "logits": control}
    recipe = recipe_settings(config, training)
    accepted = catalogue("models")[arch].parameters
    model = {
        "stem": config["models"]["stem"],
        "activation": config["models"]["activation"],
        "width": config["models"]["width"].get(arch, 1.0),
    }
    return {
        "dataset": dataset,
        "arch": arch,
        "training": training,
        "model": {key: value for key, value in model.items() if key in accepted}
        | {"normalise": config["models"]["normalise"]},
        **_phase(recipe, dataset, arch),
        **{key: recipe["training"][key] for key in ("precision", "compile", "selection", "held_out_share")},
        **({"warm_up": [_phase(part, dataset, arch) for part in recipe["warm_up"]]} if "warm_up" in recipe else {}),
    }


def _phase(recipe: dict[str, Any], dataset: str, arch: str) -> dict[str, Any]:
    """What one phase of a run does."""
    merged = recipe["training"]
    return {
        "criterion": recipe["criterion"],
        **({"defence": _defence(recipe["defence"], dataset, arch)} if "defence" in recipe else {}),
        "optimiser": optimiser_settings(merged, dataset, arch),
        "epochs": most_specific(merged["epochs"], dataset, arch),
        "batch_size": merged["batch_size"],
        "augmentation": per_dataset(merged["augmentation"], dataset, arch),
    }


def phases(run: dict[str, Any]) -> list[dict[str, Any]]:
    """The phases of a run's resolved settings: those of its warm-up in order, then its own."""
    return [*run.get("warm_up", ()), run]


def all_epochs(run: dict[str, Any]) -> int:
    """The epochs of a run's resolved settings, of all phases together."""
    return sum(int(phase["epochs"]) for phase in phases(run))


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
