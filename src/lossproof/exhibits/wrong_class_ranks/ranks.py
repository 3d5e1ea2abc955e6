"""Which class an image is taken for once an attack succeeds, counted by how probable the class was before."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from lossproof.statistics.intervals import Estimate

RANKS = ("2", "3", "4", "5", "later")
DRAWS = 10_000


class Fooled(NamedTuple):
    """Images with which an attack newly succeeds, M over all budgets and one seed."""

    budget: np.ndarray  # [M] int: the smallest budget that fools the network, by its place
    image: np.ndarray  # [M] int
    label: np.ndarray  # [M] int
    taken: np.ndarray  # [M] int: the wrong class
    others: np.ndarray  # [M, T] int: the false classes by falling clean probability, T at most 5


def fooled(label: np.ndarray, clean: np.ndarray, adversarial: np.ndarray, top: np.ndarray) -> Fooled:
    """The newly fooled of N images under E growing budgets, each image once: at the first that succeeds.

    label, clean [N], adversarial [E, N]: classes, -1 where an attack made no admissible image; top int [N, T + 1]:
    classes by falling clean probability. An image that is wrong without attack is never new.
    """
    wrong = (adversarial != label) & (adversarial >= 0) & (clean == label)
    image = np.flatnonzero(wrong.any(0))
    budget = wrong[:, image].argmax(0)
    # The true class is left out, wherever it stands: a network that draws may have ranked it lower.
    true = top[image] == label[image, None]
    last = ~true.any(1)
    true[last, -1] = True
    others = top[image][~true].reshape(len(image), top.shape[1] - 1)
    return Fooled(budget, image, label[image], adversarial[budget, image], others)


def together(parts: list[Fooled]) -> Fooled:
    """The fooled images of several seeds."""
    return Fooled(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def shares(found: Fooled) -> np.ndarray:
    """Percent of the images that land in each of ``RANKS``, [5]; NaN where there is no image."""
    hits = found.others == found.taken[:, None]
    place = np.where(hits.any(1), hits.argmax(1), len(RANKS) - 1)
    counts = np.bincount(np.minimum(place, len(RANKS) - 1), minlength=len(RANKS))
    return 100 * counts / len(place) if len(place) else np.full(len(RANKS), np.nan)


def frequencies(found: Fooled, classes: int) -> np.ndarray:
    """How often each class is the wrong one, as shares [K]."""
    counts = np.bincount(found.taken, minlength=classes)
    return counts / max(counts.sum(), 1)


def by_chance(found: Fooled, prior: np.ndarray, generator: np.random.Generator) -> list[Estimate]:
    """What ``shares`` would be if wrong classes were drawn by ``prior`` [K] alone, and where 95 % of draws lie.

    Every image draws among the classes but its own. NaN where there is no image.
    """
    if not len(found.label):
        return [Estimate(np.nan, np.nan, np.nan)] * len(RANKS)
    chances = prior[found.others] / (1 - prior[found.label])[:, None]
    chances = np.pad(chances[:, : len(RANKS) - 1], ((0, 0), (0, max(0, len(RANKS) - 1 - chances.shape[1]))))
    chances = np.column_stack([chances, np.maximum(1 - chances.sum(1), 0)])
    found_here = []
    for column in chances.T:
        # Images with equal chances are drawn together; a sum of such draws is as good as one by one.
        drawn = sum(generator.binomial(count, min(p, 1), DRAWS) for p, count in sorted(Counter(column).items()))
        low, high = np.quantile(drawn, (0.025, 0.975)) / len(column)
        found_here.append(Estimate(100 * float(column.mean()), 100 * float(low), 100 * float(high)))
    return found_here
