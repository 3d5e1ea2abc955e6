"""Carlini & Wagner's L2 attack (arXiv:1608.04644): the nearest misclassified image, whatever its distance.

Our own, batched: in the libraries that search the constant, one image's early stop hangs on the loss of the whole
batch. Here each image has its own constant, optimiser, best point and stop. Settings as advertorch's, which the
compact-loss paper uses, but an image stops as the original code has it: once ``STALLED`` of its loss is not gained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from lossproof.attacks.losses import gap
from lossproof.attacks.outcome import Crafted, predict
from lossproof.attacks.parameters import FREE_EPSILON, L2
from lossproof.models.frozen import frozen
from lossproof.threats.balls import length, within
from lossproof.threats.epsilon import PATTERN

CATALOGUE = {
    "cw": {
        "build": "cw",
        "track": "printed",
        # For the plan: one search serves all budgets.
        "shared": True,
        "parameters": {
            "norm": L2,
            "epsilon": FREE_EPSILON,
            "steps": {"type": "integer", "minimum": 1, "default": 100, "description": "steps per constant at most"},
            "step_size": {
                "type": "string",
                "pattern": PATTERN,
                "default": "0.001",
                "description": "learning rate of Adam on the variables",
            },
            "binary_search_steps": {
                "type": "integer",
                "minimum": 1,
                "default": 9,
                "description": "constants tried per image: times ten until it is fooled, then by halves",
            },
            "initial_const": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 0.001,
                "description": "first weight of the logits' gap against the squared distance",
            },
            "confidence": {
                "type": "number",
                "minimum": 0,
                "default": 0.0,
                "description": "by how much another class's logit must lead",
            },
            "abort_early": {
                "type": "boolean",
                "default": True,
                "description": "leave an image's constant once a tenth of the steps gained below 0.01 % of its loss",
            },
            "variables": {
                "enum": ["tanh", "clamp"],
                "default": "tanh",
                "description": "tanh: pixels as a tanh, so that those at 0 and 1 practically stay; clamp: the pixels "
                "themselves, cut to the box after each step",
            },
        },
    }
}

STALLED = 1e-4
CHECKS = 10
# Pixels at exactly 0 and 1 have no finite inverse tanh.
ALMOST_ONE = 0.999999
BETAS, TINY = (0.9, 0.999), 1e-8  # of Adam


def cw(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
    steps: int = 100,
    binary_search_steps: int = 9,
    initial_const: float = 0.001,
    confidence: float = 0.0,
    abort_early: bool = True,
    variables: str = "tanh",
) -> Crafted:
    """One search for all of the E budgets: its nearest misclassified points, cut to the radii that are finite.

    images [N, C, H, W] in [0, 1], labels [N] true classes; epsilons [E]: L2 radii in pixels, infinite for none;
    step_sizes [E], all the same, Adam's learning rate. Any misclassified iterate counts; an image for which there is
    none comes back as it was, as does one that is wrong from the start. Nothing is drawn.

    Figures, the same for each budget: fooled, whether the uncut point is misclassified; l2_success, its distance
    where it is and the clean image is not.
    """
    right = predict(model, images) == labels
    rows = right.nonzero()[:, 0]
    points, zero = images.clone(), torch.zeros_like(right)
    with frozen(model):
        if len(rows):
            points[rows], zero[rows] = _search(
                model, images[rows], labels[rows], _VARIABLES[variables], step_sizes[0], steps, binary_search_steps,
                initial_const, confidence, abort_early,
            )  # fmt: skip
    # A point at the boundary may be seen otherwise in a batch of another size.
    fooled = predict(model, points) != labels
    points = torch.where(_wide(fooled, images), points, images)
    figures = {"fooled": fooled, "l2_success": length(points - images, norm).where(fooled & right, torch.nan)}
    return Crafted(
        torch.stack([within(points, images, norm, epsilon) for epsilon in epsilons]),
        zero.expand(len(epsilons), -1),
        figures={name: figure.expand(len(epsilons), -1) for name, figure in figures.items()},
    )


class _Tanh:
    """Variables whose tanh are the pixels."""

    @staticmethod
    def of(images: Tensor) -> Tensor:
        return ((2 * images - 1) * ALMOST_ONE).atanh()

    @staticmethod
    def pixels(variables: Tensor) -> Tensor:
        return (variables.tanh() + 1) / 2

    @staticmethod
    def cut(variables: Tensor) -> Tensor:
        return variables


class _Clamp:
    """The pixels themselves."""

    @staticmethod
    def of(images: Tensor) -> Tensor:
        return images.clone()

    @staticmethod
    def pixels(variables: Tensor) -> Tensor:
        return variables

    @staticmethod
    def cut(variables: Tensor) -> Tensor:
        return variables.clamp(0, 1)


_VARIABLES: Mapping[str, type[_Tanh] | type[_Clamp]] = {"tanh": _Tanh, "clamp": _Clamp}


def _search(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    variables: type[_Tanh] | type[_Clamp],
    rate: float,
    steps: int,
    rounds: int,
    first: float,
    confidence: float,
    abort_early: bool,
) -> tuple[Tensor, Tensor]:
    """The nearest points [n, C, H, W] that fool the model, or the images; whether a gradient was zero [n]."""
    best, nearest = images.clone(), torch.full_like(images[:, 0, 0, 0], torch.inf)
    const, low, high = torch.full_like(nearest, first), torch.zeros_like(nearest), torch.full_like(nearest, torch.inf)
    zero = torch.zeros_like(labels, dtype=torch.bool)
    every = max(1, steps // CHECKS)
    for _ in range(rounds):
        hit = torch.zeros_like(zero)
        # Of the images that this constant is still tried on: place, and the state of the search.
        rows = torch.arange(len(images), device=images.device)
        at = variables.of(images)
        base, mean, square = variables.pixels(at), torch.zeros_like(at), torch.zeros_like(at)
        before = torch.full_like(nearest, torch.inf)
        for step in range(steps):
            at = at.detach().requires_grad_(True)
            with torch.enable_grad():
                points = variables.pixels(at)
                lead = gap(model(points), labels[rows]) + confidence
                away = (points - base).square().flatten(1).sum(1)
                loss = away + const[rows] * lead.clamp_min(0)
                (gradient,) = torch.autograd.grad(loss.sum(), at)
            at, points, lead, away, loss = (part.detach() for part in (at, points, lead, away, loss))
            closer = (lead < 0) & (away < nearest[rows])
            hit[rows] |= lead < 0
            best[rows] = torch.where(_wide(closer, points), points, best[rows])
            nearest[rows] = torch.where(closer, away, nearest[rows])
            zero[rows] |= (lead >= 0) & ~gradient.flatten(1).any(1)
            mean = torch.lerp(gradient, mean, BETAS[0])
            square = torch.lerp(gradient.square(), square, BETAS[1])
            size = (square / (1 - BETAS[1] ** (step + 1))).sqrt_().add_(TINY)
            at = variables.cut(at - rate / (1 - BETAS[0] ** (step + 1)) * mean / size)
            if abort_early and step % every == 0:
                going = loss <= (1 - STALLED) * before[rows]
                before[rows] = loss
                if not bool(going.all()):
                    rows, at, base, mean, square = (part[going] for part in (rows, at, base, mean, square))
                    if not len(rows):
                        break
        high = torch.where(hit, torch.minimum(high, const), high)
        low = torch.where(hit, low, torch.maximum(low, const))
        const = torch.where(high.isfinite(), (low + high) / 2, 10 * const)
    return best, zero


def _wide(flags: Tensor, images: Tensor) -> Tensor:
    return flags.view(-1, *[1] * (images.ndim - 1))
