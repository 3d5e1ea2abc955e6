"""Guided complement entropy (GCE)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

CATALOGUE = {
    "gce": {
        "build": "GuidedComplementEntropy",
        "parameters": {
            "alpha": {
                "type": "number",
                "minimum": 0,
                "default": 0.333,
                "description": "power of the true class's probability (PC-A18: the authors' value)",
            }
        },
    }
}


class GuidedComplementEntropy(nn.Module):
    """``p_y^alpha sum_{k != y} q_k log q_k / log K``, q_k = p_k / (1 - p_y) (Chen et al., ICCV 2019; henry8527/GCE).

    Between -1 and 0. The authors' code adds 1e-7 and 1e-10 inside quotients and logarithms; taken from logits all
    of it stays finite without: log q is a log-softmax over the false classes. Where p_y is 0 the gradient is 0 for
    alpha > 0: a start that is confidently wrong stays so.
    """

    def __init__(self, *, alpha: float = 0.333) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of logits [B, K] and targets [B]; ValueError for fewer than three classes (always 0 there)."""
        classes = logits.shape[1]
        if classes < 3:
            raise ValueError(f"GCE needs at least 3 classes, not {classes}: one false class has no entropy")
        own = targets[:, None]
        guide = (self.alpha * logits.log_softmax(1).gather(1, own)[:, 0]).exp()
        # The false classes alone, [B, K - 1]: with the true one masked by -inf the gradient would be 0 * inf.
        others = torch.arange(classes - 1, device=logits.device).expand(len(logits), -1)
        log_share = logits.gather(1, others + (others >= own)).log_softmax(1)
        return guide * (log_share.exp() * log_share).sum(1) / math.log(classes)
