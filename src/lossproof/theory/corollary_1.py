"""sp, corollary 1: SP-CE on the two points -1 and 1."""

from __future__ import annotations

import math
from typing import Any

import torch

from lossproof.criteria.stationary_point_ce import StationaryPointCE
from lossproof.theory.cases import case, statement
from lossproof.theory.scalar_model import fit_points, slope_in_weight

CATALOGUE = {"corollary_1": {"build": "check", "parameters": {}}}

ETAS = (0.6, 0.75, 1.0, 2.0, 5.0)


def check() -> dict[str, Any]:
    """Minimise eq. 34 over the scalar model ``p = w x + b`` (sp, corollary 1)."""
    cases = []
    for eta in ETAS:
        criterion = StationaryPointCE(eta=eta)
        probability = criterion.stationary_probability(2)
        assert probability is not None
        weight, bias = fit_points(criterion)
        name = f"sp_ce, form C, eta {eta:g}"
        cases += [
            case(name, "b", 0.5, bias),
            case(name, "w", math.log(probability / (1 - probability)) / 2, weight, note="half the logit of eq. 42"),
            case(name, "boundary (0.5 - b) / w", 0, (0.5 - bias) / weight),
        ]
    for eta in (0.4, 0.5):
        slopes = slope_in_weight(StationaryPointCE(eta=eta), torch.linspace(0.05, 8, 160, dtype=torch.float64))
        cases.append(
            case(
                f"sp_ce, form C, eta {eta:g}",
                "stationary points in w between 0 and 8",
                0,
                int((slopes[:-1] * slopes[1:] < 0).sum()),
                role="control",
                note="outside the paper's eta > 1/2: the loss falls as w grows, there is no minimum to speak of",
            )
        )
    return statement(
        "SP-CE on the points -1 and 1 has its minimum where the boundary is at 0.",
        cases,
        "eta > 1/2, as the paper asks for with eq. 9.",
    )
