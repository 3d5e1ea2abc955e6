"""Tidy rows of a sweep's trainings: the accuracy of each, and its difference to the best of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from lossproof.exhibits import accuracy
from lossproof.exhibits.context import Context
from lossproof.exhibits.stand_ins import StandIns, run_of
from lossproof.paths import Run

COLUMNS = [*accuracy.COLUMNS, "x_parameter", "x", "y_parameter", "y"]

# ``training``, and ``values``: (key, value) of the swept settings in order; declare.py writes them into a declaration.
# A list, as mappings lose their order on the way to a step.
Point = dict[str, Any]


def place(value: object) -> float:
    """Where a swept value stands on its axis: numbers, decimals and fractions as text; ValueError for others."""
    return float(Fraction(str(value)))


def axes(point: Point) -> dict[str, Any]:
    """A point's place in the columns of the tidy table: the first swept setting is x, the second y."""
    found: dict[str, Any] = {}
    for axis, (key, value) in zip("xy", point["values"], strict=False):
        found |= {f"{axis}_parameter": key, axis: place(value)}
    return found


def runs(stand_ins: StandIns, dataset: str, arch: str, points: Sequence[Point]) -> list[Run]:
    """The runs of a sweep on one data set."""
    return [run_of(stand_ins, dataset, arch, point["training"]) for point in points]


def rows(
    context: Context, dataset: str, arch: str, points: Sequence[Point], attacks: Sequence[str]
) -> Iterable[dict[str, Any]]:
    """Rows of every point; without attack and under each, those beside the best have their difference to it.

    The best is the largest mean over seeds, so it is chosen on the images that it is then compared on: that
    favours it. Differences are paired by image and seed.
    """
    measured = {
        run.training: accuracy.measurements(
            context.root, context.paths, run, range(context.seeds), attacks, context.splits
        )
        for run in runs(context.stand_ins, dataset, arch, points)
    }
    for number in range(len(measured[points[0]["training"]])):
        best = max(measured, key=lambda training: float(measured[training][number][1].mean()))
        for point in points:
            training = point["training"]
            named = context.named(
                dataset=dataset, data=str(context.stand_ins[dataset]), arch=arch, training=training
            ) | axes(point)
            rival = None if training == best else best
            yield from accuracy.rows(named, [measured[training][number]], rival, [measured[best][number]])
