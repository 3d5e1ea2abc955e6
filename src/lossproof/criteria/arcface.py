"""Additive angular margin (ArcFace)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

CATALOGUE = {
    "arcface": {
        "build": "ArcFace",
        "head": "cosine",
        "head_parameters": {"scale": "scale"},
        "parameters": {
            "scale": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 30,
                "description": "factor on the cosines; 64 in the authors' code, which saturates ten classes",
            },
            "margin": {
                "type": "number",
                "minimum": 0,
                "exclusiveMaximum": 1.5707963267948966,
                "default": 0.5,
                "description": "added to the true class's angle, radians",
            },
        },
    }
}

# The sine's slope is infinite at angle 0, so a square below this is not followed.
TINY = 1e-12


class ArcFace(nn.Module):
    """Cross entropy on ``scale cos(angle_y + margin)`` and ``scale cos(angle_k)`` (arXiv:1801.07698).

    Where angle_y + margin exceeds pi, ``cos(angle_y) - margin sin(margin)`` takes its place, as in
    ronghuaiyang/arcface-pytorch, so that the loss keeps falling with the angle. Takes the logits of the head
    ``cosine`` of the same scale.
    """

    def __init__(self, *, scale: float = 30, margin: float = 0.5) -> None:
        super().__init__()
        self.scale, self.margin = scale, margin

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of logits [B, K] and targets [B]."""
        cosine = logits.gather(1, targets[:, None]) / self.scale
        sine = (1 - cosine.square()).clamp_min(TINY).sqrt()
        moved = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        beyond = cosine <= -math.cos(self.margin)
        moved = torch.where(beyond, cosine - self.margin * math.sin(self.margin), moved)
        return functional.cross_entropy(
            logits.scatter(1, targets[:, None], self.scale * moved), targets, reduction="none"
        )
