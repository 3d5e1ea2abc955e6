"""A model's loss on a plane through its weights, on a grid that contains the model itself (SP-A25)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from lossproof.landscapes.directions import filter_normalised, gaussian_plane
from lossproof.progress import track
from lossproof.training.feeding import BATCH, fitting

Criterion = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put every module in evaluation mode, and each back into its own mode afterwards."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def mean_metrics(logits: torch.Tensor, labels: torch.Tensor, criterion: Criterion) -> np.ndarray:
    """[3] float64 of logits [N, K] and labels [N]: mean cross entropy, mean criterion, error in percent."""
    losses = (cross_entropy(logits, labels, reduction="none"), criterion(logits, labels))
    wrong = 100.0 * (logits.argmax(1) != labels).cpu().double().mean()
    return np.array([*(float(loss.cpu().double().mean()) for loss in losses), float(wrong)])


def symmetric_axis(size: int, distance: float) -> np.ndarray:
    """``size`` (odd) equally spaced numbers from -distance to +distance with an exact 0 in the middle."""
    if size < 3 or size % 2 == 0:
        raise ValueError(f"size must be odd and at least 3, or the model itself is not on the grid; got {size}")
    half = size // 2
    return np.arange(-half, half + 1) / half * distance


def filter_normalised_surface(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    criterion: Criterion,
    *,
    size: int = 25,
    distance: float = 1.0,
    seed: int = 0,
    batch_size: int = BATCH,
) -> dict[str, np.ndarray]:
    """Loss at weights + u a + v b for two filter-normalised Gaussian directions a and b.

    ``images`` [N, C, H, W] in [0, 1] and ``labels`` [N], the same for every grid point; ``criterion`` is
    the training's own loss per sample. Returns ``axis_u`` and ``axis_v`` [size] (from -distance to
    +distance; at 1 every filter has moved by its own norm), and ``ce``, ``own``, ``error`` (percent)
    [size, size] float64, row index = u.

    The directions depend on the seed and on the architecture alone, so that surfaces of one network under
    several losses are cuts along the same random numbers. Two surfaces may be compared by ``ce`` and
    ``error``; ``own`` of two losses has two units. The model is evaluated in evaluation mode, on its own
    device, and left as it was. Raises ValueError for an even size, FloatingPointError for a loss that is
    not a number (infinity is kept: far out a loss may overflow).
    """
    axis = symmetric_axis(size, distance)
    device = next(model.parameters()).device
    size_of_batch = fitting(batch_size, images.shape)
    batches = list(zip(images.to(device).split(size_of_batch), labels.to(device).split(size_of_batch), strict=True))
    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
    a, b = (filter_normalised(direction, weights) for direction in gaussian_plane(weights, seed))
    values = np.zeros((size, size, 3))
    with evaluating(model), torch.inference_mode():
        for i, u in enumerate(track(axis, size, "loss surface")):
            for j, v in enumerate(axis):
                moved = {name: weight + float(u) * a[name] + float(v) * b[name] for name, weight in weights.items()}
                for x, y in batches:
                    logits = functional_call(model, moved, (x,))
                    values[i, j] += mean_metrics(logits, y, criterion) * (len(y) / len(labels))
    if np.isnan(values).any():
        raise FloatingPointError("the loss is not a number somewhere on the plane")
    return {"axis_u": axis, "axis_v": axis, **dict(zip(("ce", "own", "error"), np.moveaxis(values, 2, 0), strict=True))}
