"""The model as an attacker looks at it: which of its logits, averaged over how many passes."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn


class Raw(nn.Module):
    """The logits before the head normalises them: the same class wins, gradients of another size (isce IS-A5).

    ValueError for a model that has no ``raw``.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if not callable(getattr(model, "raw", None)):
            raise ValueError(f"output 'raw' needs a model with raw logits; {type(model).__name__} has none")
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return cast(Tensor, self.model.raw(images))  # type: ignore[operator]


class Averaged(nn.Module):
    """Logits averaged over several passes of a model that draws at each (expectation over transforms, isce IS-A12).

    A gradient through it holds the activations of all passes at once. ValueError for fewer than one.
    """

    def __init__(self, model: nn.Module, draws: int) -> None:
        super().__init__()
        if draws < 1:
            raise ValueError(f"cannot average over {draws} passes")
        self.model, self.draws = model, draws

    def forward(self, images: Tensor) -> Tensor:
        total = self.model(images)
        for _ in range(self.draws - 1):
            total = total + self.model(images)
        return total / self.draws


def view(model: nn.Module, output: str = "deployed", draws: int = 1) -> nn.Module:
    """The model with 'deployed' or 'raw' logits, averaged over ``passes``; the model itself by default."""
    seen = Raw(model) if output == "raw" else model
    count = passes(model, draws)
    return seen if count == 1 else Averaged(seen, count)


def passes(model: nn.Module, draws: int) -> int:
    """``draws``, but 1 for a classifier without a ``transform``: it draws nothing, so all its passes are equal."""
    return 1 if getattr(model, "transform", model) is None else draws


def outputs(model: nn.Module, output: str) -> list[str]:
    """The logits that ``output`` names; of 'both' only the deployed ones where the head has no others."""
    if output != "both":
        return [output]
    return ["deployed", "raw"] if hasattr(getattr(model, "head", model), "raw") else ["deployed"]
