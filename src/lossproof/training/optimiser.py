"""The optimiser and its learning-rate schedule."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

SCHEDULES = ("constant", "cosine", "step", "milestones")


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Decay on weights only: biases and batch-norm scales are left alone.

    ``factor`` is on the learning rate; a part of the model may ask for one (``learning_rate_factor``).
    """
    factors: dict[nn.Parameter, float] = {
        parameter: float(part.learning_rate_factor)  # type: ignore[arg-type]
        for part in model.modules()
        if hasattr(part, "learning_rate_factor")
        for parameter in part.parameters()
    }
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {
            "params": [p for p in parameters if (p.dim() > 1) == decayed and factors.get(p, 1.0) == factor],
            "weight_decay": weight_decay if decayed else 0.0,
            "factor": factor,
        }
        for factor in sorted({1.0, *factors.values()})
        for decayed in (True, False)
    ]
    return groups[:2] + [group for group in groups[2:] if group["params"]]


def _fused(parameters: Iterable[nn.Parameter]) -> bool:
    """One fused kernel instead of a dozen small ones per tensor: tiny networks are bound by these.

    Not on MPS, whose fused kernels are young: there the plain form, which every torch offers, is used.
    """
    return next(iter(parameters)).device.type in ("cpu", "cuda")


def adam(model: nn.Module, settings: dict[str, Any]) -> torch.optim.Adam:
    """Adam with L2 decay on weights only.

    ``settings``: ``learning_rate``, ``betas``, ``weight_decay`` (added to the gradient, i.e. the
    penalty (weight_decay / 2) ||w||^2).
    """
    return torch.optim.Adam(
        _groups(model, settings["weight_decay"]),
        lr=settings["learning_rate"],
        betas=tuple(settings["betas"]),
        fused=_fused(model.parameters()),
    )


def sgd(model: nn.Module, settings: dict[str, Any]) -> torch.optim.SGD:
    """Stochastic gradient descent with L2 decay on weights only.

    ``settings``: ``learning_rate``, ``momentum`` (0 for none), ``nesterov`` (needs momentum), ``weight_decay``.
    """
    return torch.optim.SGD(
        _groups(model, settings["weight_decay"]),
        lr=settings["learning_rate"],
        momentum=settings["momentum"],
        nesterov=settings["nesterov"],
        fused=_fused(model.parameters()),
    )


OPTIMISERS = {"adam": adam, "sgd": sgd}


def optimiser_of(model: nn.Module, settings: dict[str, Any]) -> torch.optim.Optimizer:
    """The optimiser that ``settings["name"]`` names; ValueError for another."""
    if settings["name"] not in OPTIMISERS:
        raise ValueError(f"no optimiser '{settings['name']}'; known: {', '.join(OPTIMISERS)}")
    return OPTIMISERS[settings["name"]](model, settings)


def learning_rate(settings: dict[str, Any], epoch: int, epochs: int) -> float:
    """The rate of an epoch (from 0).

    ``constant``; ``cosine`` to 0; ``step``: divided by 10 at half and at three quarters; ``milestones``: times
    ``factor`` after each epoch (from 1) that ``milestones`` names.
    """
    base = float(settings["learning_rate"])
    match settings["schedule"]:
        case "constant":
            return base
        case "cosine":
            return base * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
        case "step":
            return base * 0.1 ** ((2 * epoch >= epochs) + (4 * epoch >= 3 * epochs))
        case "milestones":
            return base * float(settings["factor"]) ** sum(epoch >= done for done in settings["milestones"])
    raise ValueError(f"no schedule '{settings['schedule']}'; known: {', '.join(SCHEDULES)}")
