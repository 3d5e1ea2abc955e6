"""A paper's three arguments against masked gradients, tested on every network."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.exhibits.by_dataset import LISTS, of
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.masking_arguments import arguments as tests
from lossproof.exhibits.masking_arguments.arguments import Compared, Level
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.outcomes import right_after
from lossproof.exhibits.stand_ins import StandIns, run_of
from lossproof.paths import Run
from lossproof.records import read_json, read_npz
from lossproof.statistics.intervals import accuracy

CATALOGUE = {
    "masking_arguments": {
        "build": "MaskingArguments",
        "figure": "figure:draw",
        "table": "table:masking_table",
        "parameters": {
            "datasets": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "archs": LISTS,
            "trainings": LISTS,
            "rival": {"type": "string", "description": "the control that is shown beside, suspected by nobody"},
            "one_step": LISTS,
            "iterative": LISTS,
            "black_box": LISTS,
        },
        "required": ["datasets", "archs", "trainings", "rival", "one_step", "iterative", "black_box"],
    }
}
GROUPS = ("one_step", "iterative", "black_box")
SPLIT = "test"
PGD = "pgd"
# The test, and the argument that it belongs to.
ARGUMENT = {"single_step": 1, "black_box_worst": 2, "black_box_pgd": 2, "growth": 3, "remaining": 3}
COLUMNS = [
    *("paper", "exhibit", "dataset", "data", "arch", "training", "control", "seeds", "argument", "test", "role"),
    *("attack", "against", "epsilon", "epsilon_printed", "value", "ci_low", "ci_high", "outcome", "comparisons"),
    *("n_images", "record"),
]


class MaskingArguments:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        return Needs(
            attacks=[
                (run_of(stand_ins, dataset, arch, training), attack)
                for dataset, arch, training in _networks(declaration)
                for attack in _attacks(declaration, dataset)
            ]
        )

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        rows: list[dict[str, Any]] = []
        for dataset, arch, training in _networks(declaration):
            run = run_of(context.stand_ins, dataset, arch, training)
            control = "yes" if training == declaration["rival"] else "no"
            named = context.named(dataset=dataset, data=run.dataset, arch=arch, training=training, control=control)
            named |= {"seeds": context.seeds, "record": context.paths.attack(run, "*", SPLIT, "*")}
            rows += _network(context, run, named, [of(declaration, group, dataset) for group in GROUPS])
        return Tidy(COLUMNS, rows)


def _networks(declaration: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Data set, architecture and training of every network, the control first."""
    return [
        (dataset, arch, training)
        for dataset in declaration["datasets"]
        for arch in of(declaration, "archs", dataset)
        for training in dict.fromkeys([declaration["rival"], *of(declaration, "trainings", dataset)])
    ]


def _attacks(declaration: dict[str, Any], dataset: str) -> list[str]:
    return list(dict.fromkeys(attack for group in GROUPS for attack in of(declaration, group, dataset)))


def _network(context: Context, run: Run, named: dict[str, Any], groups: list[list[str]]) -> list[dict[str, Any]]:
    """Rows of one network: every comparison, and per test the one that decides it with the test's outcome."""
    one_step, iterative, black = (
        [level for attack in group for level in _levels(context, run, attack)] for group in groups
    )
    white = [*one_step, *iterative]
    plain = [level for level in iterative if _method(context, run, level.attack) == PGD]
    pairs = {
        "single_step": tests.single_step(one_step, iterative),
        "black_box_worst": tests.black_box(black, white),
        "black_box_pgd": tests.black_box(black, plain),
        "growth": list(tests.growth([*white, *black])),
    }
    rows = [named | {"test": "clean", "role": "summary"} | _clean(context, run, groups[0][0])]
    for test, compared in ((test, tests.compared(found)) for test, found in pairs.items()):
        rows += [named | _row(test, "comparison", one, one.outcome) for one in compared]
        if decision := tests.decided(compared):
            rows.append(named | _row(test, "summary", *decision) | {"comparisons": len(compared)})
    if left := tests.remaining(white):
        rows.append(named | _row("remaining", "summary", *left) | {"comparisons": 1})
    return rows


def _row(test: str, role: str, one: Compared, outcome: str) -> dict[str, Any]:
    return {
        "argument": ARGUMENT[test],
        "test": test,
        "role": role,
        "attack": one.attack,
        "against": one.against,
        "epsilon": one.epsilon,
        "epsilon_printed": one.printed,
        "value": one.found.value,
        "ci_low": one.found.low,
        "ci_high": one.found.high,
        "outcome": outcome,
        "n_images": one.n_images,
    }


def _method(context: Context, run: Run, attack: str) -> str:
    return str(read_json(context.root / context.paths.attack(run, 0, SPLIT, attack))["attack"].get("method", ""))


def _arrays(context: Context, run: Run, attack: str) -> list[dict[str, np.ndarray]]:
    paths = (context.paths.attack(run, seed, SPLIT, attack, "npz") for seed in range(context.seeds))
    return [read_npz(context.root / path) for path in paths]


def _clean(context: Context, run: Run, attack: str) -> dict[str, Any]:
    """Accuracy of the images that an attack starts from: a network that has not learnt passes and fails for nothing."""
    arrays = _arrays(context, run, attack)
    found = accuracy(np.stack([one["clean"] == one["label"] for one in arrays]))
    return {"value": found.value, "ci_low": found.low, "ci_high": found.high, "n_images": len(arrays[0]["label"])}


def _levels(context: Context, run: Run, attack: str) -> list[Level]:
    """Outcomes of an attack by budget, without an unbounded one, which is equal to no other."""
    results = read_json(context.root / context.paths.attack(run, 0, SPLIT, attack))["results"]
    arrays = _arrays(context, run, attack)
    found = []
    for at, result in enumerate(results):
        if result["epsilon_value"] is None:
            continue
        correct = np.stack([right_after(one)[at] for one in arrays])
        found.append(Level(attack, result["epsilon"], result["epsilon_value"], arrays[0]["index"], correct))
    return found
