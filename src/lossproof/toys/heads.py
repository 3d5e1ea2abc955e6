"""Heads of toy networks: what becomes of the last layer's outputs before the loss and the softmax see them.

The toy networks are batched and not built from ``lossproof.heads``; of those heads they have the ones below.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional


def _as_they_are(logits: Tensor) -> Tensor:
    return logits


def _normalised(logits: Tensor) -> Tensor:
    """Logits [..., 2] over their L2 norm (IS-A1); ``boundary.deployed_gap`` does the same to stored networks."""
    return functional.normalize(logits, dim=-1)


HEADS: dict[str, Callable[[Tensor], Tensor]] = {"linear": _as_they_are, "normalised_logits": _normalised}


def logits_of(head: str) -> Callable[[Tensor], Tensor]:
    """From the last layer's outputs to logits, both [..., 2]; ValueError for a head that toy networks do not have."""
    if head not in HEADS:
        raise ValueError(f"toy networks have no head '{head}'; known: {', '.join(HEADS)}")
    return HEADS[head]
