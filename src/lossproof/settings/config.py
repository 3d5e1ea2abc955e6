"""The merged configuration: checked against the schema and the catalogue, every default written in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lossproof.catalogue import catalogue
from lossproof.settings.check import SettingsError, check, dotted, fault, known, nearest, parameters_schema, read_yaml

TRAINING_KEYS = ("criterion",)


class Origin:
    """Which of the config files (later ones win) a key came from, for error messages."""

    def __init__(self, files: Sequence[Path | str]) -> None:
        self.files = [(str(path), read_yaml(path)) for path in files]

    def __call__(self, path: Sequence[object]) -> str:
        for name, content in reversed(self.files):
            here: Any = content
            for part in path:
                if isinstance(here, dict) and part in here:
                    here = here[part]
                elif isinstance(here, list) and isinstance(part, int) and part < len(here):
                    here = here[part]
                else:
                    break
            else:
                return name
        return "--config" if path and self.files else (self.files[0][0] if self.files else "config")


def load_config(merged: dict[str, Any], files: Sequence[Path | str], schema_path: Path | str) -> dict[str, Any]:
    """The configuration with defaults. ``merged`` is what Snakemake made of ``files`` and ``--config``.

    Raises SettingsError for the first fault: file, key, what was found, what is allowed.
    """
    origin = Origin(files)
    schema = read_yaml(schema_path)
    config = check(merged, schema, origin)
    training_parts = schema["properties"]["training"]["properties"]
    _components(config, "datasets", "datasets", "source", origin)
    _components(config["toys"], "sets", "toys", "source", origin, prefix=("toys",))
    _trainings(config, training_parts, origin)
    _attacks(config, origin)
    for key, names, what in (("attacks", config["attacks"], "attack"), ("toys.sets", config["toys"]["sets"], "toy")):
        bundles = config["bundles"] if what == "attack" else config["toys"]["bundles"]
        _bundles(bundles, names, what, "bundles" if what == "attack" else "toys.bundles", key, origin)
    for meant, stand_in in config["stand_ins"].items():
        if stand_in is not None:
            path = ("stand_ins", meant)
            known(origin(path), dotted(path), stand_in, config["datasets"], "data set")
    for arch in config["models"]["width"]:
        path = ("models", "width", arch)
        known(origin(path), dotted(path), arch, catalogue("models"), "architecture")
    for key in config["training"]["epochs"]:
        data, _, arch = key.partition("/")
        path = ("training", "epochs", key)
        if key != "default":
            known(origin(path), dotted(path), data, [*config["datasets"], "default"], "data set")
        if arch:
            known(origin(path), dotted(path), arch, catalogue("models"), "architecture")
    return config


def _components(
    config: dict[str, Any], section: str, kind: str, selector: str, origin: Origin, prefix: tuple[str, ...] = ()
) -> None:
    """Check entries ``name: {source: ..., parameters}`` of a section against the catalogue, in place."""
    for name, value in config[section].items():
        path = (*prefix, section, name)
        known(origin([*path, selector]), dotted([*path, selector]), value[selector], catalogue(kind), selector)
        schema = parameters_schema(catalogue(kind)[value[selector]].parameters, **{selector: {"type": "string"}})
        config[section][name] = check(value, schema, lambda tail, path=path: origin([*path, *tail]))


def _trainings(config: dict[str, Any], training_parts: dict[str, Any], origin: Origin) -> None:
    for name, value in config["trainings"].items():
        path = ("trainings", name, "criterion")
        known(origin(path), dotted(path), value["criterion"], catalogue("criteria"), "criterion")
        parameters = catalogue("criteria")[value["criterion"]].parameters
        # A recipe may override any key of `training`; those get no default, or nothing would be inherited.
        overrides = {key: {k: v for k, v in part.items() if k != "default"} for key, part in training_parts.items()}
        schema = parameters_schema(parameters, criterion={"type": "string"}, **overrides)
        base = ("trainings", name)
        config["trainings"][name] = check(value, schema, lambda tail, base=base: origin([*base, *tail]))


def _attacks(config: dict[str, Any], origin: Origin) -> None:
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
        fixed = {"method": {"type": "string"}, "track": {"enum": ["printed", "honest"]}, "splits": splits}
        base = ("attacks", name)
        config["attacks"][name] = check(
            value, parameters_schema(entry.parameters, **fixed), lambda tail, base=base: origin([*base, *tail])
        )


def _bundles(
    bundles: dict[str, list[str]], names: dict[str, Any], what: str, section: str, home: str, origin: Origin
) -> None:
    """Each attack (toy) in exactly one bundle, or two rules would claim one file."""
    owner: dict[str, str] = {}
    for bundle, members in bundles.items():
        path = (*section.split("."), bundle)
        for member in members:
            known(origin(path), dotted(path), member, names, what)
            if member in owner:
                raise fault(
                    origin(path), dotted(path), f"{what} '{member}' is in '{owner[member]}' too", "one bundle each"
                )
            owner[member] = bundle
    for name in names:
        if name not in owner:
            raise fault(
                origin(home.split(".") + [name]), section, f"{what} '{name}' is in no bundle", nearest(name, bundles)
            )


__all__ = ["SettingsError", "load_config"]
