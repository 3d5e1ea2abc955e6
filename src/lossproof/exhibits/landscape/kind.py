"""Loss surfaces of trained networks on a random plane, by two methods."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns, run_of
from lossproof.paths import LANDSCAPE_METHODS
from lossproof.records import read_npz

CATALOGUE = {
    "landscape": {
        "build": "Landscape",
        "figure": "figure:draw",
        "grids": True,
        "parameters": {
            "dataset": {"type": "string"},
            "arch": {"type": "string"},
            "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["dataset", "arch", "trainings"],
    }
}
METRICS = ("ce", "own", "error")
RADII = (0.25, 0.5, 1.0)


def _summary(axis_u: np.ndarray, axis_v: np.ndarray, surface: np.ndarray) -> dict[str, float]:
    """Value at the point nearest the centre, and the mean on rings of given relative radius."""
    radius = np.hypot(axis_u[:, None], axis_v[None, :])
    reach = min(abs(axis_u).max(), abs(axis_v).max())
    found = {"nearest_centre": float(surface.flat[int(radius.argmin())]), "largest": float(np.nanmax(surface))}
    for share in RADII:
        ring = np.abs(radius - share * reach) <= 0.06 * reach
        found[f"mean_at_{share:g}_of_reach"] = float(surface[ring].mean()) if ring.any() else float("nan")
    return found


class Landscape:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        dataset, arch = declaration["dataset"], declaration["arch"]
        return Needs(landscapes=[run_of(stand_ins, dataset, arch, training) for training in declaration["trainings"]])

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        found: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        for training in declaration["trainings"]:
            run = run_of(context.stand_ins, declaration["dataset"], declaration["arch"], training)
            for method in LANDSCAPE_METHODS:
                grids = read_npz(context.root / context.paths.landscape(run, 0, method))
                arrays |= {f"axis_{axis}/{method}": grids[f"axis_{axis}"] for axis in "uv"}
                for metric in METRICS:
                    if metric not in grids:
                        continue
                    arrays[f"{training}/{method}/{metric}"] = grids[metric]
                    named = context.named(
                        dataset=declaration["dataset"],
                        data=run.dataset,
                        arch=declaration["arch"],
                        training=training,
                        method=method,
                        metric=metric,
                    )
                    summary = _summary(grids["axis_u"], grids["axis_v"], grids[metric])
                    found += [named | {"quantity": key, "value": value} for key, value in summary.items()]
        columns = ["paper", "exhibit", "dataset", "data", "arch", "training", "method", "metric", "quantity", "value"]
        return Tidy(columns, found, arrays)
