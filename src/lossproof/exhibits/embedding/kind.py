"""Where networks place clean test images: measures over all seeds, points in three dimensions of seed 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lossproof.embeddings.measures import in_three
from lossproof.exhibits import measures
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns, run_of
from lossproof.paths import Run
from lossproof.records import read_json, read_npz

CATALOGUE = {
    "embedding": {
        "build": "Embedding",
        "figure": "figure:draw",
        "table": "table:embedding_table",
        "grids": True,
        "parameters": {
            "datasets": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "arch": {"type": "string"},
            "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["datasets", "arch", "trainings"],
    }
}
QUANTITIES = {
    "between_within": (0.0, math.inf),
    "silhouette": (-1.0, 1.0),
    "nearest_centroid": (0.0, 100.0),
    "separation": (0.0, math.inf),
    "accuracy": (0.0, 100.0),
    "dimension": (0.0, math.inf),
}
COLUMNS = [*measures.NAMED, *measures.VALUES]


class Embedding:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        return Needs(embeddings=runs(declaration, stand_ins))

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        found: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        for dataset in declaration["datasets"]:
            for training in declaration["trainings"]:
                run = run_of(context.stand_ins, dataset, declaration["arch"], training)
                named = context.named(dataset=dataset, data=run.dataset, arch=declaration["arch"], training=training)
                found += measured(context, run, named)
                file = read_npz(context.root / context.paths.embedding(run, 0, "npz"))
                points, share = in_three(file["features"])
                place = f"{dataset}/{training}"
                arrays |= {f"points/{place}": points, f"labels/{place}": file["labels"].astype(np.int16)}
                arrays[f"share/{place}"] = np.array(share)
        return Tidy(COLUMNS, found, arrays)


def runs(declaration: dict[str, Any], stand_ins: StandIns) -> list[Run]:
    """The runs of a declaration of data sets, one architecture and trainings."""
    return [
        run_of(stand_ins, dataset, declaration["arch"], training)
        for dataset in declaration["datasets"]
        for training in declaration["trainings"]
    ]


def measured(context: Context, run: Run, named: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of what was measured on one run's clean embeddings."""
    paths = [context.paths.embedding(run, seed, "json") for seed in range(context.seeds)]
    records = [read_json(context.root / path) for path in paths]
    every = context.paths.embedding(run, "*", "json")
    return list(measures.rows(named | {"n_images": records[0]["n_images"]}, QUANTITIES, records, paths, every))
