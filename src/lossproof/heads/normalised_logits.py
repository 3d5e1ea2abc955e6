"""A linear layer whose logits are divided by their length (isce, section 3.2; IS-A1)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

CATALOGUE = {"normalised_logits": {"build": "NormalisedLogits", "parameters": {}}}

# Below it a vector is not scaled to length 1; the notes on the paper give this value.
TINY = 1e-12


class NormalisedLogits(nn.Linear):
    """``f = z / ||z||_2`` with ``z = W h + b``: features [B, d] -> logits [B, K] of length 1.

    Gaps are below 1.414, so cross entropy on them has no vanishing gradient; with ten classes no probability
    exceeds 0.242.
    """

    def forward(self, features: Tensor) -> Tensor:
        return functional.normalize(self.raw(features), dim=-1, eps=TINY)

    def raw(self, features: Tensor) -> Tensor:
        """``z`` [B, K]: the same arg-max, another gradient."""
        return super().forward(features)
