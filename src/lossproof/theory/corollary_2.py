"""sp, corollary 2: SP focal on the two points -1 and 1."""

from __future__ import annotations

import math
from typing import Any

import torch

from lossproof.criteria.stationary_point_focal import StationaryPointFocal
from lossproof.theory.cases import case, statement
from lossproof.theory.scalar_model import accuracy, fit_points
from lossproof.theory.true_logit import curve

CATALOGUE = {"corollary_2": {"build": "check", "parameters": {}}}


def check() -> dict[str, Any]:
    """Minimise SP focal over the scalar model ``p = w x + b`` (sp, corollary 2, whose proof is omitted there)."""
    cases = []
    for eta in (0.003, 0.03, 0.1, 0.25):
        criterion = StationaryPointFocal(eta=eta)
        probability = criterion.stationary_probability(2)
        assert probability is not None
        weight, bias = fit_points(criterion)
        name = f"sp_focal, eta {eta:g}"
        cases += [
            case(name, "b", 0.5, bias),
            case(name, "w", math.log(probability / (1 - probability)) / 2, weight),
            case(name, "boundary (0.5 - b) / w", 0, (0.5 - bias) / weight),
            case(name, "accuracy of the fit in percent", 100, accuracy(weight, bias)),
        ]
    cases.append(_threshold())
    for eta in (0.3, 0.5, 1.0):
        weight, bias = fit_points(StationaryPointFocal(eta=eta))
        name = f"sp_focal, eta {eta:g}"
        cases += [
            case(name, "boundary (0.5 - b) / w", 0, (0.5 - bias) / weight, note="still at 0, by symmetry"),
            case(
                name,
                "accuracy of the fit in percent",
                100,
                accuracy(weight, bias),
                role="counterexample",
                note=f"w = {weight:.5f}: the stationary point is on the wrong side of the boundary",
            ),
        ]
    return statement(
        "SP focal on the points -1 and 1 has its minimum where the boundary is at 0 and both points are "
        "classified correctly.",
        cases,
        "eta < alpha (1/2 + log 2) = 0.2983 for alpha 0.25 and gamma 2; the paper names no bound.",
    )


def _threshold() -> dict[str, Any]:
    """The eta whose stationary point is 1/2: the slope at equal logits is linear in eta, so two values give it."""
    origin = torch.zeros(1, dtype=torch.float64)
    one, two = (curve(StationaryPointFocal(eta=eta), origin)[1].item() for eta in (1.0, 2.0))
    return case(
        "sp_focal, alpha 0.25, gamma 2",
        "eta at which the stationary point reaches probability 1/2",
        0.25 * (0.5 + math.log(2)),
        1 - one / (two - one),
    )
