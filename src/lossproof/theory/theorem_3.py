"""sp, theorem 3: the stationary point (z0, -z0) of SP-CE in the form of eq. 12."""

from __future__ import annotations

import math
from typing import Any

import torch

from lossproof.criteria.stationary_point_ce import StationaryPointCE
from lossproof.theory.cases import case, statement
from lossproof.theory.true_logit import stationary_points

CATALOGUE = {"theorem_3": {"build": "check", "parameters": {}}}


def check() -> dict[str, Any]:
    """The gradient of eq. 12 at the point of eq. 15, and the side on which that point lies (sp, theorem 3)."""
    cases = []
    for eta in (0.6, 0.75, 1.0, 1.5, 1.9):
        cases += _at_stationary_point(eta, "check")
    for eta in (2.0, 3.0, 8.0):
        cases += _at_stationary_point(eta, "counterexample")
    cases.append(
        case(
            "sp_ce, form B, eta 0.4",
            "stationary points of the loss",
            1,
            len(stationary_points(StationaryPointCE(eta=0.4, form="B"))),
            role="counterexample",
            note="sqrt(2 eta) - 1 is negative, so eq. 15 has no real solution",
        )
    )
    return statement(
        "With two classes, z* = (z0, -z0) is a stationary point of SP-CE on the correct side of the boundary.",
        cases,
        "1/2 < eta < 2 (form B, eq. 12); there is no stationary point below, and it is not on the correct side above.",
    )


def _at_stationary_point(eta: float, side_role: str) -> list[dict[str, Any]]:
    criterion = StationaryPointCE(eta=eta, form="B")
    z0 = -math.log(math.sqrt(2 * eta) - 1) / 2
    logits = torch.tensor([[z0, -z0]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(criterion(logits, torch.tensor([0])).sum(), logits)
    probability = logits.softmax(dim=1)[0, 0].item()
    name = f"sp_ce, form B, eta {eta:g}"
    return [
        case(name, "largest logit gradient at (z0, -z0) of eq. 15", 0, gradient.abs().max().item()),
        case(name, "true-class probability there, 1 / sqrt(2 eta)", 1 / math.sqrt(2 * eta), probability),
        case(
            name,
            "accuracy there in percent",
            100,
            100.0 if z0 > 0 else 0.0,
            role=side_role,
            note=f"true-class probability {probability:.5f}",
        ),
    ]
