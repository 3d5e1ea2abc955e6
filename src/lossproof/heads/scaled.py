"""A trained head whose logits are multiplied by one number: the same decisions, another confidence."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Scaled(nn.Module):
    """``scale * head(features)``: features [B, d] -> logits [B, K]; ``scale`` is a buffer, stored with the weights."""

    scale: Tensor

    def __init__(self, head: nn.Module, scale: float = 1.0) -> None:
        super().__init__()
        self.head = head
        self.register_buffer("scale", torch.tensor(float(scale)))

    def forward(self, features: Tensor) -> Tensor:
        return self.scale * self.head(features)
