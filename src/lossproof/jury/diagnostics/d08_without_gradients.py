"""D8, D16 and D17: does an attacker who sees no gradient do what one with gradients cannot?"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lossproof.attacks.losses import gap
from lossproof.attacks.methods.spsa import directions, spsa
from lossproof.attacks.seeded import seeded
from lossproof.jury.bench import Bench
from lossproof.jury.finding import Finding, not_judged, paired, sign_test, standing
from lossproof.jury.parameters import SOME_IMAGES, STEPS
from lossproof.models.frozen import frozen
from lossproof.threats.balls import project

CATALOGUE = {
    "black_box": {
        "build": "black_box",
        "id": "D8",
        "of": "model",
        "title": "what Square fools beyond the worst case with gradients",
        "unit": "points",
        "threshold": 0.2,
        "flag": "above",
        "source": "arXiv:2003.01690 (fra31/auto-attack, checks.py); Square: arXiv:1912.00049",
        "parameters": {
            "queries": {"type": "integer", "minimum": 1, "default": 5000, "description": "queries of Square"},
            "steps": {
                "type": "integer",
                "minimum": 1,
                "default": 100,
                "description": "steps of the worst case over PGD on cross entropy and on the margin",
            },
            "restarts": {"type": "integer", "minimum": 1, "default": 5, "description": "its random starts per loss"},
        },
    },
    "noise": {
        "build": "noise",
        "id": "D16",
        "of": "model",
        "title": "random noise less PGD",
        "unit": "points",
        "threshold": 0,
        "flag": "below",
        "source": "arXiv:1802.00420; arXiv:1902.06705",
        "parameters": {
            "draws": {"type": "integer", "minimum": 1, "default": 1000, "description": "draws per image"},
            "steps": STEPS,
        },
    },
    "spsa": {
        "build": "estimated",
        "id": "D17",
        "of": "model",
        "title": "SPSA less PGD",
        "unit": "points",
        "threshold": 0,
        "flag": "below",
        "source": "arXiv:1802.05666; arXiv:1902.06705",
        "parameters": {
            "samples": {"type": "integer", "minimum": 1, "default": 2048, "description": "pairs of queries per step"},
            "iterations": {"type": "integer", "minimum": 1, "default": 100, "description": "steps of SPSA"},
            "images": SOME_IMAGES,
            "steps": STEPS,
        },
    },
}

REACHED = 0.99
"""Of epsilon: an SPSA that stays below it has not tried."""


def black_box(bench: Bench, *, queries: int, steps: int, restarts: int) -> Finding:
    """The share of images that stand PGD on cross entropy and on the margin and fall to Square.

    p: of a sign test on them; as Square is not asked about the others, no image can speak against it, and it takes
    five to be sure.
    """
    every = np.ones(len(bench), bool)
    left = ~bench.search("worst case", every, losses=["ce", "margin"], steps=steps, restarts=restarts)
    fooled = _square(bench, left, queries)
    white = standing(~left)
    return Finding(
        standing(~fooled),
        f"{white:.1f} % stand PGD-{steps} on cross entropy and on the margin; Square with {queries} queries fools "
        f"{int(fooled.sum())} of these {int(left.sum())} images",
        len(bench),
        p=sign_test(int(fooled.sum()), 0),
        curves={"white_box": white, "with_square": standing(~left | fooled)},
    )


def _square(bench: Bench, rows: np.ndarray, queries: int) -> np.ndarray:
    """Which of the images ``rows`` (bool [N]) Square fools, bool [N]."""
    from pyautoattack.square import SquareAttack

    fooled, chosen = np.zeros(len(bench), bool), np.flatnonzero(rows)
    for at in range(0, len(chosen), size := bench.size()):
        part = torch.from_numpy(chosen[at : at + size]).to(bench.labels.device)
        images, labels = bench.images[part], bench.labels[part]
        # The library seeds torch's global generators.
        with seeded(images.device, "square"), frozen(bench.model), torch.no_grad():
            tool = SquareAttack(
                bench.model, norm={"linf": "Linf", "l2": "L2"}[bench.norm], eps=bench.epsilon, n_queries=queries,
                resc_schedule=False, seed=bench.seed("square", at), device=images.device,
            )  # fmt: skip
            points = tool.perturb(images, labels)
        won = gap(bench.ask(points), labels) < 0
        # It gives back the clean image where it fails.
        bench.note("square", images, points, labels, won, still=True)
        fooled[chosen[at : at + size]] = won.cpu().numpy()
    return fooled


def _noisy(bench: Bench, ways: Tensor, images: Tensor) -> Tensor:
    """Images [s, n, ...] at distance epsilon along signs [s, n, ...], cut to the box."""
    length = 1.0 if bench.norm == "linf" else images[0].numel() ** 0.5
    radius = torch.full_like(images[:, :1, :1, :1], bench.epsilon)
    return torch.stack([project(images + bench.epsilon / length * way, images, bench.norm, radius) for way in ways])


def noise(bench: Bench, *, draws: int, steps: int) -> Finding:
    """Accuracy under the worst of many random signs of size epsilon, less that under PGD on cross entropy."""
    fooled = torch.zeros_like(bench.labels, dtype=torch.bool)
    generator = bench.generator("noise")
    for ways in directions(bench.images, draws, generator):
        rows = ~fooled
        if not bool(rows.any()):
            break
        points = _noisy(bench, ways[:, rows], bench.images[rows])
        logits = bench.ask(points.flatten(0, 1))
        won = gap(logits, bench.labels[rows].repeat(len(ways))) < 0
        fooled[rows] |= won.view(len(ways), -1).any(0)
    (trace,) = bench.pgd(steps=steps)
    found = fooled.cpu().numpy()
    first, second = standing(found), standing(trace.fooled)
    return Finding(
        first - second,
        f"{first:.1f} % stand {draws} draws of noise, {second:.1f} % stand PGD-{steps}",
        len(bench),
        p=paired(found, trace.fooled),
        curves={"accuracy": first, "pgd": second},
    )


def estimated(bench: Bench, *, samples: int, iterations: int, images: int | None, steps: int) -> Finding:
    """Accuracy under SPSA on the margin less that under PGD on cross entropy, on the first of the images.

    Adam's rate is such that a pixel can cross the ball within the iterations; the radius reached is in the curves.
    An SPSA that does not reach it and fools no more is no ground to clear the network.
    """
    part = bench.first(images)
    clean, labels = bench.images[part], bench.labels[part]
    made = spsa(
        bench.model, clean, labels, norm=bench.norm, epsilons=[bench.epsilon],
        step_sizes=[bench.step(bench.epsilon, iterations)], seed=bench.seed("spsa"), steps=iterations, samples=samples,
    )  # fmt: skip
    won = gap(bench.ask(made.images[0]), labels) < 0
    bench.note("spsa", clean, made.images[0], labels, won)
    (trace,) = bench.pgd(steps=steps)
    found, rival = won.cpu().numpy(), trace.fooled[part]
    first, second = standing(found), standing(rival)
    # An image that falls at once need not go on to the edge.
    reached = made.figures["reached"][0].cpu().numpy()
    median = float(np.median(reached[~found] if (~found).any() else reached))
    curves = {"accuracy": first, "pgd": second, "reached": median}
    says = (
        f"{first:.1f} % stand SPSA ({samples} pairs x {iterations}), {second:.1f} % of the same images stand "
        f"PGD-{steps}; it moved {median:.3g} of ε = {bench.epsilon:.3g}"
    )
    if median < REACHED * bench.epsilon and first >= second:
        return not_judged(f"{says}, too little to tell", len(found), **curves)
    return Finding(first - second, says, len(found), p=paired(found, rival), curves=curves)
