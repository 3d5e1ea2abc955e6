"""Where an attack moves the features of the images that it fools a network with."""

from __future__ import annotations

import numpy as np

from lossproof.embeddings.measures import Measures, centres_of, distances


def displacement(
    clean: np.ndarray, labels: np.ndarray, rows: np.ndarray, attacked: np.ndarray, predictions: np.ndarray
) -> Measures:
    """Measures of the features [M, d] of fooling images, which the network takes for ``predictions`` [M] int.

    clean: features [N, d] of all images before the attack, of classes ``labels`` [N]; rows: int [M], which of them
    were attacked. The pc paper reads its fig_3 as attacks that land in neighbouring classes, or near the common centre.

    * ``centre_distance``: mean distance from the mean of all clean features, over that of all clean images;
    * ``centre_distance_before``: the same of the same images before the attack, as those may have lain elsewhere;
    * ``nearest_class``: percent of the images taken for the class whose centre is nearest to their own class's centre.

    None where a measure does not exist: no image was fooled, features that are not finite or all equal; fewer than
    two classes.
    """
    classes, own = np.unique(labels, return_inverse=True)
    points, moved = clean.astype(np.float64), attacked.astype(np.float64)
    middle = points.mean(0)
    away = np.linalg.norm(points - middle, axis=1)
    usual = float(away.mean())
    if not len(moved) or len(classes) < 2 or not (np.isfinite(moved).all() and np.isfinite(usual) and usual > 0):
        return dict.fromkeys(("centre_distance", "centre_distance_before", "nearest_class"))
    centres = centres_of(points, own)
    apart = distances(centres, centres)
    np.fill_diagonal(apart, np.inf)
    nearest = classes[apart.argmin(1)][own[rows]]
    return {
        "centre_distance": float(np.linalg.norm(moved - middle, axis=1).mean()) / usual,
        "centre_distance_before": float(away[rows].mean()) / usual,
        "nearest_class": 100 * float((predictions == nearest).mean()),
    }
