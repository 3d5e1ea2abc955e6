"""isce, fig. 2: where each loss drives an output of two classes, computed instead of sketched."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lossproof.theory.inference_softmax import marked, root

CATALOGUE = {
    "isce_regression": {
        "build": "regression",
        "parameters": {
            "s": {"type": "number", "minimum": 1, "default": 1.0, "description": "factor of I-SCE"},
            "m": {"type": "number", "minimum": 0, "default": 0.1, "description": "margin of I-SCE"},
            "smoothing": {
                "type": "number",
                "minimum": 0,
                "exclusiveMaximum": 1,
                "default": 0.1,
                "description": "share of the label that label smoothing spreads over the classes",
            },
            "margin": {
                "type": "number",
                "minimum": 0,
                "default": 0.5,
                "description": "ArcFace's angular margin in radians",
            },
            "scale": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 10.0,
                "description": "ArcFace's scale; with two classes it changes the height of the loss, not a direction",
            },
        },
    }
}

REACH, POINTS, ARROWS = 4.0, 64, 12
Loss = Callable[[Tensor], Tensor]


def regression(
    *, s: float = 1.0, m: float = 0.1, smoothing: float = 0.1, margin: float = 0.5, scale: float = 10.0
) -> dict[str, Any]:
    """``{"fields": {...}, "measures": [...]}`` of losses over the plane of two logits, the first class true.

    ArcFace takes features: its class weights are the unit vectors of the plane, under which features and the logits
    of a linear layer are the same. Fields: ``axis`` [A], ``<panel>/loss`` [A, A] (row: other logit), ``arrows`` [C]
    and ``<panel>/true``, ``<panel>/other`` [C, C]: the direction of steepest descent, of length 1 (0 at a minimum), by
    autograd.
    Measures: ``one_direction`` (length of the mean direction; 1: the same everywhere), ``radial`` (mean size of the
    part towards or away from the origin; 0: the norm never changes), and where the loss along the gap of the logits
    or along the angle is smallest: ``gap`` of the logits, or ``angle`` to the true class's axis in degrees.
    """
    losses: dict[str, Loss] = {
        "ce": lambda x: -marked(x[..., 0], x[..., 1]).log(),
        "label_smoothing": lambda x: _smoothed(x, smoothing),
        "isce_formula": lambda x: -marked(x[..., 0], x[..., 1], s, m).log(),
        "arcface": lambda x: _arcface(x, margin, scale),
        "nce": lambda x: _normalised(x, 1.0, 0.0),
        "isce": lambda x: _normalised(x, s, m),
    }
    # An even number of points: none at the origin, where an angle has no value.
    axis = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
    step = 2 * REACH / ARROWS
    arrows = torch.linspace(-REACH + step / 2, REACH - step / 2, ARROWS, dtype=torch.float64)
    fields: dict[str, Any] = {"axis": axis.tolist(), "arrows": arrows.tolist()}
    measures: list[dict[str, Any]] = []
    for panel, loss in losses.items():
        places = _plane(arrows)
        down = _descent(loss, places)
        fields[f"{panel}/loss"] = loss(_plane(axis)).tolist()
        fields[f"{panel}/true"], fields[f"{panel}/other"] = down[..., 0].tolist(), down[..., 1].tolist()
        radial = (down * functional.normalize(places, dim=-1)).sum(-1).abs().mean().item()
        found = {"one_direction": down.mean((0, 1)).norm().item(), "radial": radial, **_minimum(panel, loss)}
        measures += [{"training": panel, "quantity": quantity, "value": value} for quantity, value in found.items()]
    return {"fields": fields, "measures": measures}


def _smoothed(x: Tensor, smoothing: float) -> Tensor:
    log = x.log_softmax(-1)
    return -(1 - smoothing) * log[..., 0] - smoothing * log.mean(-1)


def _arcface(x: Tensor, margin: float, scale: float) -> Tensor:
    """Deng et al. 2019 with unit class weights along the axes; where the angle and the margin exceed pi, their
    published code's ``cos t - margin sin(margin)``, which goes on falling."""
    unit = functional.normalize(x, dim=-1)
    true, other = unit[..., 0], unit[..., 1]
    # cos(t + margin) written out; other^2 is the square of the sine of the true class's angle.
    widened = true * math.cos(margin) - other.abs() * math.sin(margin)
    widened = torch.where(true > -math.cos(margin), widened, true - margin * math.sin(margin))
    return functional.softplus(scale * (other - widened))


def _normalised(x: Tensor, s: float, m: float) -> Tensor:
    unit = functional.normalize(x, dim=-1)
    return -marked(unit[..., 0], unit[..., 1], s, m).log()


def _plane(axis: Tensor) -> Tensor:
    """The points [A, A, 2] (true, other) of the plane, row: other."""
    other, true = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([true, other], dim=-1)


def _descent(loss: Loss, places: Tensor) -> Tensor:
    """Directions [..., 2] of length 1 against the gradient at ``places`` [..., 2]; 0 where there is none."""
    at = places.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(at).sum(), at)
    length = gradient.norm(dim=-1, keepdim=True)
    # At a minimum only rounding is left, which has no direction.
    return torch.where(length > 1e-9 * length.max(), -gradient / length, torch.zeros_like(gradient))


def _minimum(panel: str, loss: Loss) -> dict[str, float]:
    """Where the loss turns along the line (g, 0) or, for losses of the angle alone, along a circle; {} for neither."""

    def along(place: Callable[[Tensor], Tensor], low: float, high: float) -> float | None:
        def slope(value: float) -> float:
            at = torch.tensor(value, dtype=torch.float64, requires_grad=True)
            return torch.autograd.grad(loss(place(at)), at)[0].item()

        return root(slope, low, high) if slope(low) < 0 < slope(high) else None

    if panel in ("arcface", "nce", "isce"):
        angle = along(lambda t: torch.stack([t.cos(), -t.sin()]), 0.01, math.pi - 0.01)
        return {} if angle is None else {"angle": -math.degrees(angle)}
    gap = along(lambda g: torch.stack([g, torch.zeros_like(g)]), 0.0, 50.0)
    return {} if gap is None else {"gap": gap}
