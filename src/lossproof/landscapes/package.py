"""The loss surface as the ``loss-landscapes`` package (3.0.6) computes it, on the directions of our own surface.

The package is what a reader of the papers would reach for. It normalises the directions filter by filter and walks
the plane; the Gaussian numbers and the length are those of ``surface.filter_normalised_surface``, so that the losses
of both can be compared. What then differs are faults of the package, left as they are:

* its "filter" normalisation also moves biases and batch-norm weights, each by its own full size, where
  Li et al. leave them alone;
* its grid is askew: rows with odd u index are shifted by one cell along v against the even ones, and
  with an odd number of steps the unperturbed model is never evaluated;
* it moves the model that it is given, and runs on the CPU only.

Its ``random_plane`` is not used: its directions are uniform in [0, 1], not Gaussian, so that both lie near the
all-ones vector; the larger its ``distance``, the smaller the plane; and it takes no seed.

What is done here so that it runs at all: copies on the CPU in evaluation mode (in training mode every grid point
would overwrite batch-norm statistics), and 1e-12 in place of zeros in one-dimensional tensors of zeros, on which it
divides by zero.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from loss_landscapes import planar_interpolation
from loss_landscapes.metrics import Loss
from loss_landscapes.model_interface.model_parameters import ModelParameters
from torch import nn

from lossproof.landscapes.directions import gaussian_plane
from lossproof.landscapes.surface import Criterion, mean_metrics


class _Metrics(Loss):
    """The package's Loss, returning three figures from its one forward pass."""

    def __call__(self, model_wrapper) -> np.ndarray:  # type: ignore[no-untyped-def]
        with torch.inference_mode():
            return mean_metrics(model_wrapper.forward(self.inputs), self.target, self.loss_fn)


def package_surface(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    criterion: Criterion,
    *,
    size: int = 20,
    distance: float = 1.0,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """``planar_interpolation(..., steps=size)`` over the plane of ours, with one metric call per point.

    Arguments and arrays as in ``surface.filter_normalised_surface``; ``size`` even, or the model is not on the grid.
    The axes run from -distance up to one cell short of distance. ``axis_v`` holds for the row through the model
    (index ``size // 2``) and every second one from there; the rows between lie one cell beside it. ``model`` is
    not changed. Raises FloatingPointError for a loss that is not a number.
    """
    corner = copy.deepcopy(model).cpu().eval().requires_grad_(False)
    for parameter in corner.parameters():
        if parameter.dim() == 1 and not bool(parameter.any()):
            parameter.fill_(1e-12)
    weights = dict(corner.named_parameters())
    steps = [ModelParameters(list(direction.values())) for direction in gaussian_plane(weights, seed)]
    for step in steps:
        step.filter_normalize_(ModelParameters(list(weights.values())))
        step.mul_(distance)
    for step in steps:
        ModelParameters(list(corner.parameters())).sub_(step)
    ends = [copy.deepcopy(corner) for _ in steps]
    for end, step in zip(ends, steps, strict=True):
        ModelParameters(list(end.parameters())).add_(step * 2)
    values = planar_interpolation(corner, *ends, _Metrics(criterion, images.cpu(), labels.cpu()), steps=size)
    if np.isnan(values).any():
        raise FloatingPointError("the loss is not a number somewhere on the plane")
    axis = distance * (2 * np.arange(size) / size - 1)
    above = 1 - size // 2 % 2  # even rows lie one cell above the odd ones
    return {
        "axis_u": axis,
        "axis_v": axis + above * 2 * distance / size,
        **dict(zip(("ce", "own", "error"), np.moveaxis(values, 2, 0), strict=True)),
    }
