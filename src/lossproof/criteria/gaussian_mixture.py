"""Large-margin Gaussian mixture loss (L-GM; 'L-DM' in the stationary-point paper)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

CATALOGUE = {
    "lgm": {
        "build": "GaussianMixture",
        "head": "gaussian_means",
        "parameters": {
            "margin": {
                "type": "number",
                "minimum": 0,
                "default": 0.3,
                "description": "the true class's distance is multiplied by 1 + margin; the authors reach 0.3 by a ramp",
            },
            "likelihood": {"type": "number", "minimum": 0, "default": 0.1, "description": "weight of the distance"},
        },
    }
}


class GaussianMixture(nn.Module):
    """Cross entropy on ``-(1 + margin [k = y]) d_k`` plus ``likelihood d_y`` (Wan et al., CVPR 2018).

    d_k = ||h - mu_k||^2 / 2: unit covariances, as in the authors' released CIFAR example. The true distance
    follows from features and the logits of the head ``gaussian_means``: d_y = ||h||^2 / 2 - z_y.
    """

    uses_features = True

    def __init__(self, *, margin: float = 0.3, likelihood: float = 0.1) -> None:
        super().__init__()
        self.margin, self.likelihood = margin, likelihood

    def forward(self, logits: Tensor, targets: Tensor, features: Tensor) -> Tensor:
        """Losses [B] of logits [B, K], targets [B] and features [B, d]."""
        true = targets[:, None]
        distance = features.square().sum(dim=1) / 2 - logits.gather(1, true)[:, 0]
        widened = logits.scatter_add(1, true, -self.margin * distance[:, None])
        return functional.cross_entropy(widened, targets, reduction="none") + self.likelihood * distance
