"""What the deployed model says of adversarial images, and whether they are adversarial images at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lossproof.models.frozen import frozen
from lossproof.statistics.wilson import wilson
from lossproof.threats.balls import length, per_image

# Pixels, times the radius where that is above 1; float32 rounding of image + perturbation stays below it.
TOLERANCE = 1e-6
INVALID = -1


@dataclass(frozen=True)
class Crafted:
    """What a method made of N images under E budgets."""

    images: Tensor  # [E, N, C, H, W]
    zero_gradient: Tensor  # [E, N] bool: at some step the gradient was exactly zero
    target: Tensor | None = None  # [N]: the classes that a targeted attack is after
    # By name, [E, N] of bool or float32: what else the method has to tell of each image (see ``summarise``).
    figures: Mapping[str, Tensor] = field(default_factory=dict)


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
    figures: dict[str, np.ndarray] = field(default_factory=dict)  # of ``Crafted``, and bool target_hit

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
        columns = [part._columns() for part in parts]
        return parts[0]._with({name: np.concatenate([column[name] for column in columns]) for name in columns[0]})

    def of(self, rows: slice) -> Outcome:
        """The outcome of some of the images."""
        return self._with({name: value[rows] for name, value in self._columns().items()})

    def _columns(self) -> dict[str, np.ndarray]:
        return {name: value for name, value in vars(self).items() if name != "figures"} | self.figures

    def _with(self, columns: dict[str, np.ndarray]) -> Outcome:
        figures = {name: columns.pop(name) for name in self.figures}
        return Outcome(**columns, figures=figures)


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
    target: Tensor | None = None,
    figures: Mapping[str, Tensor] | None = None,
) -> Outcome:
    """Judge adversarial images [N, C, H, W] beside the clean ones; epsilon as in ``gradient.attack``.

    target, figures: as in ``Crafted``, of one budget; with a target the outcome also tells which images hit it.
    """
    delta = adversarial - clean
    finite = adversarial.flatten(1).isfinite().all(1)
    linf, l2 = length(delta, "linf"), length(delta, "l2")
    moved = linf if norm == "linf" else l2
    outside = ((adversarial < -TOLERANCE) | (adversarial > 1 + TOLERANCE)).flatten(1).any(1)
    allowed = per_image(epsilon, clean).flatten()
    columns = {
        "raw": predict(model, adversarial),
        "nan": ~finite,
        "moved_out_of_ball": finite & (moved > allowed + TOLERANCE * allowed.clamp_min(1)),
        "out_of_box": finite & outside,
        "unmoved": linf == 0,
        "zero_gradient": torch.zeros_like(finite) if zero_gradient is None else zero_gradient,
        "linf": linf,
        "l2": l2,
    }
    outcome = Outcome(
        **{name: column.cpu().numpy() for name, column in columns.items()},
        figures={name: figure.cpu().numpy() for name, figure in (figures or {}).items()},
    )
    if target is not None:
        outcome.figures["target_hit"] = outcome.predictions == target.cpu().numpy()
    return outcome


def summarise(outcome: Outcome, labels: np.ndarray, clean: np.ndarray) -> dict[str, Any]:
    """The figures of one budget; labels and clean predictions [N].

    accuracy (percent, with its Wilson interval): an invalid image counts as the clean one, as an attack that made
    no admissible image has not succeeded. accuracy_raw: what scoring the output blindly would give.
    unmoved: images that the model gets right and the attack gave back as they were. The medians are over valid
    images; None where there are none. Extra figures: the share of images in percent under its own name where it is
    true or false; else mean_ and median_ over the images for which the method gave a finite number.
    """
    valid = outcome.valid
    correct = np.where(valid, outcome.raw, clean) == labels
    low, high = wilson(int(correct.sum()) / len(labels), len(labels))
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
        **dict(_extra(outcome.figures)),
    }


def _extra(figures: Mapping[str, np.ndarray]) -> Iterator[tuple[str, float | None]]:
    for name, values in figures.items():
        if values.dtype == bool:
            yield name, 100 * float(values.mean())
            continue
        known = values[np.isfinite(values)].astype(float)
        yield f"mean_{name}", float(known.mean()) if known.size else None
        yield f"median_{name}", float(np.median(known)) if known.size else None
