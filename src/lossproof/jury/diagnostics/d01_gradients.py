"""D1 and D2: is there a gradient at the clean images, and is it a number that float32 can work with?"""

from __future__ import annotations

import numpy as np
import torch

from lossproof.attacks.losses import gap, resolve
from lossproof.jury.bench import Bench
from lossproof.jury.finding import Finding, oftener, share
from lossproof.models.frozen import frozen

RARE = 1
"""Percent."""
CATALOGUE = {
    "zero_gradients": {
        "build": "zero_gradients",
        "id": "D1",
        "of": "model",
        "title": "input gradients that are exactly zero",
        "unit": "percent",
        "threshold": 0,
        "flag": "above",
        "source": "arXiv:2003.01690 (fra31/auto-attack, checks.py); arXiv:2106.09947, indicator 1",
    },
    "gradient_size": {
        "build": "gradient_size",
        "id": "D2",
        "of": "model",
        "title": "gradients of cross entropy too small for float32",
        "unit": "percent",
        "threshold": RARE,
        "flag": "above",
        "source": "float32 arithmetic: exp(-17) is lost beside 1, exp(-104) is 0",
    },
}

LOSSES = ("ce", "margin", "dlr")
TINY = 1e-10
ROUNDS, VANISHES = 17.0, 104.0
"""Gaps from which on cross entropy is exactly 0 in float32, and its whole gradient."""


def _gradients(bench: Bench, loss: str) -> tuple[np.ndarray, np.ndarray]:
    """Of each image's loss by its pixels: L2 norm (float64) [N], and whether all of it is exactly zero [N]."""
    norms, zeros = [], []
    with frozen(bench.model), torch.enable_grad():
        for images, labels in zip(bench.images.split(bench.size()), bench.labels.split(bench.size()), strict=True):
            point = images.clone().requires_grad_(True)
            (gradient,) = torch.autograd.grad(resolve(loss)(bench.model(point), labels).sum(), point)
            norms.append(gradient.double().flatten(1).norm(dim=1))
            zeros.append(~gradient.flatten(1).any(1))
    return torch.cat(norms).cpu().numpy(), torch.cat(zeros).cpu().numpy()


def zero_gradients(bench: Bench) -> Finding:
    """The share of images at which the gradient of cross entropy, the margin or the DLR loss is exactly zero."""
    losses = [loss for loss in LOSSES if loss != "dlr" or bench.logits.shape[1] >= 3]
    zeros = {loss: _gradients(bench, loss)[1] for loss in losses}
    some = np.logical_or.reduce(list(zeros.values()))
    each = ", ".join(f"{loss} {int(zero.sum())}" for loss, zero in zeros.items())
    return Finding(
        share(some),
        f"{int(some.sum())} of {len(bench)} images have a gradient of exactly zero ({each})",
        len(bench),
        curves={"loss": losses, "percent": [share(zero) for zero in zeros.values()]},
    )


def gradient_size(bench: Bench) -> Finding:
    """The share of images at which the gradient of cross entropy is shorter than 1e-10.

    Curves: median_log10, of the gradients' L2 norms; gaps_above_17 and gaps_above_104, percent of images whose true
    logit leads by so much.
    """
    norms, _ = _gradients(bench, "ce")
    tiny = norms < TINY
    gaps = gap(bench.logits, bench.labels).cpu().numpy()
    with np.errstate(divide="ignore"):
        middle = float(np.median(np.log10(norms)))
    wide, vast = share(gaps > ROUNDS), share(gaps > VANISHES)
    size = f"median length 10^{middle:.1f}" if np.isfinite(middle) else "median length 0"
    return Finding(
        share(tiny),
        f"{int(tiny.sum())} of {len(bench)} gradients of cross entropy are shorter than 1e-10 ({size}); the true "
        f"logit leads by more than 17 on {wide:.1f} % of the images, by more than 104 on {vast:.1f} %",
        len(bench),
        p=oftener(int(tiny.sum()), len(bench), RARE / 100),
        curves={"median_log10": middle, "gaps_above_17": wide, "gaps_above_104": vast},
    )
