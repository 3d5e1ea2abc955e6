"""Features in two dimensions by t-SNE (van der Maaten and Hinton 2008), the same points at every call."""

from __future__ import annotations

import numpy as np

from lossproof.seeding import seed_of

PERPLEXITY = 30.0
"""Of the pc paper's scatters nothing is printed: this, a start on the principal axes and a fixed seed (PC-A22)."""
FEWEST = 4


def in_two(features: np.ndarray, *names: object) -> tuple[np.ndarray, float]:
    """Features [N, d] in two dimensions, float32 [N, 2], and the perplexity: a third of N where that is below 30.

    names: what the seed follows from. One thread computes, so that sums have one order. Features that are not finite
    give NaN, features that are all equal one point; ValueError for fewer than four images.
    """
    if len(features) < FEWEST:
        raise ValueError(f"t-SNE of {len(features)} images; it needs at least {FEWEST}")
    perplexity = min(PERPLEXITY, len(features) / 3)
    points = features.astype(np.float64)
    if not np.isfinite(points).all():
        return np.full((len(points), 2), np.nan, np.float32), perplexity
    if not np.ptp(points, axis=0).any():
        return np.zeros((len(points), 2), np.float32), perplexity
    if points.shape[1] < 2:
        points = np.pad(points, ((0, 0), (0, 1)))
    # Both come together and only this needs them; importing them takes seconds.
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    seed = seed_of("t-SNE", *names) % 2**32
    with threadpool_limits(1):
        method = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1)
        return method.fit_transform(points).astype(np.float32), perplexity
