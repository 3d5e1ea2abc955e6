"""What a diagnostic measured, and when that is a flag: the one home of thresholds' meaning and of exact tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

RAISED, CLEAR, UNDECIDED, NOT_JUDGED = "raised", "clear", "undecided", "not judged"
ALPHA = 0.05


@dataclass(frozen=True)
class Finding:
    """A diagnostic's number and what it means in a sentence.

    value None: there was nothing to measure. p: of an exact one-sided test that what lies beyond the threshold is
    chance; None where a single image is proof. beyond: in place of comparing the value with the threshold, where
    something else raises the flag too. judged: False where the number is no ground for a flag.
    """

    value: float | None
    says: str
    n_images: int
    p: float | None = None
    beyond: bool | None = None
    judged: bool = True
    curves: Mapping[str, Any] = field(default_factory=dict)


def not_judged(says: str, n_images: int, **curves: Any) -> Finding:
    """Nothing to judge by, and why."""
    return Finding(None, says, n_images, judged=False, curves=curves)


def flag(found: Finding, threshold: float | None, side: str) -> str:
    """One of the four words; side: 'above' or 'below' the threshold lies what is a sign of something wrong."""
    if threshold is None or found.value is None or not found.judged:
        return NOT_JUDGED
    beyond = found.beyond
    if beyond is None:
        beyond = found.value > threshold if side == "above" else found.value < threshold
    if not beyond:
        return CLEAR
    return RAISED if found.p is None or found.p < ALPHA else UNDECIDED


def share(flags: np.ndarray) -> float:
    """The share of True among [N], in percent."""
    return 100 * float(np.mean(flags))


def standing(fooled: np.ndarray) -> float:
    """Accuracy in percent of images that are all right when clean, from whether each was fooled [N]."""
    return share(~fooled)


def paired(first: np.ndarray, second: np.ndarray, among: int = 1) -> float:
    """How probable it is that ``first`` is true for so many more images than ``second`` if neither is likelier.

    bool [N] of the same images; exact, one-sided, over the images on which they differ (McNemar). among: comparisons
    of which this one was picked (Bonferroni).
    """
    return sign_test(int((first & ~second).sum()), int((second & ~first).sum()), among)


def sign_test(for_it: int, against: int, among: int = 1) -> float:
    """Exact one-sided p of so many images for something, and so many against it, if both were as likely."""
    from scipy.stats import binomtest

    if not for_it + against:
        return 1.0
    return min(1.0, among * float(binomtest(for_it, for_it + against, 0.5, "greater").pvalue))


def oftener(count: int, trials: int, rate: float) -> float:
    """Exact one-sided p of ``count`` of ``trials`` images if the share in all images were ``rate``."""
    from scipy.stats import binomtest

    return float(binomtest(count, trials, rate, "greater").pvalue)


def plain(value: Any) -> Any:
    """A curve's numbers as JSON has them: no arrays, None for what is not finite."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
