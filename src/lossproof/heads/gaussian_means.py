"""Gaussian classes of unit covariance, by their trainable means (L-GM, Wan et al., CVPR 2018)."""

from __future__ import annotations

from torch import Tensor, nn

CATALOGUE = {"gaussian_means": {"build": "GaussianMeans", "parameters": {}}}


class GaussianMeans(nn.Linear):
    """``h . mu_k - ||mu_k||^2 / 2``: features [B, d] -> logits [B, K].

    Equal to ``-||h - mu_k||^2 / 2`` up to a term without k: the same softmax and arg-max, but of both signs. The
    authors' released example fixes the covariance to the identity and doubles the means' learning rate
    (WeitaoVan/L-GM-loss: cifar100).
    """

    learning_rate_factor = 2.0

    def __init__(self, feature_dim: int, num_classes: int) -> None:
        super().__init__(feature_dim, num_classes, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features) - self.weight.square().sum(dim=1) / 2
