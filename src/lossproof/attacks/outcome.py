"""What the deployed model says of adversarial images, and whether they are adversarial images at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lossproof.models.frozen import frozen
from lossproof.threats.balls import length, per_image

TOLERANCE = 1e-6  # pixels; float32 rounding of image + perturbation stays below it
INVALID = -1
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Crafted:
    """What a method made of N images under E budgets."""

    images: Tensor  # [E, N, C, H, W]
    zero_gradient: Tensor  # [E, N] bool: at some step the gradient was exactly zero


@dataclass(frozen=True)
class Outcome:
    """Per image, [N]: what the model predicts and what is wrong with the image."""

    raw: np.ndarray  # int64: prediction of whatever the attack gave back
    nan: np.ndarray  # bool: a pixel is not finite
    moved_out_of_ball: np.ndarray  # bool: further from the clean image than epsilon
    out_of_box: np.ndarray  # bool: a pixel outside [0, 1]
    unmoved: np.ndarray  # bool: equal to the clean image
    zero_gradient: np.ndarray  # bool
    linf: np.ndarray  # float32: distance from the clean image
    l2: np.ndarray

    @property
    def valid(self) -> np.ndarray:
        """An admissible image: finite, in the ball, in the box."""
        return ~(self.nan | self.moved_out_of_ball | self.out_of_box)

    @property
    def predictions(self) -> np.ndarray:
        """The predictions, -1 for an invalid image."""
        return np.where(self.valid, self.raw, INVALID)

    @staticmethod
    def joined(parts: list[Outcome]) -> Outcome:
        """The outcome of several batches, one after the other."""
        return Outcome(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})

    def of(self, rows: slice) -> Outcome:
        """The outcome of some of the images."""
        return Outcome(**{name: value[rows] for name, value in vars(self).items()})


def predict(model: nn.Module, images: Tensor) -> Tensor:
    """The class that the deployed model gives each image, [N]; evaluation mode."""
    with frozen(model), torch.no_grad():
        return model(images).argmax(1)


def judge(
    model: nn.Module,
    clean: Tensor,
    adversarial: Tensor,
    *,
    norm: str,
    epsilon: float | Tensor,
    zero_gradient: Tensor | None = None,
) -> Outcome:
    """Judge adversarial images [N, C, H, W] beside the clean ones; epsilon as in ``gradient.attack``."""
    delta = adversarial - clean
    finite = adversarial.flatten(1).isfinite().all(1)
    linf, l2 = length(delta, "linf"), length(delta, "l2")
    moved = linf if norm == "linf" else l2
    outside = ((adversarial < -TOLERANCE) | (adversarial > 1 + TOLERANCE)).flatten(1).any(1)
    columns = {
        "raw": predict(model, adversarial),
        "nan": ~finite,
        "moved_out_of_ball": finite & (moved > per_image(epsilon, clean).flatten() + TOLERANCE),
        "out_of_box": finite & outside,
        "unmoved": linf == 0,
        "zero_gradient": torch.zeros_like(finite) if zero_gradient is None else zero_gradient,
        "linf": linf,
        "l2": l2,
    }
    return Outcome(**{name: column.cpu().numpy() for name, column in columns.items()})


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, in percent; ValueError without trials."""
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} of {trials} is no share")
    share, squeeze = successes / trials, Z_95**2 / trials
    centre = share + squeeze / 2
    half = Z_95 * math.sqrt(share * (1 - share) / trials + squeeze / trials / 4)
    return (
        100 * max(0.0, (centre - half) / (1 + squeeze)),
        100 * min(1.0, (centre + half) / (1 + squeeze)),
    )


def summarise(outcome: Outcome, labels: np.ndarray, clean: np.ndarray) -> dict[str, Any]:
    """The figures of one budget; labels and clean predictions [N].

    accuracy (percent, with its Wilson interval): an invalid image counts as the clean one, as an attack that made
    no admissible image has not succeeded. accuracy_raw: what scoring the output blindly would give.
    unmoved: images that the model gets right and the attack gave back as they were. The medians are over valid
    images; None where there are none.
    """
    valid = outcome.valid
    correct = np.where(valid, outcome.raw, clean) == labels
    low, high = wilson(int(correct.sum()), len(labels))
    return {
        "accuracy": 100 * float(correct.mean()),
        "ci_low": low,
        "ci_high": high,
        "accuracy_raw": 100 * float((outcome.raw == labels).mean()),
        "invalid": int((~valid).sum()),
        "nan": int(outcome.nan.sum()),
        "moved_out_of_ball": int(outcome.moved_out_of_ball.sum()),
        "out_of_box": int(outcome.out_of_box.sum()),
        "unmoved": int((outcome.unmoved & (clean == labels)).sum()),
        "zero_gradient": int(outcome.zero_gradient.sum()),
        "median_linf": float(np.median(outcome.linf[valid])) if valid.any() else None,
        "median_l2": float(np.median(outcome.l2[valid])) if valid.any() else None,
    }
