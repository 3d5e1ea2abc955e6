"""pc, eq. 14: the bound on the gradient of the logit gap that a robust model is said to obey."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from lossproof.theory.cases import case, statement
from lossproof.theory.random_network import RandomNetwork

CATALOGUE = {"pc_eq_14": {"build": "check", "parameters": {}}}

NETWORKS, POINTS, CLASSES = 5, 300, 3
SIDE = 31  # points of the grid along each side of a ball
SMALL, LARGE = 0.01, 1.0  # half of that side; inputs are normal with deviation 1


class Found(NamedTuple):
    """Per input [N]: no point of its ball is classified otherwise, and the bound holds."""

    robust: Tensor
    bounded: Tensor


def check() -> dict[str, Any]:
    """Inputs of random networks: what a grid over their whole ball says, and what the bound says (pc, eq. 14)."""
    cases = []
    for radius, role in ((SMALL, "check"), (LARGE, "counterexample")):
        found = _found(radius)
        name = f"{NETWORKS} random networks of two inputs, largest change {radius:g}"
        kept, fooled = int(found.robust.sum()), int((~found.robust).sum())
        cases += [
            case(
                f"{name}: robust inputs",
                "share inside the bound",
                1,
                found.bounded[found.robust].double().mean().item(),
                digits=2,
                role=role,
                note=f"change {radius:g}: {kept} inputs are robust, {fooled} are not",
            ),
            case(
                f"{name}: inputs that can be fooled",
                "share inside the bound",
                0,
                found.bounded[~found.robust].double().mean().item(),
                digits=2,
                role="control",
                note="the paper derives the bound from robustness, not robustness from the bound",
            ),
        ]
    return statement(
        "A model that is robust at x obeys |grad (a_y - a_j)| < |a_y - a_j| / e.",
        cases,
        "e is small enough for the first order to tell the change of the gap. For larger ones some robust inputs "
        "lie outside of the bound, and some inside it can be fooled.",
    )


def _found(radius: float) -> Found:
    """``y`` is the class of the input itself, ``j`` its largest other logit; the norm is dual to the ball's, L1."""
    axis = torch.linspace(-radius, radius, SIDE, dtype=torch.float64)
    ball = torch.cartesian_prod(axis, axis)
    robust, bounded = [], []
    for index in range(NETWORKS):
        network = RandomNetwork(2, CLASSES, "pc_eq_14", index)
        x = network.points(POINTS).requires_grad_()
        first, second = network(x).topk(2, dim=1).values.T
        (slope,) = torch.autograd.grad((first - second).sum(), x)
        bounded.append(slope.abs().sum(1) * radius < (first - second).detach())
        inside = network(x.detach()[:, None] + ball).argmax(2)
        robust.append((inside == network(x.detach()).argmax(1)[:, None]).all(1))
    return Found(torch.cat(robust), torch.cat(bounded))
