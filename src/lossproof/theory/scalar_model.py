"""The paper's scalar model: ``p = w x + b`` on X = {-1, 1}, probability of class 1 ``1 / (1 + exp(1 - 2p))``."""

from __future__ import annotations

import torch
from torch import Tensor

from lossproof.theory.linear_fit import minimise
from lossproof.theory.true_logit import Criterion

POINTS = torch.tensor([-1.0, 1.0], dtype=torch.float64)
TARGETS = torch.tensor([0, 1])
START = torch.tensor([0.1, 0.3], dtype=torch.float64)


def logits(parameters: Tensor) -> Tensor:
    """Logits [2, 2] of both points for ``parameters`` (w, b): ``1 - p`` and ``p``, whose softmax is the model's."""
    p = parameters[0] * POINTS + parameters[1]
    return torch.stack([1 - p, p], dim=1)


def fit_points(criterion: Criterion) -> tuple[float, float]:
    """(w, b) at the minimum of the summed loss, from a start off the solution."""
    weight, bias = minimise(lambda parameters: criterion(logits(parameters), TARGETS).sum(), START).tolist()
    return weight, bias


def accuracy(weight: float, bias: float) -> float:
    """Percent of the two points on their own side; a tie counts as wrong."""
    values = logits(torch.tensor([weight, bias], dtype=torch.float64))
    right = values.gather(1, TARGETS[:, None]) > values.gather(1, 1 - TARGETS[:, None])
    return 100 * right.double().mean().item()


def slope_in_weight(criterion: Criterion, weights: Tensor) -> Tensor:
    """d loss / d w [N] at each of ``weights`` [N] with b = 0.5, where both points have equal losses."""
    weights = weights.clone().requires_grad_()
    p = weights + 0.5
    losses = criterion(torch.stack([1 - p, p], dim=1), torch.ones(len(p), dtype=torch.int64))
    return torch.autograd.grad(2 * losses.sum(), weights)[0]
