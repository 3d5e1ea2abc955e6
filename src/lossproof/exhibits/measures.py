"""Tidy rows of measures that a network has once: every seed's, and the mean over seeds with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lossproof.statistics.intervals import over_seeds

NAMED = ("paper", "exhibit", "dataset", "data", "arch", "training", "seed", "seeds", "quantity")
VALUES = ("value", "ci_low", "ci_high", "n_images", "record")
# From a measure to the values that it can have, where the interval ends too.
Ranges = Mapping[str, tuple[float, float]]


def rows(
    named: dict[str, Any], ranges: Ranges, records: Sequence[Mapping[str, Any]], paths: Sequence[str], every: str
) -> Iterator[dict[str, Any]]:
    """Rows of one run; ``records`` and their ``paths`` by seed, ``every`` the pattern of all.

    The mean is over the seeds in which a measure exists (is not None).
    """
    for quantity, (least, most) in ranges.items():
        shared = named | {"quantity": quantity}
        values = [record[quantity] for record in records]
        for seed, (value, path) in enumerate(zip(values, paths, strict=True)):
            yield shared | {"seed": seed, "seeds": 1, "value": value, "record": path}
        known = np.array([value for value in values if value is not None], dtype=float)
        if len(known):
            mean, *bounds = over_seeds(known)
            low, high = (None if math.isnan(bound) else min(max(bound, least), most) for bound in bounds)
            yield shared | {"seeds": len(known), "value": mean, "ci_low": low, "ci_high": high, "record": every}
