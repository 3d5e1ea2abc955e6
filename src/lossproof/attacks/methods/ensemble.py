"""The strongest attack: AutoAttack's four, our own loop on losses that no scale of the logits can blind, and transfer.

Per image the first member that succeeds; the later ones attack what still stands. Robustness is what is left.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lossproof.attacks.members import MEMBERS, Search, sound
from lossproof.attacks.outcome import Crafted
from lossproof.attacks.parameters import DRAWS, EPSILON
from lossproof.attacks.seeded import seeded
from lossproof.attacks.standing import Standing
from lossproof.attacks.views import view
from lossproof.models.frozen import frozen

DEFAULT = ["apgd-ce", "apgd-t", "fab-t", "margin", "unit_gap", "float64", "square", "transfer"]
CATALOGUE = {
    "ensemble": {
        "build": "ensemble",
        "track": "honest",
        # The protocol resolves the setting ``substitute`` to a network.
        "substitute": True,
        # For the plan: passes forward and backward per step of a member, or the setting that says how many.
        "members": {
            "apgd-ce": 1,
            "apgd-dlr": 1,
            "apgd-t": "targets",
            "fab-t": "targets",
            "margin": 1,
            "unit_gap": 1,
            "float64": 2,
            "square": 0,
            "transfer": 2,
        },
        "parameters": {
            "norm": {"enum": ["linf", "l2"], "default": "linf", "description": "the ball's norm"},
            "epsilon": EPSILON,
            "members": {
                "type": "array",
                "items": {
                    "enum": [
                        "apgd-ce",
                        "apgd-dlr",
                        "apgd-t",
                        "fab-t",
                        "margin",
                        "unit_gap",
                        "float64",
                        "square",
                        "transfer",
                    ]
                },
                "minItems": 1,
                "uniqueItems": True,
                "default": DEFAULT,
                "description": "attacks in the order in which they run, each on the images that still stand",
            },
            "steps": {"type": "integer", "minimum": 1, "default": 100, "description": "gradient steps of a member"},
            "targets": {
                "type": "integer",
                "minimum": 1,
                "default": 9,
                "description": "wrong classes, the likeliest first, that apgd-t and fab-t try; at most all",
            },
            "queries": {"type": "integer", "minimum": 1, "default": 5000, "description": "passes of square"},
            "restarts": {"type": "integer", "minimum": 1, "default": 1, "description": "random starts of each member"},
            "draws": DRAWS,
            "substitute": {
                "enum": ["twin", None],
                "default": None,
                "description": "network that transfer starts from: the run's cross-entropy twin; null = no transfer",
            },
        },
    }
}


def ensemble(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float | None] = (),
    seed: int = 0,
    members: Sequence[str] = DEFAULT,
    steps: int = 100,
    targets: int = 9,
    queries: int = 5000,
    restarts: int = 1,
    draws: int = 1,
    substitute: nn.Module | None = None,
) -> Crafted:
    """Per image and budget the misclassified point that the first successful member finds, or the nearest to one.

    images [N, C, H, W] in [0, 1], labels [N] true classes; epsilons [E] in pixels (L2: Euclidean length over the
    image); step_sizes are not used. What is found in a smaller ball counts for the larger ones, whose members attack
    the images that still stand there. Whether an image stands is judged by us, on the model as it is deployed (with
    ``draws`` above 1, and a model that draws at each pass, on its mean logits over so many passes); images that are
    misclassified as they are do not. Every draw follows from the seed, the member and the budget.

    substitute: the network that 'transfer' is made on; without one that member is left out. So are 'apgd-dlr' with
    two classes and 'square' in L2 for images below five pixels a side, for which the library has no such attack.

    Figures, bool [E, N], one per member that ran, in order: stands_<member>, whether the image is still right after
    it and all before it ('-' as '_'). Raises ValueError for an unknown member.
    """
    unknown = [name for name in members if name not in MEMBERS]
    if unknown:
        raise ValueError(f"no member {', '.join(unknown)} of the ensemble; known: {', '.join(MEMBERS)}")
    search = Search(model, steps, targets, queries, restarts, draws, substitute)
    made: dict[int, Tensor] = {}
    zero: dict[int, Tensor] = {}
    with frozen(model), seeded(images.device, "ensemble", seed):
        standing = Standing(view(model, draws=draws), images, labels, norm)
        able = [name for name in members if sound(name, standing, search)]
        stands = {name: torch.zeros(len(epsilons), len(images), dtype=torch.bool) for name in able}
        for at in sorted(range(len(epsilons)), key=lambda at: epsilons[at]):
            standing.epsilon = epsilons[at]
            for name in able:
                if standing.epsilon > 0 and len(standing.rows):
                    with seeded(images.device, "ensemble", seed, name, standing.epsilon):
                        MEMBERS[name](standing, search)
                stands[name][at] = standing.right
            made[at], zero[at] = standing.points.clone(), standing.zero.clone()
    return Crafted(
        torch.stack([made[at] for at in range(len(epsilons))]),
        torch.stack([zero[at] for at in range(len(epsilons))]),
        figures={f"stands_{name.replace('-', '_')}": right for name, right in stands.items()},
    )
