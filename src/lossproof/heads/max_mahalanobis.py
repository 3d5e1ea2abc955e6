"""Fixed class centres that lie as far apart as possible (MMC, arXiv:1905.10626)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CATALOGUE = {
    "max_mahalanobis": {
        "build": "MaxMahalanobis",
        "parameters": {
            "dimension": {"type": "integer", "minimum": 1, "default": 256, "description": "of the embedding"},
            "norm": {"type": "number", "exclusiveMinimum": 0, "default": 10, "description": "of every centre"},
        },
    }
}


def centres(num_classes: int, dimension: int, norm: float) -> Tensor:
    """Vertices [K, d] of a regular simplex around 0, float64: length ``norm``, inner products -norm^2 / (K - 1).

    The authors' recursion (P2333/Max-Mahalanobis-Training: kernel_paras/craft_MMcenters.m). Raises ValueError where
    d dimensions hold no such simplex: K may be d + 1 at most.
    """
    if not 2 <= num_classes <= dimension + 1:
        raise ValueError(
            f"{num_classes} equidistant centres need 2 classes or more and at least {num_classes - 1} dimensions, "
            f"not {dimension}"
        )
    found = torch.zeros(num_classes, max(dimension, num_classes), dtype=torch.float64)
    found[0, 0] = 1
    for k in range(1, num_classes):
        for j in range(k):
            found[k, j] = -(1 / (num_classes - 1) + found[k] @ found[j]) / found[j, j]
        # The last vertex already has length 1: what is left is rounding.
        found[k, k] = (1 - found[k] @ found[k]).clamp_min(0).sqrt() if k < num_classes - 1 else 0
    return norm * found[:, :dimension]


class MaxMahalanobis(nn.Module):
    """``2 e . mu_k`` of an embedding ``e = W h + b``: features [B, d] -> logits [B, K].

    Equal to ``-||e - mu_k||^2`` up to a term without k, as all centres are equally long: the same softmax and
    arg-max, but of both signs. The embedding has no rectifier behind it, or it could not reach the centres.
    """

    centres: Tensor

    def __init__(self, feature_dim: int, num_classes: int, *, dimension: int = 256, norm: float = 10) -> None:
        super().__init__()
        self.embedding = nn.Linear(feature_dim, dimension)
        self.register_buffer("centres", centres(num_classes, dimension, norm).float())

    @property
    def weight(self) -> Tensor:
        """Weights [dimension, d] of the embedding, the last that are trained."""
        return self.embedding.weight

    def embed(self, features: Tensor) -> Tensor:
        """Features [B, d] -> embedding [B, dimension]."""
        return self.embedding(features)

    def scores(self, embedding: Tensor) -> Tensor:
        """Embedding [B, dimension] -> logits [B, K]."""
        return 2 * embedding @ self.centres.T

    def forward(self, features: Tensor) -> Tensor:
        return self.scores(self.embed(features))
