"""What an attack's arrays say of each image."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def right_after(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Which images [N] are right after an attack under each of its budgets [E]: bool [E, N].

    ``arrays``: as the attack step writes them. Where an attack made no admissible image (-1) it did not succeed, and
    the prediction without attack counts.
    """
    adversarial, clean = arrays["adversarial"], arrays["clean"]
    return np.where(adversarial < 0, clean, adversarial) == arrays["label"]
