"""A linear layer fitted to the minimum of a loss, and where its boundaries cut the segments between features."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def minimise(loss: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    """The float64 parameters [P] of a local minimum of ``loss`` near ``start`` [P].

    L-BFGS, then Newton steps (pseudo-inverse: minima may form a manifold) as long as they shrink the gradient.
    """
    parameters = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [parameters], max_iter=500, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss(parameters)
        value.backward()
        return value

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    point = parameters.detach()
    gradient = _gradient(loss, point)
    for _ in range(5):
        hessian = torch.autograd.functional.hessian(loss, point)
        candidate = point - torch.linalg.pinv(hessian, rtol=1e-8, hermitian=True) @ gradient
        slope = _gradient(loss, candidate)
        if not slope.norm() < gradient.norm():
            break
        point, gradient = candidate, slope
    return point


def _gradient(loss: Callable[[Tensor], Tensor], point: Tensor) -> Tensor:
    point = point.clone().requires_grad_()
    return torch.autograd.grad(loss(point), point)[0]


def fit(
    criterion: Callable[[Tensor, Tensor], Tensor], features: Tensor, targets: Tensor, num_classes: int, start: Tensor
) -> Tensor:
    """The logits [N, K] of ``features`` [N, d] under the linear layer that minimises the summed loss.

    ``start`` [(d + 1) K] holds the initial weights and bias.
    """
    inputs = torch.cat([features, torch.ones(len(features), 1, dtype=features.dtype)], dim=1)

    def loss(parameters: Tensor) -> Tensor:
        return criterion(inputs @ parameters.view(-1, num_classes), targets).sum()

    return inputs @ minimise(loss, start).view(-1, num_classes)


def crossing(first: Tensor, second: Tensor, classes: tuple[int, int]) -> float:
    """Where, as a share of the way from the features with logits ``first`` [K] to those with ``second`` [K],
    a linear layer gives both classes equal logits (0.5 = the midpoint)."""
    one, other = classes
    at_first = (first[one] - first[other]).item()
    at_second = (second[one] - second[other]).item()
    return at_first / (at_first - at_second)


def worst_crossing(logits: Tensor, targets: Tensor) -> float:
    """The crossing farthest from 0.5 over all pairs of samples of different classes; logits [N, K]."""
    labels = targets.tolist()
    shares = [
        crossing(logits[i], logits[j], (labels[i], labels[j]))
        for i in range(len(labels))
        for j in range(len(labels))
        if labels[i] != labels[j]
    ]
    return max(shares, key=lambda share: abs(share - 0.5))
