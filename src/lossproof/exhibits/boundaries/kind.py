"""Decision boundaries of toy networks: confidence on a grid (seed 0) and measures over all seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns
from lossproof.records import read_json, read_npz
from lossproof.toys.boundary import confidence_map, gap, grid, network_at

CATALOGUE = {
    "boundaries": {
        "build": "Boundaries",
        "figure": "figure:draw",
        "grids": True,
        "parameters": {
            "toys": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 1},
            "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "epochs": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
        },
        "required": ["toys", "trainings", "epochs"],
    }
}


def reached(declared: list[int], stored: np.ndarray) -> list[int]:
    """The declared epochs, cut at the last one that the edition trained, each once."""
    last = int(stored.max())
    return sorted({min(epoch, last) for epoch in declared})


class Boundaries:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        return Needs(toys=[(toy, training) for toy in declaration["toys"] for training in declaration["trainings"]])

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        found: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        for toy in declaration["toys"]:
            for training in declaration["trainings"]:
                networks = read_npz(context.root / context.paths.toy(toy, training, "networks.npz"))
                record = read_json(context.root / context.paths.toy(toy, training, "record.json"))
                epochs = reached(declaration["epochs"], networks["epochs"])
                found += [
                    context.named(toy=toy, training=training) | measure
                    for measure in record["measures"]
                    if measure["epoch"] in epochs
                ]
                grid_x, grid_y = grid(networks["points"])
                arrays |= {"grid_x": grid_x, "grid_y": grid_y}
                arrays |= {name: networks[name] for name in ("points", "labels", "kept")}
                for epoch in epochs:
                    network = network_at(networks, epoch, 0)
                    confidence = confidence_map(network, grid_x, grid_y)
                    arrays[f"confidence/{training}/{epoch}"] = confidence.astype(np.float32)
                    if network.normalised:
                        # Its confidence jumps at the boundary, where a contour would follow the grid's steps.
                        gaps = gap(network, np.stack(np.meshgrid(grid_x, grid_y), axis=-1))
                        arrays[f"gap/{training}/{epoch}"] = gaps.astype(np.float32)
        columns = ["paper", "exhibit", "toy", "training", "seed", "epoch", "quantity", "value"]
        return Tidy(columns, found, arrays)
