"""Mean gaps of probability on clean test images: the true class's less the largest of the others (`pc`, introduction).

Images that the network gets wrong count with their negative gap.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from lossproof.exhibits.accuracy import COLUMNS, block_runs
from lossproof.exhibits.by_dataset import LISTS, of
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns, run_of
from lossproof.paths import Run
from lossproof.records import read_npz
from lossproof.statistics import intervals

CATALOGUE = {
    "mean_gaps": {
        "build": "MeanGaps",
        "figure": "figure:draw",
        "table": "table:mean_gaps_table",
        "answers": True,  # its tidy table answers reported numbers
        "parameters": {
            "datasets": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "archs": LISTS,
            "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "rival": {"type": "string", "description": "the training that the others are measured against"},
        },
        "required": ["datasets", "archs", "trainings", "rival"],
    }
}
METRIC = "mean_probability_gap"
ARRAY = "test_gap"


class MeanGaps:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        return Needs(
            models=[run for dataset in declaration["datasets"] for run in _runs(declaration, stand_ins, dataset)]
        )

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        found: list[dict[str, Any]] = []
        rival = declaration["rival"]
        for dataset in declaration["datasets"]:
            gaps = {run: _gaps(context, run) for run in _runs(declaration, context.stand_ins, dataset)}
            for arch in of(declaration, "archs", dataset):
                beside = run_of(context.stand_ins, dataset, arch, rival)
                for training in declaration["trainings"]:
                    run = run_of(context.stand_ins, dataset, arch, training)
                    named = context.named(dataset=dataset, data=run.dataset, arch=arch, training=training)
                    found += _rows(named | _said(context, run), *gaps[run])
                    if run != beside:
                        found.append(_difference(named | _said(context, run), gaps[run][0], rival, gaps[beside][0]))
        return Tidy(COLUMNS, found)


def _runs(declaration: dict[str, Any], stand_ins: StandIns, dataset: str) -> list[Run]:
    archs = of(declaration, "archs", dataset)
    return block_runs(stand_ins, dataset, archs, declaration["trainings"], declaration["rival"])


def _gaps(context: Context, run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Gaps float64 [S, N] in probability and whether the prediction is right, bool [S, N]."""
    gaps, right = [], []
    for seed in range(context.seeds):
        path = context.paths.model(run, seed, "predictions.npz")
        file = read_npz(context.root / path)
        if ARRAY not in file:
            raise ValueError(f"{path}: array '{ARRAY}' is missing (found: {', '.join(file)})")
        gaps.append(file[ARRAY].astype(np.float64))
        right.append(file["test_prediction"] == file["test_label"])
    return np.stack(gaps), np.stack(right)


def _said(context: Context, run: Run) -> dict[str, Any]:
    return {"split": "test", "attack": "none", "record": context.paths.model(run, "*", "record.json")}


def _rows(named: dict[str, Any], gaps: np.ndarray, right: np.ndarray) -> Iterable[dict[str, Any]]:
    """Rows of one run: the gap in probability, and the accuracy in percent that it should be read beside."""
    measures = ((METRIC, gaps, _mean), ("test_accuracy", right, intervals.accuracy))
    for metric, values, estimate in measures:
        shared = named | {"metric": metric, "n_images": values.shape[1]}
        for seed in range(len(values)):
            record = named["record"].replace("seed*", f"seed{seed}")
            yield shared | {"seed": seed, "seeds": 1, "record": record} | _cells(estimate(values[seed : seed + 1]))
        yield shared | {"seeds": len(values)} | _cells(estimate(values))


def _difference(named: dict[str, Any], gaps: np.ndarray, rival: str, other: np.ndarray) -> dict[str, Any]:
    """The row of one training's gaps less another's, paired by seed and image."""
    said = {"metric": "difference", "rival": rival, "seeds": len(gaps), "n_images": gaps.shape[1]}
    return named | said | _cells(intervals.mean(gaps - other))


def _mean(gaps: np.ndarray) -> intervals.Estimate:
    value, low, high = intervals.mean(gaps)
    return intervals.Estimate(value, max(low, -1.0), min(high, 1.0))


def _cells(found: intervals.Estimate) -> dict[str, float]:
    return {"value": found.value, "ci_low": found.low, "ci_high": found.high}
