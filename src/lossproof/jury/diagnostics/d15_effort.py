"""D15: would PGD as printed have found more, had it only gone on?"""

from __future__ import annotations

import numpy as np

from lossproof.jury.bench import Bench
from lossproof.jury.finding import Finding, paired, standing
from lossproof.jury.parameters import STEPS

CATALOGUE = {
    "effort": {
        "build": "effort",
        "id": "D15",
        "of": "attack",
        "title": "what the longest PGD gains over the one before",
        "unit": "points",
        "threshold": 1,
        "flag": "above",
        "source": "arXiv:1902.06705",
        "parameters": {
            "steps": {
                "type": "array",
                "items": {"type": "integer", "minimum": 1},
                "minItems": 2,
                "default": [10, 50, 200],
                "description": "numbers of gradient steps, rising",
            },
            "restarts": {
                "type": "array",
                "items": {"type": "integer", "minimum": 1},
                "minItems": 2,
                "default": [1, 5, 20],
                "description": "numbers of random starts, rising",
            },
            "restart_steps": STEPS,
        },
    }
}


def effort(bench: Bench, *, steps: list[int], restarts: list[int], restart_steps: int) -> Finding:
    """How far accuracy under PGD on cross entropy still falls at the last increase of steps, or of random starts.

    More is only spent on images that stand, so that no effort can lose what a smaller one found; the first start is
    that of all other traces.
    """
    longer = [bench.pgd(steps=steps[0])[0].fooled]
    for count in steps[1:]:
        longer.append(_again(bench, longer[-1], count, 0))
    more = [bench.pgd(steps=restart_steps)[0].fooled]
    for start in range(1, max(restarts)):
        more.append(_again(bench, more[-1], restart_steps, start))
    more = [more[count - 1] for count in restarts]
    falls = {
        f"{steps[-1]} steps in place of {steps[-2]}": (longer[-2], longer[-1]),
        f"{restarts[-1]} starts in place of {restarts[-2]}": (more[-2], more[-1]),
    }
    best = max(falls, key=lambda name: standing(falls[name][0]) - standing(falls[name][1]))
    before, after = falls[best]
    fall = standing(before) - standing(after)
    return Finding(
        max(0.0, fall),
        f"{best} change accuracy from {standing(before):.1f} % to {standing(after):.1f} %",
        len(bench),
        p=paired(after, before, among=len(falls)),
        curves={
            "steps": steps,
            "steps_accuracy": [standing(found) for found in longer],
            "restarts": restarts,
            "restarts_accuracy": [standing(found) for found in more],
        },
    )


def _again(bench: Bench, fooled: np.ndarray, steps: int, start: int) -> np.ndarray:
    """Who is fooled, [N], once PGD has tried those that are not."""
    after, rows = fooled.copy(), ~fooled
    if rows.any():
        after[rows] = bench.trace("pgd again", steps=steps, rows=rows, start=start)[0].fooled
    return after
