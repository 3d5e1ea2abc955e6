"""Two interlocking half circles whose horizontal gap is a parameter (SP fig. 3)."""

from __future__ import annotations

import numpy as np

from lossproof.toys.points import PointSet, two_classes

CATALOGUE = {
    "moons": {
        "build": "moons",
        "parameters": {
            "margin": {
                "type": "number",
                "default": -0.01,
                "description": "horizontal gap: smallest x of class 1 minus largest x of class 0",
            },
            "points_per_class": {"type": "integer", "minimum": 2, "default": 100, "description": "points per moon"},
        },
    }
}


def moons(*, margin: float = -0.01, points_per_class: int = 100) -> PointSet:
    """Class 0 bulges to the left, class 1 to the right, shifted up by one radius (SP fig. 3, SP-A23).

    With t evenly spaced in [0, pi], class 0 is (-margin/2 - sin t, cos t), with its two tips at
    x = -margin/2 and y = 1, -1; class 1 is (margin/2 + sin t, 1 - cos t), with its tips at
    x = margin/2 and y = 0, 2. The tips face each other over the line x = 0, hence

    * margin > 0: the line x = 0 separates the classes, with exactly this gap;
    * margin < 0: the chords between the tips, x = -margin/2 for y in [-1, 1] and x = margin/2 for
      y in [0, 2], make the convex hulls overlap, so no straight line separates the classes.

    The set maps to itself with classes swapped under (x, y) -> (-x, 1 - y), so that a boundary in the
    middle is well defined. SP gives the margin of -0.01 only; the shift and the radius are ours.
    """
    t = np.linspace(0.0, np.pi, points_per_class)
    # sin(pi) is 1e-16 in floating point; the tips are to lie exactly on their lines
    depth = np.where((t == 0.0) | (t == np.pi), 0.0, np.sin(t))
    left = np.stack([-margin / 2 - depth, np.cos(t)], axis=1)
    right = np.stack([margin / 2 + depth, 1.0 - np.cos(t)], axis=1)
    return two_classes(left, right)
