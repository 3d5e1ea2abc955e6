"""Inference-softmax cross entropy (I-SCE) and its control without a margin."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

NORMALISE = {
    "enum": ["logits", "features"],
    "default": "logits",
    "description": "which vector is divided by its length (IS-A1)",
}
HEAD = {"normalise": {"logits": "normalised_logits", "features": "normalised_features"}}
CATALOGUE = {
    "isce": {
        "build": "InferenceSoftmax",
        "head": HEAD,
        "parameters": {
            "s": {"type": "number", "exclusiveMinimum": 0, "default": 1, "description": "factor on the true logit"},
            "m": {"type": "number", "default": 0.1, "description": "added to the true logit; below 0: a margin"},
            "normalise": NORMALISE,
        },
    },
    "nce": {"build": "NormalisedCrossEntropy", "head": HEAD, "parameters": {"normalise": NORMALISE}},
}


class InferenceSoftmax(nn.Module):
    """``-log [exp(s f_y + m) / (exp(s f_y + m) + sum_{j != y} exp(f_j))]`` (isce, eq. 4).

    s and m act on the true logit only; m > 0 lowers the loss, so it asks for less separation, not for more.
    ``normalise`` chooses the head. Raises ValueError for another choice, or s of 0 or less.
    """

    def __init__(self, *, s: float = 1, m: float = 0.1, normalise: str = "logits") -> None:
        super().__init__()
        if normalise not in HEAD["normalise"]:
            raise ValueError(f"I-SCE normalises logits or features, not '{normalise}'")
        if s <= 0:
            raise ValueError(f"s of I-SCE must be positive, not {s}")
        self.s, self.m, self.normalise = s, m, normalise

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses [B] of (normalised) logits [B, K] and targets [B]."""
        true = functional.one_hot(targets, logits.shape[-1]).bool()
        marked = torch.where(true, self.s * logits + self.m, logits)
        return functional.cross_entropy(marked, targets, reduction="none")


class NormalisedCrossEntropy(InferenceSoftmax):
    """Cross entropy on normalised logits: I-SCE with s = 1 and m = 0, the control that the paper leaves out."""

    def __init__(self, *, normalise: str = "logits") -> None:
        super().__init__(s=1, m=0, normalise=normalise)
