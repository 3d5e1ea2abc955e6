"""The merged configuration: checked against the schema and the catalogue, every default written in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lossproof.catalogue import catalogue
from lossproof.heads.choice import head_of
from lossproof.settings.check import check, dotted, parameters_schema, read_yaml
from lossproof.settings.faults import SettingsError, fault, known
from lossproof.settings.layers import ABSENT, Layers, read_layers
from lossproof.settings.resolved import OF_A_PHASE, TAKEN_BY, per_dataset, phase_recipe
from lossproof.settings.sweeps import recipes

Place = tuple[object, ...]
PIXEL_KEYS = {"epsilon", "step_size", "delta"}
WARM_UP = {"type": "array", "items": {"type": "object"}, "minItems": 1}
# What may stand there at all; a component's own schema says what of it that component takes.
PIXELS = re.compile(r"\d*\.?\d+([eE]-?\d+)?(/\d+)?|epsilon/\d+(\.\d+)?|unbounded")


def load_config(
    root: Path, overlays: Sequence[Path | str] = (), given: Mapping[str, Any] | None = None, base: Path | None = None
) -> dict[str, Any]:
    """The configuration of the project at ``root``, merged (``read_layers`` says from what), with defaults.

    Raises SettingsError for the first fault: file, key, what was found, what is allowed.
    """
    origin = read_layers(root, overlays, given, base)
    schema = read_yaml(root / "workflow/schemas/config.schema.yaml")
    config = check(origin.merged, schema, origin)
    training_parts = schema["properties"]["training"]["properties"]
    _components(config, "datasets", "datasets", "source", origin)
    _homes(config, origin)
    _sizes(config["datasets"], origin)
    _components(config["toys"], "sets", "toys", "source", origin, prefix=("toys",))
    _sweeps(config, origin)
    _trainings(config, training_parts, origin)
    _controls(config, origin)
    _attacks(config, origin)
    _diagnostics(config, origin)
    _bundles(config["bundles"], config["attacks"], "attack", ("bundles",), origin)
    _bundles(config["toys"]["bundles"], config["toys"]["sets"], "toy", ("toys", "bundles"), origin)
    for meant, stand_in in config["stand_ins"].items():
        if meant in catalogue("models"):
            path = ("stand_ins", meant)
            _known(origin, path, str(stand_in), catalogue("models"), "architecture")
            if config["protocol"] == "full" and stand_in != meant:
                raise fault(
                    origin(path), dotted(path), f"found '{stand_in}' with protocol full", f"expected {meant} itself"
                )
            continue
        # What an exhibit names is a data set of its own too, also where another stands for it.
        _known(origin, ("stand_ins", meant), meant, config["datasets"], "data set")
        if stand_in is not None:
            _known(origin, ("stand_ins", meant), stand_in, config["datasets"], "data set")
    for arch in config["models"]["width"]:
        _known(origin, ("models", "width", arch), arch, catalogue("models"), "architecture")
    _optimisers(config, training_parts, origin)
    return config


def _known(origin: Layers, path: Sequence[object], name: str, names: Iterable[str], what: str) -> None:
    known(origin(path), dotted(path), name, names, what)


def _components(
    config: dict[str, Any], section: str, kind: str, selector: str, origin: Layers, prefix: tuple[str, ...] = ()
) -> None:
    """Check entries ``name: {source: ..., parameters}`` of a section against the catalogue, in place."""
    for name, value in config[section].items():
        path = (*prefix, section, name)
        known(origin([*path, selector]), dotted([*path, selector]), value[selector], catalogue(kind), selector)
        schema = parameters_schema(catalogue(kind)[value[selector]].parameters, **{selector: {"type": "string"}})
        config[section][name] = check(value, schema, origin, path)


def _homes(config: dict[str, Any], origin: Layers) -> None:
    """Write the user's home for ``~``, in place: nothing else would."""
    places: list[tuple[dict[str, Any], tuple[str, ...], str]] = [(config["data"], ("data",), "cache")]
    places += [(value, ("datasets", name), "path") for name, value in config["datasets"].items() if "path" in value]
    for section, path, key in places:
        try:
            section[key] = str(Path(section[key]).expanduser())
        except RuntimeError:
            allowed = "expected a path whose ~ is a home folder"
            raise fault(origin([*path, key]), dotted([*path, key]), f"found '{section[key]}'", allowed) from None


def _sizes(datasets: dict[str, Any], origin: Layers) -> None:
    """A crop cannot be larger than the picture that it is taken from."""
    for name, value in datasets.items():
        if value.get("resize", math.inf) < value.get("image_size", 0):
            paths = [("datasets", name, key) for key in ("image_size", "resize")]
            path = max(paths, key=origin.rank)  # the one that was changed is to blame
            found = f"found image_size {value['image_size']} with resize {value['resize']}"
            raise fault(origin(path), dotted(path), found, "resize must be at least image_size")


def _sweeps(config: dict[str, Any], origin: Layers) -> None:
    """Add the trainings of every sweep, in place."""
    for name, sweep in config["sweeps"].items():
        _known(origin, ("sweeps", name, "base"), sweep["base"], config["trainings"], "training")
        for training, recipe in recipes(config, name).items():
            config["trainings"][training] = recipe


def _trainings(config: dict[str, Any], training_parts: dict[str, Any], origin: Layers) -> None:
    for name, value in config["trainings"].items():
        # What a sweep puts in stands there and not under `trainings`.
        swept = name not in origin.merged["trainings"]
        place: Place = ("sweeps", name.partition(".")[0], "over") if swept else ("trainings", name)
        source = (lambda _, at=place: origin(at)) if swept else origin
        # A recipe may override any key of `training` that is a run's; those get no default, or nothing would be
        # inherited.
        overrides = {key: {k: v for k, v in part.items() if k != "default"} for key, part in training_parts.items()}
        del overrides["resume_every_seconds"]
        extra = {"warm_up": WARM_UP, "twin": {"type": ["string", "null"]}}
        found = _recipe(value, overrides | extra, config["datasets"], place, source, origin)
        if found.get("twin"):
            known(source((*place, "twin")), dotted((*place, "twin")), found["twin"], config["trainings"], "training")
        if "warm_up" in found:
            overrides = {key: overrides[key] for key in OF_A_PHASE}
            found["warm_up"] = [
                _recipe(phase, overrides, config["datasets"], (*place, "warm_up", at), source, origin)
                for at, phase in enumerate(found["warm_up"])
            ]
            _one_head(found, place, origin)
        config["trainings"][name] = found


def _recipe(
    value: dict[str, Any],
    overrides: dict[str, Any],
    datasets: Iterable[str],
    place: Place,
    source: Callable[[Any], str],
    origin: Layers,
) -> dict[str, Any]:
    """A recipe, or a phase of one, with its defaults: criterion, defence, and keys of ``overrides``."""
    path = (*place, "criterion")
    known(source(path), dotted(path), value.get("criterion", ""), catalogue("criteria"), "criterion")
    parameters = catalogue("criteria")[value["criterion"]].parameters
    fixed = {"criterion": {"type": "string"}, "defence": {"type": ["object", "null"]}}
    found: dict[str, Any] = check(value, parameters_schema(parameters, **fixed, **overrides), source, place)
    given = value.get("defence")
    if given is None:
        return found
    path = (*place, "defence")
    if "name" in given or not any(isinstance(part, dict) for part in given.values()):
        return found | {"defence": _defence(given, path, source, origin)}
    if "default" not in given:
        raise fault(source(path), dotted(path), "key 'default' is missing", "by data set it needs one for the others")
    for run in given:
        if run != "default":
            _run_known(origin, (*path, run), run, datasets)
    return found | {
        "defence": {run: _defence(part, (*path, run), source, origin) for run, part in given.items()},
    }


def _defence(given: dict[str, Any], path: Place, source: Callable[[Any], str], origin: Layers) -> dict[str, Any]:
    defence = dict(given)
    if "name" not in defence:
        raise fault(source(path), dotted((*path, "name")), "key 'name' is missing", "it is required")
    _known(origin, (*path, "name"), defence["name"], catalogue("defences"), "defence")
    for key in PIXEL_KEYS & set(defence):
        defence[key] = _pixels(defence[key], (*path, key), origin)
    schema = parameters_schema(catalogue("defences")[defence["name"]].parameters, name={"type": "string"})
    return check(defence, schema, source, path)  # type: ignore[no-any-return]


def _one_head(recipe: dict[str, Any], place: Place, origin: Layers) -> None:
    """All phases train one network, so their criteria must be made for one head."""
    wanted = head_of(recipe["criterion"], recipe)
    for at, phase in enumerate(recipe["warm_up"]):
        if (head := head_of(phase["criterion"], phase)) != wanted:
            path = (*place, "warm_up", at, "criterion")
            found = f"'{phase['criterion']}' has the head {head}"
            raise fault(origin(path), dotted(path), found, f"'{recipe['criterion']}' has {wanted}; it must be the same")


def _run_known(origin: Layers, path: Place, run: str, datasets: Iterable[str]) -> None:
    """Check a key ``data set`` or ``data set/architecture``."""
    data, _, arch = run.partition("/")
    _known(origin, path, data, [*datasets, "default"], "data set")
    if arch:
        _known(origin, path, arch, catalogue("models"), "architecture")


def _optimisers(config: dict[str, Any], training_parts: dict[str, Any], origin: Layers) -> None:
    """Check what keys of `training` mean together, there and in every recipe."""
    common = config["training"]
    # Every key of `training` is set, so one that says more than its default counts as given.
    changed = {key: value for key, value in common.items() if value != training_parts[key].get("default", ABSENT)}
    _training(("training",), changed, common, config["datasets"], origin)
    for name, recipe in config["trainings"].items():
        given = {key: value for key, value in recipe.items() if key in training_parts}
        _training(("trainings", name), given, common | given, config["datasets"], origin)
        for at, phase in enumerate(recipe.get("warm_up", ())):
            merged = common | {key: value for key, value in phase_recipe(recipe, phase).items() if key in common}
            given = {key: value for key, value in phase.items() if key in training_parts}
            _training(("trainings", name, "warm_up", at), given, merged, config["datasets"], origin)


def _training(
    section: Place, given: dict[str, Any], merged: dict[str, Any], datasets: Iterable[str], origin: Layers
) -> None:
    """Raise for a key given to a choice that does not read it, a choice without what it needs, an unknown run."""

    def wrong(keys: Sequence[str], found: str, allowed: str) -> SettingsError:
        path = max(((*section, key) for key in keys if key in given), key=origin.rank, default=(*section, keys[0]))
        return fault(origin(path), dotted(path), found, allowed)

    for choice, takers in TAKEN_BY.items():
        chosen = merged[choice]
        owners = {key: name for name, keys in takers.items() for key in keys}
        for key, owner in owners.items():
            if key in given and owner != chosen:
                raise wrong(
                    [key], f"found {given[key]!r} with {choice} '{chosen}'", f"it belongs to {choice} '{owner}'"
                )
    if merged["optimiser"] == "sgd" and merged["nesterov"] and not merged["momentum"]:
        raise wrong(["nesterov", "momentum", "optimiser"], "found nesterov with momentum 0", "it needs momentum > 0")
    for key in ("epochs", "milestones", "augmentation"):
        if isinstance(given.get(key), dict):
            for run in given[key]:
                _run_known(origin, (*section, key, run), run, datasets)
    milestones = merged["milestones"]
    lists = list(milestones.values()) if isinstance(milestones, dict) else [milestones]
    for epochs in lists:
        if epochs != sorted(set(epochs)):
            raise wrong(["milestones"], f"found {epochs}", "expected rising epochs")
    if merged["schedule"] == "milestones" and not any(lists):
        raise wrong(
            ["schedule", "milestones"],
            "found schedule 'milestones' without epochs",
            "give some under milestones, e.g. [50, 100]",
        )
    if merged["schedule"] == "milestones":
        per_run = [part for part in (milestones, merged["epochs"]) if isinstance(part, dict)]
        for run in dict.fromkeys(key for part in per_run for key in part):
            data, _, arch = run.partition("/")
            marks, epochs = (per_dataset(part, data, arch) for part in (milestones, merged["epochs"]))
            if marks and marks[-1] >= epochs:
                found = f"found milestones {marks} with {epochs} epochs ({run})"
                raise wrong(["milestones", "epochs"], found, "each must be below the epochs of its run")


def _controls(config: dict[str, Any], origin: Layers) -> None:
    for name, control in config["controls"].items():
        path = ("controls", name)
        if name in config["trainings"]:
            raise fault(origin(path), dotted(path), "found a training of this name", "expected a name of its own")
        for key in ("of", "match"):
            if key in control:
                _known(origin, (*path, key), control[key], config["trainings"], "training")


def _diagnostics(config: dict[str, Any], origin: Layers) -> None:
    """Every diagnostic with all its settings, in place, whether the configuration names it or not."""
    entries = catalogue("jury")
    for name in config["diagnostics"]:
        _known(origin, ("diagnostics", name), name, entries, "diagnostic")
    config["diagnostics"] = {
        name: check(
            config["diagnostics"].get(name, {}), parameters_schema(entry.parameters), origin, ("diagnostics", name)
        )
        for name, entry in entries.items()
    }
    for name in config["jury"]["attacks"]:
        _known(origin, ("jury", "attacks"), name, config["attacks"], "attack")
    for dataset, given in config["jury"]["epsilon"].items():
        path = ("jury", "epsilon", dataset)
        _known(origin, path, dataset, [*config["datasets"], "default"], "data set")
        config["jury"]["epsilon"][dataset] = _pixels(given, path, origin)


def _attacks(config: dict[str, Any], origin: Layers) -> None:
    for name, value in config["attacks"].items():
        path = ("attacks", name, "method")
        known(origin(path), dotted(path), value["method"], catalogue("attacks"), "attack method")
        entry = catalogue("attacks")[value["method"]]
        track = entry.about.get("track")
        if track and value["track"] != track:
            path = ("attacks", name, "track")
            raise fault(
                origin(path), dotted(path), f"found '{value['track']}'", f"method {value['method']} is track '{track}'"
            )
        splits = {
            "type": "array",
            "items": {"enum": ["train", "test"]},
            "minItems": 1,
            "uniqueItems": True,
            "default": ["train", "test"],
        }
        fixed = {
            "method": {"type": "string"},
            "track": {"enum": ["printed", "honest"]},
            "splits": splits,
            "images": {"type": "integer", "minimum": 10},
        }
        for key in PIXEL_KEYS & set(value):
            value[key] = _pixels(value[key], ("attacks", name, key), origin)
        found = check(value, parameters_schema(entry.parameters, **fixed), origin, ("attacks", name))
        config["attacks"][name] = found
        if "substitute_training" in found:
            path = ("attacks", name, "substitute_training")
            _known(origin, path, found["substitute_training"], config["trainings"], "training")
            for target, arch in found["substitute"].items():
                for named in (target, arch):
                    _known(origin, ("attacks", name, "substitute", target), named, catalogue("models"), "architecture")


def _pixels(given: Any, path: Place, origin: Layers) -> Any:
    """A budget or step, or a list of them, as text; fault where it is neither a fraction nor a decimal."""
    if isinstance(given, list):
        return [_pixels(item, path, origin) for item in given]
    if isinstance(given, int | float) and not isinstance(given, bool):
        given = str(given)
    if isinstance(given, str) and not PIXELS.fullmatch(given):
        raise fault(origin(path), dotted(path), f"found '{given}'", "expected a fraction such as 8/255 or a decimal")
    return given


def _bundles(bundles: dict[str, list[str]], names: Iterable[str], what: str, section: Place, origin: Layers) -> None:
    """Each attack (toy) is in one bundle, or two rules would claim one file; one in none gets its own, in place."""
    owner: dict[str, str] = {}
    for bundle, members in bundles.items():
        path = (*section, bundle)
        for member in members:
            _known(origin, path, member, names, what)
            if member in owner:
                raise fault(
                    origin(path), dotted(path), f"{what} '{member}' is in '{owner[member]}' too", "one bundle each"
                )
            owner[member] = bundle
    for name in names:
        if name not in owner:
            path = (*section, name)
            if name in bundles:
                found = f"found without the {what} '{name}', which is in no bundle"
                raise fault(origin(path), dotted(path), found, f"expected '{name}' in it, or another name for it")
            bundles[name] = [name]


__all__ = ["SettingsError", "load_config"]
