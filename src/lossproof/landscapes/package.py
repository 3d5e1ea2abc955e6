"""The loss surface as the ``loss-landscapes`` package (3.0.6) computes it, faults and all.

The package is what a reader of the papers would reach for. Its faults are left as they are, because they
are part of the answer that it gives:

* its directions are uniform in [0, 1], not Gaussian: both have a large common part, the all-ones vector
  (only partly taken out of the second one);
* its "filter" normalisation also moves biases and batch-norm weights, each by its own full size, where
  Li et al. leave them alone;
* its grid is askew: rows with odd u index are shifted by one cell along v against the even ones, and
  with an odd number of steps the unperturbed model is never evaluated;
* its ``distance`` works the wrong way round: the span is (norm of the weights) / distance;
* it sets no seed, and moves the model that it is given.

What is done here so that it runs at all: a copy on the CPU in evaluation mode (the package makes its
directions on the CPU, and in training mode every grid point would overwrite batch-norm statistics),
a seed, and 1e-12 in place of zeros in one-dimensional tensors of zeros, on which it divides by zero.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from loss_landscapes import random_plane
from loss_landscapes.metrics import Loss
from torch import nn

from lossproof.landscapes.surface import Criterion, mean_metrics
from lossproof.seeding import seed_of


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
    """``random_plane(..., distance, steps=size, normalization="filter")`` with one metric call per point.

    Arguments and arrays as in ``surface.filter_normalised_surface``, but ``distance`` is the package's.
    The axes are in norms of the whole weight vector: row i lies at exactly
    ``axis_u[i] = (i - size/2) / size / distance``; column j lies half a cell above ``axis_v[j]`` in
    even rows and half a cell below it in odd rows, so ``axis_v`` is the mean of both,
    ``(j + 1/2 - size/2) / size / distance``. ``model`` is not changed, and torch's global generator neither.
    """
    moved = copy.deepcopy(model).cpu().eval()
    with torch.no_grad():
        for parameter in moved.parameters():
            if parameter.dim() == 1 and not bool(parameter.any()):
                parameter.fill_(1e-12)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of("landscape package", seed))
        values = random_plane(
            moved, _Metrics(criterion, images.cpu(), labels.cpu()), distance, size, normalization="filter"
        )
    if np.isnan(values).any():
        raise FloatingPointError("the loss is not a number somewhere on the plane")
    cells = np.arange(size) - size / 2
    return {
        "axis_u": cells / size / distance,
        "axis_v": (cells + 0.5) / size / distance,
        **dict(zip(("ce", "own", "error"), np.moveaxis(values, 2, 0), strict=True)),
    }
