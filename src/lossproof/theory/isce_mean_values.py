"""isce, the mean values f = 0.97 and S = 8: what logits of unit norm allow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lossproof.theory.cases import case, statement
from lossproof.theory.inference_softmax import CLASSES, MEAN_F, MEAN_S, marked
from lossproof.theory.linear_fit import minimise

CATALOGUE = {"isce_mean_values": {"build": "check", "parameters": {}}}

OTHERS = CLASSES - 1


def check() -> dict[str, Any]:
    """The range of S at f = 0.97 on the unit sphere of ten logits, and the loss's optimum there (isce, fig. 3)."""
    spread = math.sqrt(1 - MEAN_F**2)
    smallest = _extreme(lambda others: others.exp().sum(), spread)
    largest = _extreme(lambda others: -others.exp().sum(), spread)
    bend = _smallest_bend()
    name = f"ten logits of unit norm, f = {MEAN_F:g}"
    cases = [
        case(name, "smallest S", OTHERS * math.exp(-spread / math.sqrt(OTHERS)), smallest),
        case(name, "largest S", OTHERS * math.exp(spread / math.sqrt(OTHERS)), largest),
        case(
            "ten logits of unit norm, f in (-1, 1)",
            "the smallest S is a convex function of f (1: yes)",
            1,
            float(bend > 0),
            note=f"so no mean of S over images lies below the smallest S at the mean of f (smallest bend {bend:.3f})",
        ),
        case(
            name,
            f"distance from the stated S = {MEAN_S:g} to what is in reach",
            0,
            max(smallest - MEAN_S, MEAN_S - largest, 0.0),
            role="counterexample",
            note="8 is rounded down; that the pair nearly fits tells that the vector of logits is what is normalised",
        ),
    ]
    cases += [*_optimum(0.0), *_optimum(0.1)]
    return statement(
        "The true logit is about 0.97 and the sum S of the other exponentials about 8, on average over MNIST "
        "and CIFAR-10.",
        cases,
        "Logits of unit norm with f = 0.97 have S between 8.2995 and 9.760; the loss's optimum has f = 0.9487 and "
        "S = 8.0996.",
    )


def _extreme(value: Callable[[Tensor], Tensor], norm: float) -> float:
    """The S of nine other logits of one norm at which ``value`` is smallest, from a start that is not symmetric."""

    def on_sphere(parameters: Tensor) -> Tensor:
        return norm * parameters / parameters.norm()

    start = torch.linspace(-1, 0.7, OTHERS, dtype=torch.float64)
    found = on_sphere(minimise(lambda parameters: value(on_sphere(parameters)), start))
    return found.exp().sum().item()


def _smallest_bend() -> float:
    """The smallest second derivative of ``9 exp(-sqrt(1 - f^2) / 3)`` by f."""
    f = torch.linspace(-0.999, 0.999, 1999, dtype=torch.float64, requires_grad=True)
    bound = OTHERS * (-(1 - f**2).sqrt() / math.sqrt(OTHERS)).exp()
    (first,) = torch.autograd.grad(bound.sum(), f, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), f)
    return second.min().item()


def _optimum(m: float) -> list[dict[str, Any]]:
    """The smallest loss that normalised logits can have with s = 1: at the corner of the simplex."""

    def parts(parameters: Tensor) -> tuple[Tensor, Tensor]:
        logits = parameters / parameters.norm()
        return logits[0], logits[1:].logsumexp(0)

    start = torch.linspace(1, -0.5, CLASSES, dtype=torch.float64)
    f, rest = parts(minimise(lambda parameters: -marked(*parts(parameters), 1.0, m).log(), start))
    corner = math.sqrt(1 - 1 / CLASSES)
    total = OTHERS * math.exp(-corner / OTHERS)
    probability = 1 / (1 + total * math.exp(-corner - m))
    name = f"smallest loss, s = 1, m = {m:g}"
    reached = marked(f, rest, 1.0, m)
    return [
        case(name, "f", corner, f.item()),
        case(name, "S", total, rest.exp().item()),
        case(name, "loss", -math.log(probability), -reached.log().item()),
        case(name, "probability of the true class", probability, reached.item()),
    ]
