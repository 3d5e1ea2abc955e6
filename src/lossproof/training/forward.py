"""The forward pass of training steps: in which precision, compiled or not, and what the record says of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lossproof.models.classifier import Classifier, Scores
from lossproof.training.compiled import batch_sizes, compile_forward
from lossproof.training.precision import forward_in, switched, usable


@dataclass(frozen=True)
class TrainingForward:
    """Images [B, C, H, W] -> float32 logits [B, K] and their embedding by call; steps run inside ``switches()``.

    ``figures`` is for the record: ``precision_used`` and ``compiled``, each with a reason where it is not what
    the settings ask for (else None).
    """

    forward: Callable[[Tensor], Scores]
    figures: dict[str, Any]

    def __call__(self, images: Tensor) -> Scores:
        return self.forward(images)

    def switches(self) -> AbstractContextManager[None]:
        """What has to hold during the steps of training, and only there."""
        return switched(self.figures["precision_used"])


def training_forward(
    model: Classifier, settings: dict[str, Any], device: torch.device, images: int, shape: tuple[int, ...]
) -> TrainingForward:
    """The forward pass that ``precision`` and ``compile`` of a run's settings ask for, on ``images`` of one shape.

    Where the device or the compiler cannot do it, one line says so and training goes on without.
    """
    used, precision_reason = usable(settings["precision"], device)
    forward = forward_in(model, used, device)
    compiled_reason = None
    if settings["compile"]:
        shapes = [(size, *shape) for size in batch_sizes(images, settings["batch_size"])]
        with switched(used):
            forward, compiled_reason = compile_forward(forward, model, shapes, device)
    if precision_reason:
        print(f"precision {settings['precision']} is not used, {used} is: {precision_reason}", flush=True)
    if compiled_reason:
        print(f"not compiled: {compiled_reason}", flush=True)
    figures = {
        "precision_used": used,
        "precision_reason": precision_reason,
        "compiled": bool(settings["compile"]) and compiled_reason is None,
        "compiled_reason": compiled_reason,
    }
    return TrainingForward(forward, figures)
