"""The landscape around images: the gap and cross entropy on the plane of the gradient's sign and a random sign."""

from __future__ import annotations

import numpy as np
import torch

from lossproof.attacks.losses import ce, gap, margin
from lossproof.attacks.methods.spsa import directions
from lossproof.jury.bench import Bench
from lossproof.jury.finding import Finding, not_judged
from lossproof.models.frozen import frozen
from lossproof.threats.balls import steepest

CATALOGUE = {
    "surface": {
        "build": "surface",
        "id": "",
        "of": "model",
        "title": "gap and cross entropy around the images",
        "unit": "",
        "threshold": None,
        "flag": "above",
        "source": "a picture, not a test",
        "parameters": {
            "points": {"type": "integer", "minimum": 3, "default": 21, "description": "per axis; odd, to hold 0"},
            "images": {
                "type": ["integer", "null"],
                "minimum": 1,
                "default": 64,
                "description": "how many of the right images; null = all",
            },
        },
    }
}


def surface(bench: Bench, *, points: int, images: int | None) -> Finding:
    """Means over images at x + a u + b v, a and b from -epsilon to epsilon, cut to the box.

    u: the steepest direction of the margin (the gradient's sign; L2: the gradient), which no logit can saturate; v: a
    random sign (L2: of unit length). Curves: along, across [g] in multiples of epsilon; gap, ce [g, g], rows: along.
    """
    part = bench.first(images)
    clean, labels = bench.images[part], bench.labels[part]
    with frozen(bench.model), torch.enable_grad():
        point = clean.clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(margin(bench.model(point), labels).sum(), point)
    along = steepest(gradient, bench.norm)
    (across,) = next(directions(clean, 1, bench.generator("across")))
    if bench.norm == "l2":
        across = across / across[0].numel() ** 0.5
    axis = np.linspace(-1, 1, points)
    gaps, losses = np.zeros((2, points, points))
    for at, a in enumerate(axis):
        row = torch.stack([clean + bench.epsilon * (float(a) * along + float(b) * across) for b in axis])
        logits = bench.ask(row.clamp_(0, 1).flatten(0, 1)).double()
        truth = labels.repeat(points)
        gaps[at], losses[at] = (f(logits, truth).view(points, -1).mean(1).cpu().numpy() for f in (gap, ce))
    return not_judged(
        f"mean gap {gaps[points // 2, points // 2]:.3g} at the images, {gaps[-1, points // 2]:.3g} at ε along the "
        "margin's gradient",
        len(labels),
        along=axis.tolist(),
        across=axis.tolist(),
        gap=gaps.tolist(),
        ce=losses.tolist(),
    )
