"""D19: does DeepFool find nearer points than C&W, which is the stronger of the two if it works?"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lossproof.attacks.methods.carlini_wagner import cw
from lossproof.attacks.methods.deepfool import deepfool
from lossproof.jury.bench import Bench
from lossproof.jury.finding import Finding, not_judged, sign_test
from lossproof.jury.parameters import SOME_IMAGES

NEARER = 5
"""Percent."""
CATALOGUE = {
    "minimal_norm": {
        "build": "minimal_norm",
        "id": "D19",
        "of": "attack",
        "title": "by how much DeepFool's points are nearer than C&W's",
        "unit": "percent",
        "threshold": NEARER,
        "flag": "above",
        "source": "after arXiv:2404.19460; C&W: arXiv:1608.04644, DeepFool: arXiv:1511.04599",
        "parameters": {
            "steps": {"type": "integer", "minimum": 1, "default": 200, "description": "steps of C&W per constant"},
            "constants": {"type": "integer", "minimum": 1, "default": 9, "description": "constants of C&W"},
            "first_constant": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 0.001,
                "description": "the first of them",
            },
            "rate": {"type": "number", "exclusiveMinimum": 0, "default": 0.01, "description": "of C&W's Adam"},
            "deepfool_steps": {"type": "integer", "minimum": 1, "default": 50, "description": "steps of DeepFool"},
            "images": SOME_IMAGES,
        },
    }
}


def _distances(found: Tensor) -> np.ndarray:
    """[N] float64, infinite where the attack failed."""
    return np.nan_to_num(found.double().cpu().numpy(), nan=np.inf)


def minimal_norm(
    bench: Bench,
    *,
    steps: int,
    constants: int,
    first_constant: float,
    rate: float,
    deepfool_steps: int,
    images: int | None,
) -> Finding:
    """By how much, in percent, the median L2 distance of DeepFool's points is below that of C&W's.

    C&W with free pixels; an image that an attack cannot fool is infinitely far. p: a sign test over the images that
    DeepFool's point is nearer by more than the threshold.
    """
    part = bench.first(images)
    clean, labels = bench.images[part], bench.labels[part]
    if bench.drawn:
        return not_judged("the network draws at each pass, so there is no nearest point", len(labels))
    far = cw(
        bench.model, clean, labels, norm="l2", epsilons=[np.inf], step_sizes=[rate], seed=0, steps=steps,
        binary_search_steps=constants, initial_const=first_constant, variables="clamp",
    )  # fmt: skip
    near = deepfool(
        bench.model, clean, labels, norm="l2", epsilons=[np.inf], step_sizes=[None], seed=0, steps=deepfool_steps
    )
    ours, theirs = _distances(far.figures["l2_success"][0]), _distances(near.figures["l2_unlimited"][0])
    for name, made, way in (("c&w", far, ours), ("deepfool", near, theirs)):
        claimed = torch.from_numpy(np.isfinite(way)).to(labels.device)
        bench.note(name, clean, made.images[0], labels, claimed)
    middle, rival = float(np.median(ours)), float(np.median(theirs))
    says = f"median distance of C&W's points {_text(middle)}, of DeepFool's {_text(rival)}"
    curves = {"cw": middle, "deepfool": rival, "cw_fooled": 100 * float(np.isfinite(ours).mean())}
    if not np.isfinite(rival):
        return not_judged(says, len(labels), **curves)
    nearer = 100.0 if not np.isfinite(middle) else 100 * (1 - rival / middle)
    clearly = theirs < (1 - NEARER / 100) * ours
    return Finding(
        max(0.0, nearer), says, len(labels), p=sign_test(int(clearly.sum()), int((~clearly).sum())), curves=curves
    )


def _text(distance: float) -> str:
    return f"{distance:.3g}" if np.isfinite(distance) else "infinite (most images are not fooled)"
