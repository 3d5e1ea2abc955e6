"""D13: does one number in front of the logits, or more digits, change what PGD achieves?"""

from __future__ import annotations

import copy

import torch

from lossproof.jury.bench import Bench, Variant
from lossproof.jury.finding import Finding, paired, standing
from lossproof.jury.parameters import STEPS

CATALOGUE = {
    "logit_scale": {
        "build": "logit_scale",
        "id": "D13",
        "of": "model",
        "title": "what PGD gains when logits are scaled, or in float64",
        "unit": "points",
        "threshold": 1,
        "flag": "above",
        "source": "arXiv:2003.01690 (cross entropy is not invariant to the logits' scale)",
        "parameters": {
            "steps": STEPS,
            "scales": {
                "type": "array",
                "items": {"type": "number", "exclusiveMinimum": 0},
                "minItems": 1,
                "default": [0.01, 0.1, 1, 10, 100],
                "description": "factors on the logits, rising",
            },
        },
    }
}


def logit_scale(bench: Bench, *, steps: int, scales: list[float]) -> Finding:
    """Accuracy under PGD on cross entropy less the lowest of those with scaled logits and in float64.

    No factor above 0 changes a prediction, so that none should change what can be fooled.
    """
    (usual,) = bench.pgd(steps=steps)
    others = [scale for scale in scales if scale != 1]
    fooled = {1.0: usual.fooled}
    variants = [Variant(scale=scale) for scale in others]
    found = bench.trace("pgd on scaled logits", variants, steps=steps) if others else []
    fooled |= {scale: trace.fooled for scale, trace in zip(others, found, strict=True)}
    twice = copy.deepcopy(bench.model).double()
    (fine,) = bench.trace("pgd in float64", steps=steps, model=twice, dtype=torch.float64)
    levels = [standing(fooled[scale]) for scale in scales]
    words = {f"with logits x {scale:g}": fooled[scale] for scale in others} | {"in float64": fine.fooled}
    best = min(words, key=lambda name: standing(words[name]))
    first, second = standing(usual.fooled), standing(words[best])
    return Finding(
        max(0.0, first - second),
        f"{first:.1f} % stand PGD-{steps}, {second:.1f} % stand it {best}",
        len(bench),
        p=paired(words[best], usual.fooled, among=len(words)),
        curves={"scale": scales, "accuracy": levels, "float64": standing(fine.fooled)},
    )
