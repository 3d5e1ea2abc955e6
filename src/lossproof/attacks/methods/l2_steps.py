"""PGD as the inference-softmax paper prints it: "L2", final iterate, untargeted or towards the least likely class.

Our own loop rather than torchattacks.PGDL2, which adds 1e-10 to the length of a gradient that is averaged over the
batch: an image whose gradient is smaller moves less the larger the batch is, and hardly at all in the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from lossproof.attacks.gradient import per_budget
from lossproof.attacks.methods.worst_case import least_likely
from lossproof.attacks.outcome import Crafted
from lossproof.attacks.parameters import DRAWS, EPSILON, STEPS, TARGETED
from lossproof.attacks.views import view
from lossproof.threats.epsilon import PATTERN

CATALOGUE = {
    "pgd_l2": {
        "build": "pgd_l2",
        "track": "printed",
        "parameters": {
            "norm": {"enum": ["l2"], "default": "l2", "description": "as printed; the one attacked is the reading's"},
            "epsilon": EPSILON,
            "reading": {
                "enum": ["radius", "rms", "linf", "per_step", "per_step_rms", "per_step_sign"],
                "default": "radius",
                "description": "what epsilon measures: the L2 radius; the root mean square of the change; the L-inf "
                "radius; each of the unprojected L2 steps, its root mean square, each of the unprojected sign steps",
            },
            "steps": STEPS,
            "step_size": {
                "type": ["string", "null"],
                "pattern": PATTERN,
                "default": None,
                "description": "step in pixels; null = 2.5 radius / steps, or what the reading says",
            },
            "random_start": {
                "type": ["boolean", "null"],
                "default": None,
                "description": "start at a random point of the ball; null = where the reading has one",
            },
            "targeted": TARGETED,
            "output": {
                "enum": ["deployed", "raw"],
                "default": "deployed",
                "description": "logits that the attacker sees; raw = before the head normalises them",
            },
            "draws": DRAWS,
        },
    }
}


def pgd_l2(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
    steps: int,
    random_start: bool,
    targeted: str = "none",
    output: str = "deployed",
    draws: int = 1,
) -> Crafted:
    """The last iterates [E, N, C, H, W] of PGD on cross entropy, one run per budget, with shared random numbers.

    images [N, C, H, W] in [0, 1], labels [N] true classes; norm, epsilons and step_sizes [E] in pixels are those of
    the reading (``budgets.read``). The least likely class is fixed once, from the clean images' deployed logits.
    """
    goal = least_likely(view(model, draws=draws), images, labels) if targeted == "least_likely" else labels
    runs = per_budget(
        view(model, output, draws),
        images,
        goal,
        norm=norm,
        epsilons=epsilons,
        step_sizes=step_sizes,
        seed=seed,
        steps=steps,
        targeted=targeted != "none",
        random_start=random_start,
    )
    return Crafted(runs.images, runs.zero_gradient, None if targeted == "none" else goal)
