"""Where newly successful attacks land as the budget grows: in which most probable class of the clean prediction."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.exhibits.accuracy import said_of
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns, run_of
from lossproof.exhibits.wrong_class_ranks import ranks
from lossproof.records import read_json, read_npz
from lossproof.seeding import numpy_generator
from lossproof.statistics import intervals

CATALOGUE = {
    "wrong_class_ranks": {
        "build": "WrongClassRanks",
        "figure": "figure:draw",
        "table": "table:wrong_class_table",
        "parameters": {
            "panels": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["dataset", "arch", "training", "attack"],
                    "properties": {
                        "dataset": {"type": "string"},
                        "arch": {"type": "string"},
                        "training": {"type": "string"},
                        "attack": {
                            "type": "string",
                            "description": "an attack with a list of epsilons, on test images",
                        },
                    },
                },
            },
        },
        "required": ["panels"],
    }
}
NAMED = ("paper", "exhibit", "dataset", "data", "arch", "training", "attack", "track", "norm", "steps", "step_size")
COLUMNS = [
    *NAMED, *("method", "momentum", "targeted", "reading", "epsilon", "epsilon_printed", "seeds", "rank", "quantity"),
    *("value", "ci_low", "ci_high", "n_images", "record"),
]  # fmt: skip


class WrongClassRanks:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        runs = [
            (run_of(stand_ins, panel["dataset"], panel["arch"], panel["training"]), panel["attack"])
            for panel in declaration["panels"]
        ]
        return Needs(models=[run for run, _ in runs], attacks=runs)

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        return Tidy(COLUMNS, [row for panel in declaration["panels"] for row in _panel(context, **panel)])


def _panel(context: Context, dataset: str, arch: str, training: str, attack: str) -> list[dict[str, Any]]:
    """Rows of one panel, seeds pooled: by budget, and over all budgets (no epsilon).

    ``new``: the number of newly fooled images; ``share`` and ``chance`` by rank, in percent of them. The interval of
    a share is over images, an image that fools several seeds' networks counting once; of ``chance`` see
    ``ranks.by_chance``.
    """
    run = run_of(context.stand_ins, dataset, arch, training)
    paths, parts = context.paths, []
    record = read_json(context.root / paths.attack(run, 0, "test", attack))
    order = sorted(range(len(record["results"])), key=lambda at: record["results"][at]["epsilon_value"])
    classes = 0
    for seed in range(context.seeds):
        arrays = read_npz(context.root / paths.attack(run, seed, "test", attack, "npz"))
        model = read_npz(context.root / paths.model(run, seed, "predictions.npz"))
        classes = max(classes, int(model["test_label"].max()) + 1, int(model["test_top"].max()) + 1)
        top = model["test_top"][arrays["index"]]
        parts.append(ranks.fooled(arrays["label"], arrays["clean"], arrays["adversarial"][order], top))
    every = ranks.together(parts)
    prior = ranks.frequencies(every, classes)
    named = context.named(dataset=dataset, data=run.dataset, arch=arch, training=training, attack=attack)
    named |= said_of(record["attack"]) | {"seeds": context.seeds, "record": paths.attack(run, "*", "test", attack)}
    found: list[dict[str, Any]] = []
    for place, at in enumerate([*order, None]):
        result = {} if at is None else record["results"][at]
        chosen = np.full(len(every.budget), True) if at is None else every.budget == place
        here = ranks.Fooled(*(array[chosen] for array in every))
        count = len(here.image)
        shared = named | {"epsilon": result.get("epsilon_value"), "epsilon_printed": result.get("epsilon", "")}
        shared |= {"n_images": count}
        found.append(shared | {"quantity": "new", "value": count})
        if not count:
            continue
        images = len(np.unique(here.image))
        generator = numpy_generator("wrong classes by chance", run, attack, result.get("epsilon", "all"))
        for rank, value in zip(ranks.RANKS, ranks.shares(here), strict=True):
            share = intervals.share(float(value) / 100, images)
            found.append(shared | {"rank": rank, "quantity": "share"} | _estimate(share))
        for rank, chance in zip(ranks.RANKS, ranks.by_chance(here, prior, generator), strict=True):
            found.append(shared | {"rank": rank, "quantity": "chance"} | _estimate(chance))
    return found


def _estimate(found: intervals.Estimate) -> dict[str, Any]:
    return {"value": found.value, "ci_low": found.low, "ci_high": found.high}
