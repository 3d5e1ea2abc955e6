"""How well classes are separated in a space of features: "separated with large margins" as numbers.

All measures are of Euclidean distances and do not change with the scale of the features.
"""

from __future__ import annotations

import numpy as np

BLOCK = 512
"""Images whose distances to all others are held at a time."""

Measures = dict[str, float | None]


def measures(features: np.ndarray, labels: np.ndarray) -> Measures:
    """Measures of features [N, d] of images with classes [N] int.

    * ``between_within``: scatter of the class centres, weighted by their images, over that of images about them;
    * ``silhouette``: mean over images of (b - a) / max(a, b), a the mean distance to the others of its class, b to
      those of the nearest other class (Rousseeuw 1987); an image alone in its class counts 0;
    * ``nearest_centroid``: percent of images whose own class has the nearest centre, itself left out of it;
    * ``separation``: the smallest distance between two centres over the mean over classes of their spread, the root
      mean square distance from the centre.

    None where a measure does not exist: features that are not finite, or all images of every class in one place;
    fewer than two classes.
    """
    classes, own = np.unique(labels, return_inverse=True)
    points = features.astype(np.float64)
    if len(classes) < 2 or not np.isfinite(points).all():
        return dict.fromkeys(("between_within", "silhouette", "nearest_centroid", "separation"))
    sizes = np.bincount(own)
    centres = centres_of(points, own)
    squares = ((points - centres[own]) ** 2).sum(1)
    within = squares.sum()
    between = (sizes * ((centres - points.mean(0)) ** 2).sum(1)).sum()
    spread = float(np.sqrt(np.bincount(own, squares) / sizes).mean())
    apart = distances(centres, centres)[np.triu_indices(len(classes), 1)].min()
    return {
        "between_within": float(between / within) if within > 0 else None,
        "silhouette": _silhouette(points, own, sizes),
        "nearest_centroid": _nearest_centroid(points, centres, own, sizes),
        "separation": float(apart / spread) if spread > 0 else None,
    }


def centres_of(points: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Means [K, d] of the points [N, d] of each class 0 .. K - 1 [N]."""
    return np.stack([points[own == at].mean(0) for at in range(own.max() + 1)])


def distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Euclidean distances [n, m] of points [n, d] and [m, d]."""
    from scipy.spatial.distance import cdist

    return cdist(some, others)


def _silhouette(points: np.ndarray, own: np.ndarray, sizes: np.ndarray) -> float:
    member = np.eye(len(sizes))[own]
    total = 0.0
    for start in range(0, len(points), BLOCK):
        mine = own[start : start + BLOCK]
        rows = np.arange(len(mine))
        sums = distances(points[start : start + BLOCK], points) @ member
        inside = sums[rows, mine] / np.maximum(sizes[mine] - 1, 1)
        means = sums / sizes
        means[rows, mine] = np.inf
        outside = means.min(1)
        larger = np.maximum(inside, outside)
        scores = np.divide(outside - inside, larger, out=np.zeros(len(mine)), where=larger > 0)
        total += float(scores[sizes[mine] > 1].sum())
    return total / len(points)


def _nearest_centroid(points: np.ndarray, centres: np.ndarray, own: np.ndarray, sizes: np.ndarray) -> float:
    away = distances(points, centres)
    rows = np.arange(len(points))
    # Without the image its centre lies n / (n - 1) times as far from it; one that is alone has no centre left.
    alone = sizes[own] == 1
    away[rows, own] = np.where(alone, np.inf, away[rows, own] * sizes[own] / np.maximum(sizes[own] - 1, 1))
    return 100 * float((away.argmin(1) == own).mean())


def in_three(features: np.ndarray) -> tuple[np.ndarray, float]:
    """Features [N, d] in three dimensions, float32 [N, 3], and the share of their variance there.

    As they are where d is at most 3 (missing axes are 0), else on their first three principal axes, each turned so
    that its largest coordinate is positive. Features that are not finite give NaN.
    """
    points = features.astype(np.float64)
    if points.shape[1] <= 3 or not np.isfinite(points).all():
        shown = np.zeros((len(points), 3))
        width = min(3, points.shape[1])
        shown[:, :width] = points[:, :width]
        return shown.astype(np.float32), 1.0 if np.isfinite(points).all() else float("nan")
    points = points - points.mean(0)
    _, lengths, axes = np.linalg.svd(points, full_matrices=False)
    turned = points @ axes[:3].T
    turned = turned * np.sign(turned[np.abs(turned).argmax(0), np.arange(turned.shape[1])])
    whole = float((lengths**2).sum())
    shown = np.zeros((len(points), 3))
    shown[:, : turned.shape[1]] = turned
    return shown.astype(np.float32), float((lengths[:3] ** 2).sum()) / whole if whole > 0 else 1.0
