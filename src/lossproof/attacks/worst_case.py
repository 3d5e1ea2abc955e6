"""The honest method: per image the worst over losses, restarts and iterates, for all budgets of a sweep at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from lossproof.attacks.gradient import attack
from lossproof.attacks.losses import AttackLoss
from lossproof.attacks.outcome import Crafted
from lossproof.attacks.parameters import EPSILON, RANDOM_START, STEP_SIZE, STEPS
from lossproof.models.frozen import frozen

CATALOGUE = {
    "gradient": {
        "build": "sweep",
        "track": "honest",
        "parameters": {
            "norm": {"enum": ["linf", "l2"], "default": "linf", "description": "the ball's norm"},
            "epsilon": EPSILON,
            "steps": STEPS,
            "step_size": STEP_SIZE,
            "random_start": RANDOM_START,
            "losses": {
                "type": "array",
                "items": {"enum": ["ce", "margin", "dlr", "logit", "own"]},
                "minItems": 1,
                "default": ["ce", "margin"],
                "description": "losses tried in turn on the images that still stand; own = the training's criterion",
            },
            "restarts": {"type": "integer", "minimum": 1, "default": 1, "description": "random starts per loss"},
            "momentum": {"type": "number", "minimum": 0, "default": 0.0, "description": "decay of MIM; 0 = PGD"},
            "targeted": {
                "enum": ["none", "least_likely"],
                "default": "none",
                "description": "least_likely: towards the class (not the true one) with the smallest logit",
            },
        },
    }
}


def least_likely(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The class with the smallest logit among the wrong ones, [N]."""
    with frozen(model), torch.no_grad():
        return model(images).scatter(1, labels[:, None], torch.inf).argmin(1)


def sweep(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
    steps: int,
    losses: Sequence[str | AttackLoss] = ("ce",),
    random_start: bool = False,
    restarts: int = 1,
    momentum: float = 0.0,
    targeted: str = "none",
    early_drop: bool = True,
) -> Crafted:
    """``gradient.attack`` under E budgets, stacked to one batch of E x N images with shared random numbers.

    images [N, C, H, W] in [0, 1], labels [N] true classes; epsilons and step_sizes [E] in pixels.
    An image that a smaller budget makes adversarial counts for the larger ones too: it lies in their balls.
    """
    budgets = len(epsilons)
    goal = least_likely(model, images, labels) if targeted == "least_likely" else labels
    found = attack(
        model,
        images.repeat(budgets, *[1] * (images.ndim - 1)),
        goal.repeat(budgets),
        norm=norm,
        epsilon=torch.tensor(epsilons).repeat_interleave(len(images)),
        step_size=torch.tensor(step_sizes).repeat_interleave(len(images)),
        steps=steps,
        loss=losses,
        targeted=targeted != "none",
        momentum=momentum,
        random_start=random_start,
        restarts=restarts,
        early_drop=early_drop,
        copies=budgets,
        generator=torch.Generator().manual_seed(seed),
    )
    made = found.images.view(budgets, *images.shape)
    gaps = found.gap.view(budgets, -1)
    for smaller, larger in pairwise(sorted(range(budgets), key=lambda e: epsilons[e])):
        rows = (gaps[smaller] < 0) & (gaps[larger] >= 0)
        made[larger] = torch.where(rows.view(-1, *[1] * (images.ndim - 1)), made[smaller], made[larger])
        gaps[larger] = torch.where(rows, gaps[smaller], gaps[larger])
    return Crafted(made, found.zero_gradient.view(budgets, -1))
