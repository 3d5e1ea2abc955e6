"""Cross entropy."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

CATALOGUE = {"ce": {"build": "CrossEntropy", "parameters": {}}}


class CrossEntropy(nn.Module):
    """``-log p_y`` per sample, without a stationary point (sp, eq. 2)."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of logits [B, K] and targets [B]."""
        return functional.cross_entropy(logits, targets, reduction="none")
