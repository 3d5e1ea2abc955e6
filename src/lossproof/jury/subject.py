"""What the jury is given of one trained network."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from lossproof.attacks.losses import AttackLoss


@dataclass(frozen=True)
class Subject:
    """A trained network, the images that it is judged on and the budget of an attacker.

    model and twin map pixels in [0, 1] to logits [N, K], in evaluation mode, on the device of the images. twin is
    the network trained by cross entropy that the model is compared with; None where it is one itself. criterion is
    the training's own loss per sample as an attacker may raise it (logits, labels -> [N]), None where it is cross
    entropy or no function of logits. names: what every random draw follows from. draws: passes that an attacker
    averages over where the model draws at each pass.
    """

    model: nn.Module
    images: Tensor  # [N, C, H, W] float32 in [0, 1]
    labels: Tensor  # [N] int64
    norm: str  # linf or l2
    epsilon: str  # as printed
    epsilon_value: float  # in pixels (L2: Euclidean length over the image)
    criterion: AttackLoss | None = None
    twin: nn.Module | None = None
    names: tuple[object, ...] = ()
    draws: int = 8
