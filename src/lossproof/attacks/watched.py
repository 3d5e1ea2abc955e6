"""A model that notes for which images a library's gradients vanish."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Watched(nn.Module):
    """The model, noting which rows of its input ever got an exactly zero gradient.

    A hook on the input sees the gradients that the library asks for, so the count costs no pass of its own.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.zero = torch.zeros((), dtype=torch.bool)

    def forward(self, images: Tensor) -> Tensor:
        if images.requires_grad:
            images.register_hook(self._note)
        return self.model(images)

    def _note(self, gradient: Tensor) -> None:
        self.zero = ~gradient.flatten(1).any(1) | self.zero.to(gradient.device)
