"""Heads: from a backbone's features to logits.

A head is built as ``head(feature_dim, num_classes)`` and maps features [B, d] to logits [B, K]. Each loss
names the head it needs; a new one is one more entry here.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

HEADS: dict[str, Callable[[int, int], nn.Module]] = {
    "linear": nn.Linear,
}
