"""Sweeps: one declaration for a grid of trainings that differ in some settings of one recipe."""

from __future__ import annotations

import copy
from itertools import product
from typing import Any


def points(config: dict[str, Any], sweep: str) -> list[tuple[str, dict[str, Any]]]:
    """The trainings of a sweep, in order: name, and the values of the swept settings by key.

    ``isce_grid.s=1.m=0.05`` is the sweep ``isce_grid`` at s = 1 and m = 0.05; of a key such as ``defence.epsilon``
    the name has the last part.
    """
    over = config["sweeps"][sweep]["over"]
    found = []
    for values in product(*over.values()):
        chosen = dict(zip(over, values, strict=True))
        parts = [f"{key.rpartition('.')[2]}={str(value).replace('/', 'of')}" for key, value in chosen.items()]
        found.append((".".join([sweep, *parts]), chosen))
    return found


def recipes(config: dict[str, Any], sweep: str) -> dict[str, dict[str, Any]]:
    """The recipes of a sweep's trainings by name: its base with the swept settings put in."""
    base = config["trainings"][config["sweeps"][sweep]["base"]]
    found = {}
    for name, chosen in points(config, sweep):
        recipe = copy.deepcopy(base)
        for key, value in chosen.items():
            *parents, last = key.split(".")
            place = recipe
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = value
        found[name] = recipe
    return found
