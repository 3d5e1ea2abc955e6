"""pc, eq. 10: differences of log-probabilities have the gradients of the logits' differences."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lossproof.theory.cases import case, statement
from lossproof.theory.random_network import RandomNetwork

CATALOGUE = {"pc_eq_10": {"build": "check", "parameters": {}}}

INPUTS, POINTS = 20, 50


def check() -> dict[str, Any]:
    """Both sides by autograd through random two-layer networks, for every false class (pc, eqs. 8 to 10)."""
    cases = []
    for num_classes in (2, 10, 100):
        network = RandomNetwork(INPUTS, num_classes, "pc_eq_10")
        x = network.points(POINTS).requires_grad_()
        logits = network(x)
        logs = logits.log_softmax(1)
        differences = [
            _slope(logs[:, 0] - logs[:, j], x) - _slope(logits[:, 0] - logits[:, j], x) for j in range(1, num_classes)
        ]
        cases.append(
            case(
                f"{POINTS} inputs of a random network, K = {num_classes}, all false classes",
                "largest difference of the input gradients",
                0,
                torch.stack(differences).abs().max().item(),
            )
        )
    cases += [_first_order(size) for size in (0.001, 0.3)]
    return statement(
        "The input gradients of log f_y - log f_j and of a_y - a_j are equal.",
        cases,
        "It is exact, at every input and for every false class. Eq. 8, which leads to it, is not: it has an equality "
        "for a first-order approximation.",
    )


def _slope(values: Tensor, x: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(values.sum(), x, retain_graph=True)
    return found


def _first_order(size: float) -> dict[str, Any]:
    """Eq. 8 for sign steps of one size against the true class, as a mean over inputs."""
    network = RandomNetwork(INPUTS, 10, "pc_eq_10")
    x = network.points(POINTS).requires_grad_()
    before = network(x).log_softmax(1)[:, 0]
    slope = _slope(before, x)
    step = -size * slope.sign()
    after = network(x + step).log_softmax(1)[:, 0]
    return case(
        f"eq. 8, sign steps of {size:g}, random network, K = 10",
        "mean of log f_y(x + e) - log f_y(x) - e grad log f_y(x)",
        0,
        (after - before - (step * slope).sum(1)).mean().item(),
        role="control",
        note="eq. 8 leaves out everything beyond the first order",
    )
