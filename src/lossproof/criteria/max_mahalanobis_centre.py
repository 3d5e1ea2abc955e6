"""Max-Mahalanobis centre loss (MMC)."""

from __future__ import annotations

from torch import Tensor, nn

CATALOGUE = {
    "mmc": {
        "build": "MaxMahalanobisCentre",
        "head": "max_mahalanobis",
        "head_parameters": {"norm": "norm", "dimension": "dimension"},
        "parameters": {
            "norm": {"type": "number", "exclusiveMinimum": 0, "default": 10, "description": "of every centre"},
            "dimension": {
                "type": "integer",
                "minimum": 1,
                "default": 256,
                "description": "of the embedding behind the features; at least the number of classes less one",
            },
        },
    }
}


class MaxMahalanobisCentre(nn.Module):
    """``||e - mu_y||^2 / 2`` with fixed centres of length ``norm`` (arXiv:1905.10626; their code has no 1/2).

    From the embedding and the logits 2 e . mu_k of the head ``max_mahalanobis``:
    ||e - mu_y||^2 = ||e||^2 + norm^2 - z_y.
    """

    uses_features = True

    def __init__(self, *, norm: float = 10, dimension: int = 256) -> None:
        super().__init__()
        self.norm, self.dimension = norm, dimension

    def forward(self, logits: Tensor, targets: Tensor, features: Tensor) -> Tensor:
        """Losses [B] of logits [B, K], targets [B] and embeddings [B, d]."""
        return (features.square().sum(dim=1) + self.norm**2 - logits.gather(1, targets[:, None])[:, 0]) / 2
