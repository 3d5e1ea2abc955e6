"""D18: does a score that float32 rounds stop an attack that only compares scores?"""

from __future__ import annotations

import math

import numpy as np

from lossproof.attacks.losses import gap
from lossproof.attacks.methods.simba import simba
from lossproof.jury.bench import Bench
from lossproof.jury.finding import Finding, not_judged, sign_test
from lossproof.jury.parameters import SOME_IMAGES

CATALOGUE = {
    "simba": {
        "build": "acceptance",
        "id": "D18",
        "of": "model",
        "title": "steps that SimBA accepts by probability, of those it accepts by margin",
        "unit": "ratio",
        "threshold": 0.5,
        "flag": "below",
        "source": "SimBA: arXiv:1905.07121; float32 rounds the probability to 1",
        "parameters": {
            "queries": {"type": "integer", "minimum": 2, "default": 300, "description": "queries per image at most"},
            "step": {"type": "number", "exclusiveMinimum": 0, "default": 0.2, "description": "length of a step"},
            "images": SOME_IMAGES,
        },
    }
}


def acceptance(bench: Bench, *, queries: int, step: float, images: int | None) -> Finding:
    """SimBA's share of accepted tries when it looks at the true class's probability, over that by the margin.

    Both searches try the same directions, without a bound. p: a sign test over the images that theirs is below half.
    """
    part = bench.first(images)
    clean, labels = bench.images[part], bench.labels[part]
    if bench.drawn:
        return not_judged("the network draws at each pass, so scores differ by luck", len(labels))
    tries, accepted = {}, {}
    for score in ("probability", "margin"):
        made = simba(
            bench.model, clean, labels, norm="l2", epsilons=[math.inf], step_sizes=[step], seed=bench.seed("simba"),
            steps=queries, score=score,
        )  # fmt: skip
        tries[score] = made.figures["queries"][0].cpu().numpy() - 1
        rates = made.figures["acceptance"][0].cpu().numpy()
        accepted[score] = np.where(tries[score] > 0, rates * tries[score] / 100, 0)
        won = gap(bench.ask(made.images[0]), labels) < 0
        bench.note(f"simba by {score}", clean, made.images[0], labels, won)
    by_probability, by_margin = (float(accepted[score].sum() / tries[score].sum()) for score in tries)
    curves = {"probability": 100 * by_probability, "margin": 100 * by_margin}
    says = f"SimBA accepts {100 * by_probability:.1f} % of its tries by probability, {100 * by_margin:.1f} % by margin"
    if by_margin == 0:
        return not_judged(says, len(labels), **curves)
    shares = {score: accepted[score] / tries[score] for score in tries}
    below = shares["probability"] < shares["margin"] / 2
    return Finding(
        by_probability / by_margin, says, len(labels), p=sign_test(int(below.sum()), int((~below).sum())), curves=curves
    )
