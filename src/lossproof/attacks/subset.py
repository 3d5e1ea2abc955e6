"""Which images of a split are attacked."""

from __future__ import annotations

import numpy as np

from lossproof.seeding import numpy_generator


def choose_images(labels: np.ndarray, count: int | None, *names: object) -> np.ndarray:
    """Sorted indices [count] of a seeded subset in which each class keeps its share (within one image).

    labels: int [N]. All N where count is None or at least N; ValueError for a count below 1.
    names: the parts of the draw's seed, e.g. dataset and split, so that all models face the same images.
    """
    labels = np.asarray(labels)
    if count is not None and count < 1:
        raise ValueError(f"cannot attack {count} images")
    if count is None or count >= len(labels):
        return np.arange(len(labels))
    generator = numpy_generator("attacked images", *names)
    # Place each class's images evenly on [0, 1), in random order; the first `count` places then hold equal shares.
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        place[generator.permutation(rows)] = (np.arange(len(rows)) + 0.5) / len(rows)
    tie = generator.random(len(labels))
    return np.sort(np.lexsort((tie, place))[:count])
