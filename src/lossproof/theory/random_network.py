"""A smooth two-layer network with random weights, for checks that hold of any network."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lossproof.seeding import torch_generator

HIDDEN = 30


class RandomNetwork:
    """``3 tanh(x A + b) B``, float64; the draws follow from the names and the shape."""

    def __init__(self, inputs: int, num_classes: int, *names: object) -> None:
        self.inputs = inputs
        self.generator = torch_generator("theory", *names, inputs, num_classes)
        self.first = self._normal(inputs, HIDDEN) / math.sqrt(inputs)
        self.bias = self._normal(HIDDEN)
        self.second = 3 * self._normal(HIDDEN, num_classes) / math.sqrt(HIDDEN)

    def __call__(self, x: Tensor) -> Tensor:
        """[..., inputs] -> logits [..., K]."""
        return (x @ self.first + self.bias).tanh() @ self.second

    def points(self, count: int) -> Tensor:
        """Further standard normal inputs [count, inputs]."""
        return self._normal(count, self.inputs)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64)
