"""A loss along the true logit: its value, its slope and the points where the slope vanishes."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Criterion = Callable[[Tensor, Tensor], Tensor]


def curve(criterion: Criterion, true_logits: Tensor, num_classes: int = 2) -> tuple[Tensor, Tensor]:
    """Loss and d loss / d true logit at each of ``true_logits`` [N], all other logits 0."""
    logits = torch.zeros(len(true_logits), num_classes, dtype=torch.float64)
    logits[:, 0] = true_logits
    logits.requires_grad_()
    losses = criterion(logits, torch.zeros(len(true_logits), dtype=torch.int64))
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    return losses.detach(), gradient[:, 0]


def stationary_points(criterion: Criterion, num_classes: int = 2) -> list[float]:
    """The true-class probabilities, ascending, at which the autograd slope changes its sign.

    The false logits are equal; odds of the true class from e^-15 to e^15 are searched, so two points
    closer than 0.05 in the logit would be missed.
    """
    shift = math.log(num_classes - 1)
    grid = torch.linspace(-15, 15, 601, dtype=torch.float64) + shift
    signs = curve(criterion, grid, num_classes)[1].sign()
    found = torch.nonzero(signs[:-1] * signs[1:] < 0).flatten()
    low, high = grid[found], grid[found + 1]
    for _ in range(60):
        middle = (low + high) / 2
        left = curve(criterion, middle, num_classes)[1].sign() == signs[found]
        low, high = torch.where(left, middle, low), torch.where(left, high, middle)
    exact = torch.nonzero(signs == 0).flatten()
    return sorted(torch.sigmoid(torch.cat([(low + high) / 2, grid[exact]]) - shift).tolist())
