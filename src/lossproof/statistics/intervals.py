"""Means and 95 % intervals over images and seeds; the one home of the statistics of tidy tables.

Outcomes are a matrix [S, N]: seeds by images. Both are random: a mean varies because other images
could have been drawn and because training could have started elsewhere. The variance is that of a
crossed two-way design, its degrees of freedom by Satterthwaite, so that three seeds that disagree
widen the interval as they should.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lossproof.statistics.wilson import wilson


class Estimate(NamedTuple):
    """A mean and its 95 % interval, in percent (or points) where a function says no other unit.

    Bounds that are not known are NaN.
    """

    value: float
    low: float = math.nan
    high: float = math.nan

    @property
    def bounded(self) -> bool:
        """Whether the interval is known."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def excludes_zero(self) -> bool | None:
        """Whether zero lies strictly outside the interval; None without an interval."""
        return self.low > 0 or self.high < 0 if self.bounded else None

    def interval(self, digits: int = 2) -> str:
        """The interval in words, with so many decimals."""
        if not self.bounded:
            return "no interval recorded"
        return f"95 % interval {self.low:.{digits}f} to {self.high:.{digits}f}"


def _variance(outcomes: np.ndarray) -> tuple[float, float]:
    """Variance of the grand mean of [S, N] and its degrees of freedom."""
    seeds, images = outcomes.shape
    by_image = float(outcomes.mean(0).var(ddof=1)) / images if images > 1 else 0.0
    if seeds == 1:
        return by_image, max(images - 1, 1)
    by_seed = float(outcomes.mean(1).var(ddof=1)) / seeds
    rest = outcomes - outcomes.mean(0) - outcomes.mean(1, keepdims=True) + outcomes.mean()
    # Both terms above hold the interaction once; it must count once in all.
    twice = float((rest**2).sum()) / max((seeds - 1) * (images - 1), 1) / (seeds * images)
    total = max(by_image + by_seed - twice, by_image, by_seed, 0.0)
    parts = by_image**2 / max(images - 1, 1) + by_seed**2 / (seeds - 1)
    freedom = (by_image + by_seed) ** 2 / parts if parts > 0 else images - 1
    return total, max(freedom, 1.0)


def _quantile(freedom: float, among: int = 1) -> float:
    """Half the width of a 95 % interval in standard errors; of ``among`` intervals that hold together, one."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - 0.025 / among))


def _share(value: float, size: float, z: float) -> Estimate:
    """A share (0 to 1) in percent with Wilson's interval at ``size`` images."""
    return Estimate(100 * value, *wilson(value, size, z))


def accuracy(correct: np.ndarray) -> Estimate:
    """Accuracy of outcomes [S, N] (0 or 1) in percent, with a Wilson interval at the effective size."""
    value = float(correct.mean())
    variance, freedom = _variance(correct.astype(np.float64))
    images = correct.shape[1]
    size = value * (1 - value) / variance if variance > 0 else float(images)
    return _share(value, size, _quantile(freedom) if variance > 0 else _quantile(max(images - 1, 1)))


def share(value: float, images: int) -> Estimate:
    """A share (0 to 1) of some images in percent, with its Wilson interval."""
    return _share(value, images, _quantile(max(images - 1, 1)))


def over_images(correct: np.ndarray) -> Estimate:
    """Accuracy of outcomes [S, N] in percent with an interval over images alone: these seeds, other images."""
    return accuracy(correct.mean(0, keepdims=True))


def over_seeds(values: np.ndarray) -> Estimate:
    """Mean of one value per seed [S] with its t interval, in the values' unit; NaN bounds for a single seed."""
    mean, seeds = float(values.mean()), len(values)
    half = _quantile(seeds - 1) * float(values.std(ddof=1)) / math.sqrt(seeds) if seeds > 1 else math.nan
    return Estimate(mean, mean - half, mean + half)


def mean(values: np.ndarray, among: int = 1) -> Estimate:
    """Mean of real values [S, N] with its t interval, in the values' unit.

    ``among``: how many means the 95 % hold for together (Bonferroni).
    """
    variance, freedom = _variance(values.astype(np.float64))
    half = _quantile(freedom, among) * math.sqrt(variance)
    middle = float(values.mean())
    return Estimate(middle, middle - half, middle + half)


def difference(correct: np.ndarray, rival: np.ndarray, among: int = 1) -> Estimate:
    """Accuracy minus the rival's in points, paired by image and by seed; both [S, N]. ``among``: as of ``mean``."""
    value, low, high = mean(correct.astype(np.float64) - rival.astype(np.float64), among)
    return Estimate(100 * value, 100 * low, 100 * high)


def gain(correct: np.ndarray, rival: np.ndarray, among: int = 1) -> Estimate:
    """As ``difference``, but never sure beyond what so many images can tell.

    Where the difference is the same for every image and seed, no spread can be estimated. Then the bound is that of the
    largest share of other images of which N drawn ones would show none in 2.5 % of the draws.
    """
    found = difference(correct, rival, among)
    if found.low < found.high:
        return found
    half = 100 * (1 - (0.025 / among) ** (1 / correct.shape[1]))
    return Estimate(found.value, found.value - half, found.value + half)
