"""Whether one network is right where another one is wrong more often than chance: exact paired tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def mcnemar(correct: np.ndarray, rival: np.ndarray) -> float:
    """Two-sided p of McNemar's exact test: outcomes bool [N] of two networks on the same images.

    Of the images on which they differ, each is as likely to be right under the null. 1 where they never differ.
    """
    from scipy.stats import binomtest

    gained, lost = int((correct & ~rival).sum()), int((rival & ~correct).sum())
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def in_every_seed(correct: np.ndarray, rival: np.ndarray) -> float:
    """The largest p over seeds, outcomes bool [S, N]: small only where every seed shows the same difference.

    1 where seeds differ in its direction.
    """
    gains = correct.astype(np.int64).sum(1) - rival.sum(1)
    if (gains > 0).any() and (gains < 0).any():
        return 1.0
    return max(mcnemar(one, other) for one, other in zip(correct, rival, strict=True))


def corrected(p: Sequence[float]) -> list[float]:
    """p values that control the share of false discoveries among all of them, however they depend on each other.

    Benjamini and Yekutieli 2001: networks that share a twin, and budgets of one attack, are not independent.
    """
    from scipy.stats import false_discovery_control

    return [float(value) for value in false_discovery_control(np.asarray(p, float), method="by")] if len(p) else []
