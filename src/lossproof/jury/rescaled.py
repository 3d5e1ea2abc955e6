"""Controls: trained networks whose logits are multiplied by one number, which tell a loss from its confidence.

No decision changes, so no adversarial example appears or vanishes; what an attack then finds less of, it missed.
"""

from __future__ import annotations

import math

from torch import Tensor

SMALLEST, LARGEST = 1e-4, 1e4


def true_class_probability(logits: Tensor, labels: Tensor, scale: float = 1.0) -> float:
    """Mean over N of softmax(scale * logits)_y, computed in float64; logits [N, K], labels [N]."""
    probabilities = (logits.double() * scale).softmax(1)
    return float(probabilities.gather(1, labels[:, None]).mean())


def matching_scale(logits: Tensor, labels: Tensor, wanted: float) -> float:
    """The scale at which the mean probability of the true class is ``wanted``; logits [N, K], labels [N].

    ValueError where no scale from 1e-4 to 1e4 gives it: the network is wrong too often to be that sure, or ``wanted``
    is below guessing.
    """
    from scipy.optimize import brentq

    def excess(exponent: float) -> float:
        return true_class_probability(logits, labels, math.exp(exponent)) - wanted

    low, high = math.log(SMALLEST), math.log(LARGEST)
    if excess(low) > 0 or excess(high) < 0:
        reached = [true_class_probability(logits, labels, scale) for scale in (SMALLEST, LARGEST)]
        raise ValueError(
            f"no scale of the logits gives a mean true-class probability of {wanted:.4f}; "
            f"they give {reached[0]:.4f} to {reached[1]:.4f}"
        )
    return math.exp(float(brentq(excess, low, high, xtol=1e-10)))
