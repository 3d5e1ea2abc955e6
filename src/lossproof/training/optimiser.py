"""The optimiser and its learning-rate schedule."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

SCHEDULES = ("constant", "cosine", "step")


def adam(model: nn.Module, settings: dict[str, Any]) -> torch.optim.Adam:
    """Adam with L2 decay on weights only: biases and batch-norm scales are left alone.

    ``settings``: ``learning_rate``, ``betas``, ``weight_decay`` (added to the gradient, i.e. the
    penalty (weight_decay / 2) ||w||^2).
    """
    weights = [p for p in model.parameters() if p.requires_grad and p.dim() > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.dim() <= 1]
    groups = [
        {"params": weights, "weight_decay": settings["weight_decay"]},
        {"params": others, "weight_decay": 0.0},
    ]
    # One fused kernel instead of a dozen small ones per tensor: tiny networks are bound by these.
    fused = next(model.parameters()).device.type in ("cpu", "cuda")
    return torch.optim.Adam(groups, lr=settings["learning_rate"], betas=tuple(settings["betas"]), fused=fused)


def learning_rate(settings: dict[str, Any], epoch: int, epochs: int) -> float:
    """The rate of an epoch (from 0): constant, cosine to 0, or divided by 10 at half and three quarters."""
    base = float(settings["learning_rate"])
    match settings["schedule"]:
        case "constant":
            return base
        case "cosine":
            return base * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
        case "step":
            return base * 0.1 ** ((2 * epoch >= epochs) + (4 * epoch >= 3 * epochs))
    raise ValueError(f"no schedule '{settings['schedule']}'; known: {', '.join(SCHEDULES)}")
