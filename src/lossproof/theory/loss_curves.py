"""The loss and its gradient against the true logit (sp, fig. 2 c and d)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from lossproof.catalogue import load
from lossproof.theory.true_logit import curve

CATALOGUE = {
    "loss_curves": {
        "build": "loss_curves",
        "parameters": {
            "trainings": {
                "type": "object",
                "description": "by name: the criterion and its parameters, e.g. {sp: {criterion: sp_focal, eta: 0.03}}",
            },
            "points": {
                "type": "integer",
                "minimum": 2,
                "default": 321,
                "description": "true logits from -6 to 10, evenly spaced",
            },
        },
    }
}


def loss_curves(*, trainings: Mapping[str, Mapping[str, Any]], points: int = 321) -> dict[str, list[float]]:
    """``{"x": true logits, "<training>/loss": ..., "<training>/gradient": d loss / d true logit}``.

    Two classes, the other logit 0 (float64, autograd). KeyError where a criterion is unknown.
    """
    x = torch.linspace(-6, 10, points, dtype=torch.float64)
    curves = {"x": x.tolist()}
    for name, settings in trainings.items():
        parameters = {key: value for key, value in settings.items() if key != "criterion"}
        losses, gradients = curve(load("criteria", settings["criterion"])(**parameters), x)
        curves[f"{name}/loss"], curves[f"{name}/gradient"] = losses.tolist(), gradients.tolist()
    return curves
