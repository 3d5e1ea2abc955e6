"""D9 and D12: are the outputs steady from pass to pass and from pixel to pixel, and are they logits?"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from lossproof.attacks.losses import ce, gap
from lossproof.jury.bench import DRAWN, Bench
from lossproof.jury.finding import Finding, not_judged, sign_test

CATALOGUE = {
    "unstable": {
        "build": "unstable",
        "id": "D9",
        "of": "model",
        "title": "relative change of the loss around an image, beyond the twin's",
        "unit": "share",
        "threshold": 0.1,
        "flag": "above",
        "source": "arXiv:2106.09947, indicator 2 (pralab/IndicatorsOfAttackFailure); the threshold is ours",
        "parameters": {
            "offsets": {"type": "integer", "minimum": 1, "default": 100, "description": "random offsets per image"},
            "radius": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 0.03137254901960784,
                "description": "of the offsets in pixels: each is uniform within half of it; 8/255 as published",
            },
        },
    },
    "outputs": {
        "build": "outputs",
        "id": "D12",
        "of": "model",
        "title": "outputs that differ from pass to pass, or are no logits",
        "unit": "distance",
        "threshold": DRAWN,
        "flag": "above",
        "source": "arXiv:2003.01690 (fra31/auto-attack, checks.py)",
        "parameters": {
            "passes": {"type": "integer", "minimum": 2, "default": 5, "description": "over the same images"}
        },
    },
}
PROBABLE = 1e-5


def _changes(bench: Bench, model: nn.Module, images: Tensor, labels: Tensor, offsets: int, radius: float) -> Tensor:
    """The mean relative change of cross entropy over random offsets, at most 1, [N]; the same offsets for any model."""
    generator = bench.generator("offsets")
    before = ce(bench.ask(images, model), labels)
    scale = before.abs().where(before != 0, torch.ones_like(before))
    total = torch.zeros_like(before)
    at_once = max(1, bench.size() // len(images))
    for start in range(0, offsets, at_once):
        count = min(at_once, offsets - start)
        moves = radius * (torch.rand(count, *images.shape, generator=generator).to(images) - 0.5)
        found = ce(bench.ask((images + moves).flatten(0, 1), model), labels.repeat(count)).view(count, -1)
        total += ((found - before).abs() / scale).sum(0)
    return (total / offsets).clamp_max(1)


def unstable(bench: Bench, *, offsets: int, radius: float) -> Finding:
    """By how much the relative change of cross entropy under small offsets is above that of the twin.

    A loss of exactly 0 counts as 1. Where cross entropy is small, it changes by much of itself in any network, so
    that the number says little alone: without a twin it is not judged. p: a sign test over the images.
    """
    if bench.drawn:
        return not_judged("the network draws at each pass, so the loss changes by itself", len(bench))
    own = _changes(bench, bench.model, bench.images, bench.labels, offsets, radius)
    mean = float(own.mean())
    says = f"cross entropy changes by {100 * mean:.1f} % of itself within ±{radius / 2:.2g}"
    if bench.twin is None:
        return not_judged(f"{says}; there is no twin to compare it with", len(bench), own=mean)
    both = gap(bench.ask(bench.images, bench.twin), bench.labels) > 0
    if not bool(both.any()):
        return not_judged(f"{says}; the twin gets none of the images right", len(bench), own=mean)
    theirs = _changes(bench, bench.twin, bench.images[both], bench.labels[both], offsets, radius).cpu().numpy()
    mine = own[both].cpu().numpy()
    if len(mine) < len(bench):
        # The same offsets for both.
        mine = _changes(bench, bench.model, bench.images[both], bench.labels[both], offsets, radius).cpu().numpy()
    return Finding(
        float(np.mean(mine - theirs)),
        f"{says}, that of its twin by {100 * theirs.mean():.1f} %",
        len(mine),
        p=sign_test(int((mine > theirs).sum()), int((mine < theirs).sum())),
        curves={"own": float(mine.mean()), "twin": float(theirs.mean())},
    )


def outputs(bench: Bench, *, passes: int) -> Finding:
    """The largest distance between two passes' outputs for an image, each over its length.

    Outputs that all lie in [0, 1] and sum to 1 raise the flag too: they are probabilities where logits are expected.
    """
    distance = bench.spread(bench.images[: bench.size()], passes)
    logits = bench.ask(bench.images, bench.deployed)
    inside = bool((logits > -PROBABLE).all() and (logits < 1 + PROBABLE).all())
    probable = inside and bool(((logits.sum(1) - 1).abs() < PROBABLE).all())
    kind = "probabilities, not logits" if probable else "no probabilities"
    return Finding(
        distance,
        f"outputs of {passes} passes differ by {distance:.2g} of their length at most; they are {kind}",
        len(bench),
        beyond=probable or distance > DRAWN,
    )
