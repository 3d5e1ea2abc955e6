"""Three arguments against masked gradients as comparisons of outcomes (pc, section on gradient masking).

Each argument says that one accuracy is not below another; every comparison is paired by image and seed. Where a paper
prints contrary cells, this tells whether they are more than chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lossproof.statistics.intervals import Estimate, accuracy, difference

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"
NEAR_ZERO = 5.0
"""Percent of accuracy that still counts as "near 100 % success"; the paper gives no number."""


@dataclass(frozen=True)
class Level:
    """Outcomes of one attack with one budget: ``correct`` bool [S, N], ``index`` int [N] the images."""

    attack: str
    printed: str
    epsilon: float
    index: np.ndarray
    correct: np.ndarray


@dataclass(frozen=True)
class Compared:
    """One comparison: by how much the first accuracy is above the second, in points; or one accuracy in percent."""

    attack: str
    against: str
    printed: str
    epsilon: float
    n_images: int
    found: Estimate
    outcome: str = ""


@dataclass(frozen=True)
class Pair:
    """Two outcomes of the same images, [S, N] each, of which the argument says that ``more`` is not below ``less``."""

    attack: str
    against: str
    level: Level
    more: np.ndarray
    less: np.ndarray


def _paired(one: Level, other: Level, attack: str, against: str, level: Level) -> Pair:
    """``one`` beside ``other`` on the images that both attacks looked at."""
    _, mine, yours = np.intersect1d(one.index, other.index, assume_unique=True, return_indices=True)
    return Pair(attack, against, level, one.correct[:, mine], other.correct[:, yours])


def single_step(one_step: Sequence[Level], iterative: Sequence[Level]) -> list[Pair]:
    """One step less each iterative attack, at equal budgets."""
    return [
        _paired(one, other, one.attack, other.attack, one)
        for one in one_step
        for other in iterative
        if one.epsilon == other.epsilon
    ]


def black_box(black: Sequence[Level], white: Sequence[Level]) -> list[Pair]:
    """Each black-box attack less the white-box attacks together, per image the worst, at equal budgets."""
    found = []
    for one in black:
        same = [level for level in white if level.epsilon == one.epsilon]
        if same:
            index = same[0].index
            for level in same[1:]:
                index = np.intersect1d(index, level.index, assume_unique=True)
            rows = (level.correct[:, np.isin(level.index, index)] for level in same)
            # Indices are sorted, so that the columns of all attacks are the same images.
            worst = Level("", one.printed, one.epsilon, index, np.logical_and.reduce(list(rows)))
            found.append(_paired(one, worst, one.attack, "", one))
    return found


def growth(levels: Sequence[Level]) -> Iterator[Pair]:
    """Each budget less the next larger one, attack by attack."""
    for attack in dict.fromkeys(level.attack for level in levels):
        mine = sorted((level for level in levels if level.attack == attack), key=lambda level: level.epsilon)
        for small, large in pairwise(mine):
            yield _paired(small, large, attack, attack, large)


def compared(pairs: Sequence[Pair]) -> list[Compared]:
    """The differences more - less in points with their 95 % intervals, and what each says of its argument.

    To fail an argument an interval must lie below 0 also when it is widened so that those of all pairs hold together
    (Bonferroni): the more is compared, the more lies below by chance. To hold in all of them needs no such care.
    """
    found = []
    for pair in pairs:
        if not pair.more.size:
            continue
        gap = difference(pair.more, pair.less)
        fails = difference(pair.more, pair.less, among=len(pairs)).high < 0
        outcome = HOLDS if gap.low >= 0 else FAILS if fails else UNDECIDED
        gap = Estimate(gap.value, max(gap.low, -100.0), min(gap.high, 100.0))
        level = pair.level
        images = pair.more.shape[1]
        found.append(Compared(pair.attack, pair.against, level.printed, level.epsilon, images, gap, outcome))
    return found


def decided(found: Sequence[Compared]) -> tuple[Compared, str] | None:
    """The comparison that decides an argument and the argument's outcome; None where nothing was compared.

    It fails where one comparison does, and holds where all do and some difference shows: where all outcomes are equal
    nothing was tested. The smallest difference of those that decide is given.
    """
    if not found:
        return None
    for outcome in (FAILS, UNDECIDED, HOLDS):
        deciding = [one for one in found if one.outcome == outcome]
        if deciding:
            nothing = all(one.found == (0, 0, 0) for one in found)
            return min(deciding, key=lambda one: one.found.value), UNDECIDED if nothing else outcome
    raise AssertionError("a comparison without an outcome")


def remaining(white: Sequence[Level]) -> tuple[Compared, str] | None:
    """Accuracy at the largest budget under the strongest white-box attack: at most ``NEAR_ZERO`` or not."""
    if not white:
        return None
    largest = max(level.epsilon for level in white)
    level = min((one for one in white if one.epsilon == largest), key=lambda one: float(one.correct.mean()))
    left = accuracy(level.correct)
    outcome = HOLDS if left.high <= NEAR_ZERO else FAILS if left.low > NEAR_ZERO else UNDECIDED
    images = level.correct.shape[1]
    return Compared(level.attack, "", level.printed, level.epsilon, images, left, outcome), outcome
