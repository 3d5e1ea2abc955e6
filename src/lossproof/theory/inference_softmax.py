"""The inference softmax of `isce` (eqs. 2 and 3) as plain formulas, for the checks of its statements.

Notation of the paper: f is the marked class's logit, S the sum of ``exp`` over the other classes' logits.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from scipy.optimize import brentq
from torch import Tensor

MEAN_F, MEAN_S = 0.97, 8.0  # the paper's means over MNIST and CIFAR-10, under its fig_3
S_RANGE, M_RANGE = (1.0, 2.0), (0.0, 0.1)  # what its fig_3 and fig_4 show; m starts above 0
CLASSES = 10


def marked(f: Tensor, rest: Tensor, s: Tensor | float = 1.0, m: Tensor | float = 0.0) -> Tensor:
    """Probability of the marked class (eq. 2) for its logit ``f`` and ``rest`` = log S; any shape.

    With s = 1 and m = 0 that of the ordinary softmax.
    """
    return torch.sigmoid(s * f + m - rest)


def gain(f: Tensor, rest: Tensor, s: Tensor | float, m: Tensor | float) -> Tensor:
    """``h = P_I - P`` (eq. 10), ``rest`` = log S."""
    return marked(f, rest, s, m) - marked(f, rest)


def z_printed(f: Tensor, total: Tensor | float, s: Tensor | float, m: Tensor | float) -> Tensor:
    """``z = s e^(sf+m) / (e^(sf+m) + S)^2 - e^f / (e^f + S)^2`` as printed (eq. 13), ``total`` = S."""
    inferred, plain = (s * f + m).exp(), f.exp()
    return s * inferred / (inferred + total) ** 2 - plain / (plain + total) ** 2


def slope(f: Tensor, total: Tensor, s: Tensor, m: Tensor) -> Tensor:
    """The derivative of ``h`` by f at fixed S = ``total`` by autograd; all of one shape."""
    f = f.detach().clone().requires_grad_()
    return torch.autograd.grad(gain(f, total.log(), s, m).sum(), f)[0]


def z_at(s: float, m: float, f: float = MEAN_F, total: float = MEAN_S) -> float:
    """z at one point: the autograd derivative of ``h`` over S."""
    at = [torch.tensor([value], dtype=torch.float64) for value in (f, total, s, m)]
    return slope(*at).item() / total


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """The zero between ``low`` and ``high``, where ``function`` has two signs (Brent, to the last digits)."""
    return float(brentq(function, low, high, xtol=1e-14, rtol=1e-14))


def last_s(m: float) -> float:
    """The s from which on z is negative at the paper's means."""
    return root(lambda s: z_at(s, m), 3, 20)


def last_m(s: float) -> float:
    """The m from which on z is negative at the paper's means, for s between 1 and 5."""
    return root(lambda m: z_at(s, m), 0.3, 10)
