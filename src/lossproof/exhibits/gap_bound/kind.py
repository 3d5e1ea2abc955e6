"""The gradient bound of a robust model (`pc`, eq. 14) beside the outcomes of an attack.

For a change of at most e in a norm the gap between the true and the largest false logit changes, to first order, by
at most e times the gradient's dual norm; so a robust image should have ``e |grad gap| < gap``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossproof.exhibits.accuracy import said_of
from lossproof.exhibits.by_dataset import LISTS, of
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.outcomes import right_after
from lossproof.exhibits.stand_ins import StandIns, run_of
from lossproof.paths import Run
from lossproof.records import read_json, read_npz
from lossproof.statistics.intervals import accuracy, over_seeds

CATALOGUE = {
    "gap_bound": {
        "build": "GapBound",
        "figure": "figure:draw",
        "table": "table:gap_bound_table",
        "grids": True,
        "parameters": {
            "datasets": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "archs": LISTS,
            "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "attacks": LISTS,
        },
        "required": ["datasets", "archs", "trainings", "attacks"],
    }
}
SPLIT = "test"
# Of the images that are right without attack: those still right after it, and the others.
GROUPS = ("survives", "fooled")
QUANTITIES = ("inside_bound", "median_gap", "median_gradient")
DUAL = {"linf": "gradient_l1", "l2": "gradient_l2"}
COLUMNS = [
    *("paper", "exhibit", "dataset", "data", "arch", "training", "seed", "seeds"),
    *("attack", "method", "track", "norm", "epsilon", "epsilon_printed", "steps", "step_size", "momentum"),
    *("targeted", "reading"),
    *("group", "quantity", "value", "ci_low", "ci_high", "n_images", "record"),
]


@dataclass(frozen=True)
class Attacked:
    """One attack on one network: E budgets, N images that are right without attack."""

    said: dict[str, Any]
    budgets: list[dict[str, Any]]
    gap: np.ndarray  # [N]
    gradient: np.ndarray  # [N], in the norm that is dual to the attack's
    survives: np.ndarray  # [E, N] bool


class GapBound:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        needs = Needs()
        for dataset, arch, training in _networks(declaration):
            run = run_of(stand_ins, dataset, arch, training)
            needs.sensitivities.append(run)
            needs.attacks += [(run, attack) for attack in of(declaration, "attacks", dataset)]
        return needs

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        found: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        for dataset, arch, training in _networks(declaration):
            run = run_of(context.stand_ins, dataset, arch, training)
            named = context.named(dataset=dataset, data=run.dataset, arch=arch, training=training)
            for attack in of(declaration, "attacks", dataset):
                by_seed = [_attacked(context, run, seed, attack) for seed in range(context.seeds)]
                found += _rows(named | {"attack": attack}, by_seed, context.paths.attack(run, "*", SPLIT, attack))
                first, place = by_seed[0], "/".join((dataset, arch, training, attack))
                arrays |= {f"gap/{place}": first.gap, f"gradient/{place}": first.gradient}
                arrays[f"survives/{place}"] = first.survives
        return Tidy(COLUMNS, found, arrays)


def _networks(declaration: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Data set, architecture and training of every network."""
    return [
        (dataset, arch, training)
        for dataset in declaration["datasets"]
        for arch in of(declaration, "archs", dataset)
        for training in declaration["trainings"]
    ]


def _attacked(context: Context, run: Run, seed: int, attack: str) -> Attacked:
    """Gaps, gradients and outcomes of one seed, image by image.

    Raises ValueError for an attack whose budget has no dual norm here, and for images without a gradient.
    """
    path = context.paths.attack(run, seed, SPLIT, attack)
    record = read_json(context.root / path)
    said = said_of(record["attack"])
    budgets = [{"epsilon": one["epsilon_value"], "epsilon_printed": one["epsilon"]} for one in record["results"]]
    if said["norm"] not in DUAL or any(one["epsilon"] is None for one in budgets):
        raise ValueError(f"{path}: a bound on gradients needs an attack in a ball (norm {' or '.join(DUAL)})")
    outcome = read_npz(context.root / context.paths.attack(run, seed, SPLIT, attack, "npz"))
    path = context.paths.sensitivity(run, seed, "npz")
    gradients = read_npz(context.root / path)
    place = {int(image): at for at, image in enumerate(gradients["index"])}
    absent = [int(image) for image in outcome["index"] if int(image) not in place]
    if absent:
        raise ValueError(f"{path}: no gradient for image {absent[0]}, which {attack} attacks")
    at = np.array([place[int(image)] for image in outcome["index"]], dtype=np.int64)
    right = outcome["clean"] == outcome["label"]
    return Attacked(
        said,
        budgets,
        gradients["gap"][at][right],
        gradients[DUAL[said["norm"]]][at][right],
        right_after(outcome)[:, right],
    )


def _rows(named: dict[str, Any], by_seed: Sequence[Attacked], record: str) -> Iterable[dict[str, Any]]:
    """Rows of one attack on one run: per seed, and the mean over those that have images in the group."""
    first = by_seed[0]
    for number, budget in enumerate(first.budgets):
        for group in GROUPS:
            members = [one.survives[number] == (group == "survives") for one in by_seed]
            for quantity in QUANTITIES:
                shared = named | first.said | budget | {"group": group, "quantity": quantity}
                values = [
                    _value(quantity, one.gap[chosen], one.gradient[chosen], budget["epsilon"])
                    for one, chosen in zip(by_seed, members, strict=True)
                ]
                for seed, (value, chosen) in enumerate(zip(values, members, strict=True)):
                    of_seed = {"seed": seed, "seeds": 1, "n_images": int(chosen.sum())}
                    yield shared | of_seed | value | {"record": record.replace("seed*", f"seed{seed}")}
                known = [value for value in values if value["value"] is not None]
                if known:
                    images = round(sum(int(chosen.sum()) for chosen in members) / len(members))
                    over = {"seeds": len(known), "n_images": images, "record": record}
                    yield shared | over | _mean(known, quantity)


def _value(quantity: str, gap: np.ndarray, gradient: np.ndarray, epsilon: float) -> dict[str, float | None]:
    """A group's figure with the interval that images give it (none for medians); nothing of no images."""
    if not len(gap):
        return {"value": None}
    if quantity == "inside_bound":
        value, low, high = accuracy((gradient.astype(float) * epsilon < gap)[None])
        return {"value": value, "ci_low": low, "ci_high": high}
    median = float(np.median(gap if quantity == "median_gap" else gradient))
    return {"value": median if math.isfinite(median) else None}


def _mean(known: Sequence[dict[str, float | None]], quantity: str) -> dict[str, float | None]:
    """The mean of the seeds with an interval over them; of a single one its own."""
    if len(known) == 1:
        return known[0]
    mean, low, high = over_seeds(np.array([value["value"] for value in known], dtype=float))
    most = 100.0 if quantity == "inside_bound" else math.inf
    return {"value": mean, "ci_low": max(low, 0.0), "ci_high": min(high, most)}
