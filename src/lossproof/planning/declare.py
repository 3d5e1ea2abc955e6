"""Reading ``exhibits/*.yaml``: every exhibit of a paper as data, checked with one-line errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from lossproof.catalogue import catalogue
from lossproof.settings.check import check, parameters_schema, read_yaml
from lossproof.settings.faults import fault, known
from lossproof.settings.resolved import training_known
from lossproof.settings.sweeps import points

SHARED: dict[str, Any] = {
    "kind": {"type": "string"},
    "title": {"type": "string", "minLength": 1},
    "caption": {"type": "string", "minLength": 1},
}
# What only a paper can say, beside its title; everything that code must know of one paper stands here.
FACTS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "default": {},
    "properties": {
        "attacked_split": {
            "enum": ["train", "test"],
            "default": "test",
            "description": "the images that its reported accuracies under attack are of",
        },
        "reported_as": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "default": {},
            "description": "the paper's name of a training, by ours where the two differ",
        },
        "controls": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "trainings of its exhibits that are no method of the paper",
        },
    },
}
PAPER: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["title", "exhibits"],
    "properties": {
        "title": {"type": "string"},
        "facts": FACTS,
        "exhibits": {"type": "object", "propertyNames": {"pattern": "^[a-z0-9_]+$"}},
    },
}
# Another id of an exhibit, e.g. in an earlier version of the paper: `conf_fig_5: {alias_of: fig_3}`.
ALIAS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"alias_of": {"type": "string", "description": "an exhibit of the same file"}},
}


@dataclass(frozen=True)
class Exhibit:
    """One figure, table or statement: its kind's settings in ``declaration``; ``same_as`` are its other names.

    ``reported_as``: the paper's name of a training, by ours where the two differ.
    """

    paper: str
    name: str
    kind: str
    title: str
    caption: str
    declaration: dict[str, Any]
    outputs: tuple[str, ...]
    grids: bool
    same_as: tuple[str, ...] = field(default=())
    reported_as: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.paper}/{self.name}"

    @property
    def target(self) -> str:
        return f"{self.paper}_{self.name}"


def load_exhibits(folder: Path, papers: list[str], config: dict[str, Any]) -> list[Exhibit]:
    """The exhibits of the papers, in the order of their files. Raises SettingsError for the first fault."""
    available = {path.stem for path in folder.glob("*.yaml")}
    found: list[Exhibit] = []
    for paper in papers:
        known("settings", "papers", paper, available, "paper")
        path = folder / f"{paper}.yaml"
        content = _paper(path)
        aliases = _aliases(path, content["exhibits"])
        reported_as = _reported_as(path, content["facts"], config)
        found += [
            replace(
                _exhibit(path, paper, name, value, config),
                same_as=tuple(aliases.get(name, ())),
                reported_as=reported_as,
            )
            for name, value in content["exhibits"].items()
            if not _is_alias(value)
        ]
    return found


def _paper(path: Path) -> dict[str, Any]:
    return check(read_yaml(path), PAPER, _always(path))


def _reported_as(path: Path, facts: dict[str, Any], config: dict[str, Any]) -> dict[str, str]:
    """The paper's names of trainings. Raises SettingsError where facts name a training that does not exist."""
    for training in facts["reported_as"]:
        known(str(path), "facts.reported_as", training, config["trainings"], "training")
    for training in facts["controls"]:
        known(str(path), "facts.controls", training, config["trainings"], "training")
    return facts["reported_as"]


def _is_alias(value: Any) -> bool:
    return isinstance(value, dict) and "alias_of" in value


def _aliases(path: Path, entries: dict[str, Any]) -> dict[str, list[str]]:
    """The other names of exhibits by exhibit. Raises SettingsError for one of something that is no exhibit."""
    found: dict[str, list[str]] = {}
    for name, value in entries.items():
        if _is_alias(value):
            original = check(value, ALIAS, _always(path), ("exhibits", name))["alias_of"]
            exhibits = [key for key, other in entries.items() if not _is_alias(other)]
            known(str(path), f"exhibits.{name}.alias_of", original, exhibits, "exhibit")
            found.setdefault(original, []).append(name)
    return found


def _always(path: Path) -> Callable[[Any], str]:
    """Exhibits have one file each, whatever the key."""
    return lambda _: str(path)


def _exhibit(path: Path, paper: str, name: str, value: Any, config: dict[str, Any]) -> Exhibit:
    source = str(path)

    base = f"exhibits.{name}"
    if not isinstance(value, dict) or "kind" not in value:
        raise fault(source, base, "key 'kind' is missing", "it is required")
    kinds = catalogue("exhibits")
    known(source, f"{base}.kind", value["kind"], kinds, "kind of exhibit")
    kind = kinds[value["kind"]]
    if kind.about.get("judges") and "attacks" in kind.parameters:
        value = {"attacks": config["jury"]["attacks"]} | value
    schema = parameters_schema(kind.parameters, **SHARED)
    schema["required"] = ["kind", "title", "caption", *kind.about.get("required", [])]
    checked = check(value, schema, lambda _: source, ("exhibits", name))
    _names(source, base, checked, config)
    if "epsilon" in kind.parameters:
        _one_budget(source, base, checked, config)
    declaration = {key: item for key, item in checked.items() if key in kind.parameters}
    if "swept" in kind.about:
        declaration["points"] = _points(source, f"{base}.sweep", checked["sweep"], kind.about["swept"], config)
    return Exhibit(
        paper,
        name,
        kind.name,
        checked["title"],
        checked["caption"],
        declaration,
        tuple(part for part in ("figure", "table") if part in kind.about),
        bool(kind.about.get("grids", False)),
    )


def _one_budget(source: str, base: str, value: dict[str, Any], config: dict[str, Any]) -> None:
    """Of an attack that is named, one budget is chosen, written as the attack has it; else there is none to choose."""
    epsilon = value.get("epsilon")
    if "attack" not in value:
        if epsilon is not None:
            raise fault(source, f"{base}.epsilon", f"found '{epsilon}' without an attack", "expected none")
        return
    known = config["attacks"][value["attack"]].get("epsilon")
    budgets = [str(one) for one in (known if isinstance(known, list) else [known])]
    if epsilon not in budgets:
        allowed = f"expected one of {value['attack']}: {', '.join(budgets)}"
        raise fault(source, f"{base}.epsilon", f"found {'none' if epsilon is None else repr(epsilon)}", allowed)


def _points(source: str, key: str, sweep: str, count: int, config: dict[str, Any]) -> list[dict[str, Any]]:
    """The trainings of an exhibit's sweep, each with its swept values; they stand in the declaration from here on.

    So a kind knows its runs without the configuration, and a changed sweep is a changed declaration.
    """
    found: list[dict[str, Any]] = [
        {"training": training, "values": [list(pair) for pair in values.items()]}
        for training, values in points(config, sweep)
    ]
    varied = [name for name, _ in found[0]["values"]]
    if len(varied) != count:
        raise fault(source, key, f"'{sweep}' varies {', '.join(varied)}", f"expected a sweep of {count}")
    for point in found:
        for name, value in point["values"]:
            try:
                float(Fraction(str(value)))
            except (ValueError, ZeroDivisionError):
                raise fault(source, key, f"'{sweep}' has {name} = {value}", "expected numbers on its axes") from None
    return found


def _names(source: str, base: str, value: dict[str, Any], config: dict[str, Any]) -> None:
    """Every data set, architecture, training, sweep, attack, toy and check that is named must exist."""
    allowed: dict[str, tuple[str, list[str]]] = {
        "dataset": ("data set", [name for name in config["stand_ins"] if name in config["datasets"]]),
        "arch": ("architecture", list(catalogue("models"))),
        "training": ("training", list(config["trainings"])),
        "rival": ("training", list(config["trainings"])),
        "subject": ("training", list(config["trainings"])),
        "attack": ("attack", list(config["attacks"])),
        "sweep": ("sweep", list(config.get("sweeps", {}))),
        "toy": ("toy", list(config["toys"]["sets"])),
        "check": ("check", list(catalogue("theory"))),
    }

    # Attacks by their part in an argument.
    allowed |= dict.fromkeys(("one_step", "iterative", "black_box"), allowed["attack"])

    def meant(key: str) -> tuple[str, list[str]]:
        last = key.rsplit(".", 1)[-1]
        return allowed.get(last) or allowed.get(last.removesuffix("s")) or ("", [])

    def visit(key: str, item: Any) -> None:
        if isinstance(item, dict) and meant(key)[0]:
            # Lists by data set: each data set of the exhibit has one, and nothing else does.
            for dataset in value["datasets"]:
                if dataset not in item:
                    raise fault(source, key, f"no list for data set '{dataset}'", "one list for all, or one for each")
            for dataset, part in item.items():
                known(source, key, dataset, value["datasets"], "data set")
                visit(key, part)
        elif isinstance(item, dict):
            for inner, part in item.items():
                visit(f"{key}.{inner}", part)
        elif isinstance(item, list):
            for part in item:
                visit(key, part)
        elif isinstance(item, str):
            what, names = meant(key)
            if what and not (what == "training" and training_known(config, item)):
                known(source, key, item, names, what)

    for key, item in value.items():
        if key not in SHARED:
            visit(f"{base}.{key}", item)


def paper_titles(folder: Path, papers: list[str]) -> dict[str, str]:
    """The papers' titles by id."""
    return {paper: _paper(folder / f"{paper}.yaml")["title"] for paper in papers}


def paper_facts(folder: Path, papers: list[str]) -> dict[str, dict[str, Any]]:
    """The papers' ``FACTS`` by id, with defaults."""
    return {paper: _paper(folder / f"{paper}.yaml")["facts"] for paper in papers}
