"""Focal loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CATALOGUE = {
    "focal": {
        "build": "Focal",
        "parameters": {
            "alpha": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 0.25,
                "description": "factor of the loss",
            },
            "gamma": {
                "type": "number",
                "minimum": 0,
                "default": 2,
                "description": "exponent that lowers the weight of samples that are already confident",
            },
        },
    }
}


def focal_term(cross_entropy: Tensor, alpha: float, gamma: float) -> Tensor:
    """``-alpha (1 - p)^gamma log p`` of each ``cross_entropy = -log p`` >= 0, any shape."""
    false_probability = -torch.expm1(-cross_entropy)
    # At p = 1 the slope of a power below 1 is infinite and autograd would give inf * 0; the floor cuts that
    # branch, and the product is 0 there all the same.
    floor = torch.finfo(cross_entropy.dtype).tiny
    return alpha * false_probability.clamp_min(floor).pow(gamma) * cross_entropy


class Focal(nn.Module):
    """``-alpha (1 - p_y)^gamma log p_y`` per sample (Lin et al. 2017; sp, section on losses).

    The weight belongs to the sample, not to the batch mean, and is part of the gradient.
    """

    def __init__(self, *, alpha: float = 0.25, gamma: float = 2) -> None:
        super().__init__()
        self.alpha, self.gamma = alpha, gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of logits [B, K] and targets [B]."""
        return focal_term(functional.cross_entropy(logits, targets, reduction="none"), self.alpha, self.gamma)
