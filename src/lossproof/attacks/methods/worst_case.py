"""The honest method: per image the worst over losses, restarts and iterates, for all budgets of a sweep at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

import torch
from torch import Tensor, nn

from lossproof.attacks.gradient import AttackResult, attack
from lossproof.attacks.losses import AttackLoss, gap, others
from lossproof.attacks.outcome import Crafted
from lossproof.attacks.parameters import DRAWS, EPSILON, RANDOM_START, STEP_SIZE, STEPS
from lossproof.attacks.views import outputs, passes, view
from lossproof.models.frozen import frozen

CATALOGUE = {
    "gradient": {
        "build": "sweep",
        "track": "honest",
        # Records without these settings were published: see ``protocol``.
        "added": ["output", "draws"],
        "parameters": {
            "norm": {"enum": ["linf", "l2"], "default": "linf", "description": "the ball's norm"},
            "epsilon": EPSILON,
            "steps": STEPS,
            "step_size": STEP_SIZE,
            "random_start": RANDOM_START,
            "losses": {
                "type": "array",
                "items": {"enum": ["ce", "margin", "dlr", "logit", "unit_gap", "own"]},
                "minItems": 1,
                "default": ["ce", "margin"],
                "description": "losses tried in turn on the images that still stand; own = the training's criterion",
            },
            "restarts": {"type": "integer", "minimum": 1, "default": 1, "description": "random starts per loss"},
            "momentum": {"type": "number", "minimum": 0, "default": 0.0, "description": "decay of MIM; 0 = PGD"},
            "targeted": {
                "enum": ["none", "least_likely", "every"],
                "default": "none",
                "description": "least_likely: towards the wrong class with the smallest logit; every: each in turn",
            },
            "output": {
                "enum": ["deployed", "raw", "both"],
                "default": "deployed",
                "description": "logits that the attacker sees; raw = before the head normalises; both = the worse",
            },
            "draws": DRAWS,
        },
    }
}


def least_likely(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The class with the smallest logit among the wrong ones, [N]."""
    with frozen(model), torch.no_grad():
        return model(images).scatter(1, labels[:, None], torch.inf).argmin(1)


def by_likelihood(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The wrong classes by falling logit, [N, K - 1]."""
    with frozen(model), torch.no_grad():
        return others(model(images), labels)


def as_they_are(model: nn.Module, images: Tensor, labels: Tensor) -> AttackResult:
    """The clean images as the result of an attack: those that are wrong from the start are found."""
    with frozen(model), torch.no_grad():
        found = gap(model(images), labels)
    return AttackResult(images, found, found < 0, torch.zeros_like(labels, dtype=torch.bool))


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
    losses: Sequence[str | AttackLoss],
    random_start: bool,
    restarts: int = 1,
    momentum: float = 0.0,
    targeted: str = "none",
    output: str = "deployed",
    draws: int = 1,
    early_drop: bool = True,
) -> Crafted:
    """``gradient.attack`` under E budgets, stacked to one batch of E x N images with shared random numbers.

    images [N, C, H, W] in [0, 1], labels [N] true classes; epsilons and step_sizes [E] in pixels.
    An image that a smaller budget makes adversarial counts for the larger ones too: it lies in their balls.
    output: 'both' adds a run along the gradients of the raw logits for what that along the deployed ones' leaves.
    targeted: 'every' searches for each wrong class in turn, the likeliest first (K - 1 times the work): where wrong
    classes compete, an untargeted loss may climb towards one that cannot be reached (arXiv:2006.13726).
    draws: see ``views.Averaged``. With more than one no image is dropped early: of a model that draws at each pass
    a single success may be luck.
    """
    budgets = len(epsilons)
    shown = view(model, draws=draws)
    stacked = images.repeat(budgets, *[1] * (images.ndim - 1))
    match targeted:
        case "every":
            goals = list(by_likelihood(shown, images, labels).T)
        case "least_likely":
            goals = [least_likely(shown, images, labels)]
        case _:
            goals = [labels]

    def towards(output: str, goal: Tensor) -> AttackResult:
        return attack(
            view(model, output, draws),
            stacked,
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
            early_drop=early_drop and passes(model, draws) == 1,
            copies=budgets,
            generator=torch.Generator().manual_seed(seed),
        )

    runs = [towards(seen_as, goal) for goal in goals for seen_as in outputs(model, output)]
    # A wrong image that a target was not reached from is wrong all the same.
    runs[:0] = [as_they_are(shown, stacked, labels.repeat(budgets))] if targeted == "every" else []
    found = reduce(_either, runs)
    made = found.images.view(budgets, *images.shape)
    gaps = found.gap.view(budgets, -1)
    for smaller, larger in pairwise(sorted(range(budgets), key=lambda e: epsilons[e])):
        rows = (gaps[smaller] < 0) & (gaps[larger] >= 0)
        made[larger] = torch.where(rows.view(-1, *[1] * (images.ndim - 1)), made[smaller], made[larger])
        gaps[larger] = torch.where(rows, gaps[smaller], gaps[larger])
    return Crafted(made, found.zero_gradient.view(budgets, -1))


def _either(first: AttackResult, second: AttackResult) -> AttackResult:
    """Per image the first attack's result, but the second's where only that succeeds (gaps differ in scale)."""
    rows = second.fooled & ~first.fooled
    return AttackResult(
        torch.where(rows.view(-1, *[1] * (first.images.ndim - 1)), second.images, first.images),
        torch.where(rows, second.gap, first.gap),
        first.fooled | second.fooled,
        first.zero_gradient | second.zero_gradient,
    )
