"""The loss of `pc` (eqs. 6 and 16) as plain formulas, for the checks of its statements. Class 0 is the true one."""

from __future__ import annotations

import torch
from torch import Tensor

XI, WEIGHT = 0.995, 0.05  # margin and weight of the logit term in the paper
CLASSES = (10, 100, 200)  # of its data sets


def terms(logits: Tensor, xi: float = XI) -> Tensor:
    """``f_j + xi - f_y`` [N, K - 1] of every false class, before the hinge of eq. 6; logits [N, K]."""
    probabilities = logits.softmax(1)
    return probabilities[:, 1:] + xi - probabilities[:, :1]


def objective(logits: Tensor, *, mean: bool, bound: Tensor | float = 0.0, weight: Tensor | float = WEIGHT) -> Tensor:
    """Eq. 16 per sample [N], with C' = ``bound``; logits [N, K].

    ``mean``: the released code (xinli0928/PC-LC), which divides the hinges by K - 1 and weights the logit gaps by the
    softmax of the false logits. Else as printed: the hinges are summed, and the largest false logit alone counts.
    """
    hinges, gaps = terms(logits).relu(), (logits[:, :1] - logits[:, 1:]).relu()
    if mean:
        return hinges.mean(1) + weight * ((logits[:, 1:].softmax(1) * gaps).sum(1) - bound)
    return hinges.sum(1) + weight * (gaps.amin(1) - bound)


def with_gap(gap: Tensor, num_classes: int) -> Tensor:
    """Logits [N, K] whose true one exceeds the others, all 0, by ``gap`` [N]."""
    return torch.cat([gap[:, None], gap.new_zeros(len(gap), num_classes - 1)], 1)
