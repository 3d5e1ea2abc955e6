"""Last-layer weights of toy networks over training, and loss and gradient against the true logit."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns
from lossproof.records import read_json, read_npz

CATALOGUE = {
    "weights_and_curves": {
        "build": "WeightsAndCurves",
        "figure": "figure:draw",
        "parameters": {
            "toy": {"type": "string"},
            "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "curves": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["toy", "trainings", "curves"],
    }
}
CURVES = "loss_curves"


class WeightsAndCurves:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        return Needs(toys=[(declaration["toy"], training) for training in declaration["trainings"]], theory=[CURVES])

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        found: list[dict[str, Any]] = []
        for training in declaration["trainings"]:
            networks = read_npz(context.root / context.paths.toy(declaration["toy"], training, "networks.npz"))
            named = context.named(part="weights", training=training)
            last = networks["w2"].astype(np.float64)  # [epochs, seeds, hidden, 2]
            for at, epoch in enumerate(networks["epochs"].tolist()):
                found += [
                    named | {"seed": 0, "x": epoch, "quantity": f"weight_{index:02d}", "value": float(value)}
                    for index, value in enumerate(last[at, 0].ravel())
                ]
                found += [
                    named | {"seed": seed, "x": epoch, "quantity": "norm", "value": float(np.sqrt((weights**2).sum()))}
                    for seed, weights in enumerate(last[at])
                ]
        curves = read_json(context.root / context.paths.theory(context.paper, CURVES))["curves"]
        for training in declaration["curves"]:
            for part in ("loss", "gradient"):
                named = context.named(part=part, training=training, quantity=part)
                values = zip(curves["x"], curves[f"{training}/{part}"], strict=True)
                found += [named | {"x": x, "value": value} for x, value in values]
        columns = ["paper", "exhibit", "part", "training", "seed", "x", "quantity", "value"]
        return Tidy(columns, found)
