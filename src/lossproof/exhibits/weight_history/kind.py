"""Last-layer weights over training, epoch by epoch, from the histories of image networks."""

from __future__ import annotations

from typing import Any

from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns, run_of
from lossproof.records import read_csv

CATALOGUE = {
    "weight_history": {
        "build": "WeightHistory",
        "figure": "figure:draw",
        "parameters": {
            "dataset": {"type": "string"},
            "arch": {"type": "string"},
            "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["dataset", "arch", "trainings"],
    }
}
QUANTITIES = ("norm", "q00", "q05", "q25", "q50", "q75", "q95", "q100", "train_accuracy", "test_accuracy")


class WeightHistory:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        dataset, arch = declaration["dataset"], declaration["arch"]
        return Needs(histories=[run_of(stand_ins, dataset, arch, training) for training in declaration["trainings"]])

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        found = []
        for training in declaration["trainings"]:
            run = run_of(context.stand_ins, declaration["dataset"], declaration["arch"], training)
            for seed in range(context.seeds):
                for row in read_csv(context.root / context.paths.model(run, seed, "history.csv")):
                    found += [
                        context.named(
                            dataset=declaration["dataset"],
                            data=run.dataset,
                            arch=declaration["arch"],
                            training=training,
                            seed=seed,
                            epoch=int(row["epoch"]),
                            quantity=quantity,
                            value=float(row[quantity]),
                        )
                        for quantity in QUANTITIES
                    ]
        columns = ["paper", "exhibit", "dataset", "data", "arch", "training", "seed", "epoch", "quantity", "value"]
        return Tidy(columns, found)
