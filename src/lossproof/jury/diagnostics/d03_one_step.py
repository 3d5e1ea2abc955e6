"""D3: does a single step do more than many?"""

from __future__ import annotations

from lossproof.jury.bench import Bench
from lossproof.jury.finding import Finding, paired, standing
from lossproof.jury.parameters import STEPS

CATALOGUE = {
    "one_step": {
        "build": "one_step",
        "id": "D3",
        "of": "model",
        "title": "FGSM less PGD",
        "unit": "points",
        "threshold": 0,
        "flag": "below",
        "source": "arXiv:1802.00420; arXiv:1902.06705",
        "parameters": {"steps": STEPS},
    }
}


def one_step(bench: Bench, *, steps: int) -> Finding:
    """Accuracy under one step of length epsilon less that under PGD, both on cross entropy."""
    (single,), (many,) = bench.trace("fgsm", steps=1, random_start=False), bench.pgd(steps=steps)
    first, second = standing(single.fooled), standing(many.fooled)
    return Finding(
        first - second,
        f"{first:.1f} % stand one step, {second:.1f} % stand PGD-{steps}",
        len(bench),
        p=paired(single.fooled, many.fooled),
        curves={"fgsm": first, "pgd": second},
    )
