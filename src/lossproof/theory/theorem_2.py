"""sp, theorem 2: the midpoint statement for K classes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from lossproof.criteria.stationary_point_ce import StationaryPointCE
from lossproof.criteria.stationary_point_focal import StationaryPointFocal
from lossproof.seeding import torch_generator
from lossproof.theory.cases import case, statement
from lossproof.theory.linear_fit import crossing, fit, worst_crossing

CATALOGUE = {"theorem_2": {"build": "check", "parameters": {}}}

QUANTITY = "boundary as a share of the segment between two features"
TRUE_CLASS: dict[str, StationaryPointCE | StationaryPointFocal] = {
    "sp_ce, form C, eta 1": StationaryPointCE(eta=1),
    "sp_focal, true class, eta 0.03": StationaryPointFocal(eta=0.03),
}
WHOLE_VECTOR: dict[str, StationaryPointCE | StationaryPointFocal] = {
    "sp_ce, form A, eta 0.75": StationaryPointCE(eta=0.75, form="A"),
    "sp_focal, whole vector, eta 0.03": StationaryPointFocal(eta=0.03, regulariser="whole_vector"),
}


def check() -> dict[str, Any]:
    """Place and fit linear layers at the lower bound of SP losses for K > 2 (sp, theorem 2)."""
    cases = []
    for name, criterion in TRUE_CLASS.items():
        for num_classes in (3, 10):
            equal = torch.zeros(num_classes - 1, dtype=torch.float64)
            cases += _placed(name, criterion, equal, "equal false logits", "check")
    unequal = torch.tensor([0.0, 2.0], dtype=torch.float64)
    for name, criterion in TRUE_CLASS.items():
        cases += _placed(name, criterion, unequal, "false logits (0, 0) and (0, 2)", "counterexample")
        cases.append(_trained(name, criterion, 3, "counterexample"))
    for name, criterion in WHOLE_VECTOR.items():
        cases += [_trained(name, criterion, num_classes, "check") for num_classes in (3, 5)]
    return statement(
        "For K classes at the lower bound of an SP loss, the boundary between any two classes passes through "
        "the midpoint of any two of their features.",
        cases,
        "All false logits of a sample are equal at the minimum: a regulariser on the whole softmax vector forces "
        "that, one on the true-class probability does not.",
    )


def _placed(
    name: str, criterion: StationaryPointCE | StationaryPointFocal, false: Tensor, what: str, role: str
) -> list[dict[str, Any]]:
    """Two samples at the lower bound: class 0 with false logits 0, class 1 with the ``false`` logits [K - 1]."""
    num_classes = len(false) + 1
    probability = criterion.stationary_probability(num_classes)
    assert probability is not None
    odds = math.log(probability / (1 - probability))
    first = torch.zeros(num_classes, dtype=torch.float64)
    first[0] = odds + math.log(num_classes - 1)
    true = odds + torch.logsumexp(false, dim=0)
    second = torch.cat([false[:1], true[None], false[1:]])
    logits = torch.stack([first, second]).requires_grad_()
    losses = criterion(logits, torch.tensor([0, 1]))
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    where = f"{name}, K = {num_classes}, {what}"
    return [
        case(where, "largest logit gradient at the placed samples", 0, gradient.abs().max().item()),
        case(where, "difference of both samples' losses", 0, (losses[0] - losses[1]).item()),
        case(where, QUANTITY, 0.5, crossing(logits[0], logits[1], (0, 1)), role=role),
    ]


def _trained(
    name: str, criterion: StationaryPointCE | StationaryPointFocal, num_classes: int, role: str
) -> dict[str, Any]:
    """Two random features per class; a linear layer that can reach the lower bound, from a random start."""
    generator = torch_generator("theory", "theorem_2", num_classes)
    targets = torch.arange(num_classes).repeat(2)
    features = torch.randn(len(targets), len(targets), generator=generator, dtype=torch.float64)
    start = 0.1 * torch.randn((len(targets) + 1) * num_classes, generator=generator, dtype=torch.float64)
    logits = fit(criterion, features, targets, num_classes, start)
    probability = logits.softmax(dim=1).gather(1, targets[:, None])
    return case(
        f"{name}, K = {num_classes}, trained on two features per class",
        f"{QUANTITY}, farthest from 0.5 over all pairs",
        0.5,
        worst_crossing(logits, targets),
        role=role,
        note=f"true-class probabilities between {probability.min():.6f} and {probability.max():.6f}",
    )
