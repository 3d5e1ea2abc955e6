"""Scaled cosines between features and class weights (ArcFace, arXiv:1801.07698)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

CATALOGUE = {
    "cosine": {
        "build": "Cosine",
        "parameters": {
            "scale": {"type": "number", "exclusiveMinimum": 0, "default": 30, "description": "length of the features"}
        },
    }
}


class Cosine(nn.Linear):
    """``scale * cos(h, W_k)``: features [B, d] -> logits [B, K] between -scale and scale."""

    def __init__(self, feature_dim: int, num_classes: int, *, scale: float = 30) -> None:
        super().__init__(feature_dim, num_classes, bias=False)
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        return self.scale * functional.linear(functional.normalize(features, dim=-1), functional.normalize(self.weight))
