"""What every toy family builds: labelled points of the plane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class PointSet(NamedTuple):
    """``points`` [N, 2] float64, ``labels`` [N] int64 (0 or 1), ``kept`` [N] bool.

    A network is trained on the kept points only. The others stay in the arrays, so that sets with
    different shares removed stack in one batch and accuracy can be asked for on all points.
    """

    points: np.ndarray
    labels: np.ndarray
    kept: np.ndarray


def two_classes(class_0: np.ndarray, class_1: np.ndarray, kept_1: np.ndarray | None = None) -> PointSet:
    """Stack the points [n, 2] of both classes; ``kept_1`` [n] says which of class 1 stay (default: all)."""
    kept_0 = np.ones(len(class_0), dtype=bool)
    kept_1 = np.ones(len(class_1), dtype=bool) if kept_1 is None else kept_1
    labels = np.repeat(np.array([0, 1], dtype=np.int64), [len(class_0), len(class_1)])
    return PointSet(np.concatenate([class_0, class_1]), labels, np.concatenate([kept_0, kept_1]))
