"""Transferred attacks: images crafted on a substitute, another network trained on the same data, for the model.

PGD (momentum 0, random start) and MIM (momentum 1, from the clean image) as the compact-loss paper prints them: the
plain loop on cross entropy, final iterate. The model itself is asked nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from lossproof.attacks.gradient import per_budget
from lossproof.attacks.outcome import Crafted
from lossproof.attacks.parameters import EPSILON, LINF, RANDOM_START, STEP_SIZE, STEPS

CATALOGUE = {
    "transfer": {
        "build": "transfer",
        "track": "printed",
        # The protocol resolves the settings ``substitute`` and ``substitute_training`` to a network.
        "substitute": True,
        "parameters": {
            "norm": LINF,
            "epsilon": EPSILON,
            "steps": STEPS,
            "step_size": STEP_SIZE,
            "random_start": RANDOM_START,
            "momentum": {"type": "number", "minimum": 0, "default": 0.0, "description": "decay of MIM; 0 = PGD"},
            "substitute": {
                "type": "object",
                "additionalProperties": {"type": "string", "description": "an architecture"},
                "default": {},
                "description": "architecture of the substitute for each architecture that is attacked",
            },
            "substitute_training": {
                "type": "string",
                "default": "ce",
                "description": "the recipe that the substitute is trained by",
            },
        },
    }
}


def transfer(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    substitute: nn.Module,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
    steps: int,
    random_start: bool = True,
    momentum: float = 0.0,
) -> Crafted:
    """The last iterates [E, N, C, H, W] of one run per budget against the substitute, with shared random starts.

    images [N, C, H, W] in [0, 1], labels [N] true classes; epsilons and step_sizes [E] in pixels; substitute: a
    classifier of the same images. ``model`` is not used.

    Figure: fooled_substitute, whether the point fools the network that it was made for.
    """
    runs = per_budget(
        substitute,
        images,
        labels,
        norm=norm,
        epsilons=epsilons,
        step_sizes=step_sizes,
        seed=seed,
        steps=steps,
        momentum=momentum,
        random_start=random_start,
    )
    return Crafted(runs.images, runs.zero_gradient, figures={"fooled_substitute": runs.fooled})
