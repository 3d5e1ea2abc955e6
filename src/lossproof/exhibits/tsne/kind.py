"""Where networks place test images, clean and attacked: measures over all seeds, t-SNE of seed 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lossproof.embeddings.tsne import in_two
from lossproof.exhibits import measures
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.embedding.kind import measured, runs
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns, run_of
from lossproof.paths import Run
from lossproof.records import read_json, read_npz
from lossproof.tidy import number

CATALOGUE = {
    "tsne": {
        "build": "TSNE",
        "figure": "figure:draw",
        "table": "embedding.table:embedding_table",
        "grids": True,
        "parameters": {
            "datasets": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "arch": {"type": "string"},
            "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "attack": {"type": "string", "description": "shown beside clean images, where it fools the network"},
            "epsilon": {"type": "string", "description": "one of the attack's budgets, written as there"},
        },
        "required": ["datasets", "arch", "trainings"],
    }
}
# Of the images that an attack fools a network with (embeddings/displacement.py).
ATTACKED = {
    "fooled_share": (0.0, 100.0),
    "centre_distance": (0.0, math.inf),
    "centre_distance_before": (0.0, math.inf),
    "nearest_class": (0.0, 100.0),
}
COLUMNS = [*measures.NAMED, "attack", "epsilon", "epsilon_printed", *measures.VALUES]
CLEAN, JOINT = "clean", "attacked"


class TSNE:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        asked = runs(declaration, stand_ins)
        attack = declaration.get("attack")
        return Needs(embeddings=asked, attacked_embeddings=[(run, attack) for run in asked] if attack else [])

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        found: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        arch, attack = declaration["arch"], declaration.get("attack")
        for dataset in declaration["datasets"]:
            for training in declaration["trainings"]:
                run = run_of(context.stand_ins, dataset, arch, training)
                named = context.named(dataset=dataset, data=run.dataset, arch=arch, training=training)
                found += measured(context, run, named | {"attack": "none"})
                clean = read_npz(context.root / context.paths.embedding(run, 0, "npz"))
                place = f"{dataset}/{training}"
                arrays |= _panel(f"{CLEAN}/{place}", run, clean["features"], clean["labels"], 0)
                if not attack:
                    continue
                found += _attacked(context, run, named, attack, declaration["epsilon"])
                moved = read_npz(context.root / context.paths.embedding(run, 0, f"{attack}.npz"))
                here = moved["epsilon"] == number(declaration["epsilon"])
                features, labels = (np.concatenate([clean[name], moved[name][here]]) for name in ("features", "labels"))
                arrays |= _panel(f"{JOINT}/{place}", run, features, labels, int(here.sum()))
        return Tidy(COLUMNS, found, arrays)


def _panel(place: str, run: Run, features: np.ndarray, labels: np.ndarray, fooling: int) -> dict[str, np.ndarray]:
    """The arrays of one panel; ``fooling``: how many of the images, the last ones, are attacked."""
    points, perplexity = in_two(features, run, place)
    return {
        f"points/{place}": points,
        f"labels/{place}": labels.astype(np.int16),
        f"fooling/{place}": np.arange(len(labels)) >= len(labels) - fooling,
        f"perplexity/{place}": np.array(perplexity),
    }


def _attacked(context: Context, run: Run, named: dict[str, Any], attack: str, epsilon: str) -> list[dict[str, Any]]:
    """Rows of what was measured on the images that the attack fools one run's networks with."""
    paths = [context.paths.embedding(run, seed, f"{attack}.json") for seed in range(context.seeds)]
    records = []
    for path in paths:
        results = read_json(context.root / path)["results"]
        records.append(next(result for result in results if result["epsilon"] == epsilon))
    images = sum(record["n_fooling"] for record in records)
    named = named | {"attack": attack, "epsilon_printed": epsilon, "epsilon": records[0]["epsilon_value"]}
    every = context.paths.embedding(run, "*", f"{attack}.json")
    found = list(measures.rows(named, ATTACKED, records, paths, every))
    return [
        row | {"n_images": images if row.get("seed") is None else records[row["seed"]]["n_fooling"]} for row in found
    ]
