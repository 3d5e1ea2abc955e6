"""MIM (arXiv:1710.06081) as the compact-loss paper runs it: from the clean image, final iterate.

Our own loop rather than torchattacks.MIFGSM, which divides by the mean absolute gradient unguarded: an image whose
gradient is exactly zero once has a NaN velocity from then on, sign(NaN) = 0, and stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from lossproof.attacks.gradient import per_budget
from lossproof.attacks.outcome import Crafted
from lossproof.attacks.parameters import EPSILON, LINF, STEP_SIZE, STEPS

CATALOGUE = {
    "mim": {
        "build": "mim",
        "track": "printed",
        "parameters": {
            "norm": LINF,
            "epsilon": EPSILON,
            "steps": STEPS,
            "step_size": STEP_SIZE,
            "momentum": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 1.0,
                "description": "decay of the velocity, a sum of gradients of equal L1 norm",
            },
        },
    }
}


def mim(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
    steps: int,
    momentum: float = 1.0,
) -> Crafted:
    """The last iterates [E, N, C, H, W] of MIM on cross entropy, one run per budget; nothing is drawn.

    images [N, C, H, W] in [0, 1], labels [N] true classes; epsilons and step_sizes [E] in pixels. An image whose
    gradient is exactly zero goes on with its velocity, and is counted.
    """
    runs = per_budget(
        model,
        images,
        labels,
        norm=norm,
        epsilons=epsilons,
        step_sizes=step_sizes,
        seed=seed,
        steps=steps,
        momentum=momentum,
    )
    return Crafted(runs.images, runs.zero_gradient)
