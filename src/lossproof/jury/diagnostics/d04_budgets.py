"""D4 and D5: does an attacker who may do more achieve more, and in the end everything?"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from lossproof.jury.bench import Bench
from lossproof.jury.finding import Finding, paired, share, standing
from lossproof.jury.parameters import STEPS

CATALOGUE = {
    "unbounded": {
        "build": "unbounded",
        "id": "D4",
        "of": "model",
        "title": "right without any bound",
        "unit": "percent",
        "threshold": 0,
        "flag": "above",
        "source": "arXiv:1802.00420; arXiv:1902.06705; arXiv:2106.09947, indicator 6",
        "parameters": {
            "steps": {"type": "integer", "minimum": 1, "default": 200, "description": "gradient steps of PGD"},
            "restarts": {
                "type": "integer",
                "minimum": 1,
                "default": 5,
                "description": "random starts, for the images that still stand",
            },
        },
    },
    "monotone": {
        "build": "monotone",
        "id": "D5",
        "of": "model",
        "title": "accuracy that rises with the budget",
        "unit": "points",
        "threshold": 1,
        "flag": "above",
        "source": "arXiv:1902.06705; arXiv:1802.00420",
        "parameters": {
            "steps": STEPS,
            "factors": {
                "type": "array",
                "items": {"type": "number", "exclusiveMinimum": 0},
                "minItems": 2,
                "default": [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4],
                "description": "budgets as multiples of epsilon, rising",
            },
        },
    },
}


def unbounded(bench: Bench, *, steps: int, restarts: int) -> Finding:
    """Accuracy under PGD on the margin in a ball that holds every image (L-inf: radius 1)."""
    fooled = bench.search(
        "unbounded", np.ones(len(bench), bool), losses=["margin"], steps=steps, restarts=restarts, radius=bench.whole
    )
    return Finding(
        share(~fooled),
        f"{int((~fooled).sum())} of {len(bench)} images stand PGD-{steps} on the margin that may change every pixel "
        "at will",
        len(bench),
    )


def monotone(bench: Bench, *, steps: int, factors: list[float]) -> Finding:
    """The largest rise of accuracy under PGD on cross entropy from one budget to the next larger one.

    Each budget is a run of its own: an image that a smaller one fools does not count for a larger one.
    """
    traces = bench.pgd(steps=steps, factors=factors)
    levels = [standing(trace.fooled) for trace in traces]
    rises = [(larger - smaller, at) for at, (smaller, larger) in enumerate(pairwise(levels))]
    rise, at = max(rises, key=lambda found: found[0])
    small, large = (f"{bench.epsilon * factors[place]:.3g}" for place in (at, at + 1))
    return Finding(
        max(0.0, rise),
        f"accuracy rises by {rise:.1f} points from ε = {small} to {large}"
        if rise > 0
        else f"accuracy never rises over {len(factors)} budgets, and ends at {levels[-1]:.1f} %",
        len(bench),
        p=paired(traces[at].fooled, traces[at + 1].fooled, among=len(rises)),
        curves={"epsilon": [bench.epsilon * factor for factor in factors], "accuracy": levels},
    )
