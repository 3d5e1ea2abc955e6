"""Two parallel line segments: linearly separable, the best boundary is known (SP fig. 1 and 2)."""

from __future__ import annotations

import numpy as np

from lossproof.toys.points import PointSet, two_classes

CATALOGUE = {
    "segments": {
        "build": "segments",
        "parameters": {
            "margin": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 1.8,
                "description": "vertical gap between the two segments",
            },
            "half_length": {
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 1.0,
                "description": "both segments reach this far to either side of the centre",
            },
            "centre_x": {"type": "number", "default": 0.0, "description": "middle of the set"},
            "centre_y": {"type": "number", "default": 0.0, "description": "middle of the set"},
            "points_per_class": {"type": "integer", "minimum": 2, "default": 100, "description": "points per segment"},
        },
    }
}


def segments(
    *,
    margin: float = 1.8,
    half_length: float = 1.0,
    centre_x: float = 0.0,
    centre_y: float = 0.0,
    points_per_class: int = 100,
) -> PointSet:
    """Class 0 on y = -margin/2, class 1 on y = +margin/2, evenly spaced over the same x (SP-A23).

    Nothing is drawn: with evenly spaced points the set is symmetric about its middle, so that whatever
    lack of symmetry a boundary shows comes from the network and its loss. SP gives the margin of 1.8
    only; the length is ours. The centre is a control: around the origin the kinks of a freshly made
    network pass near the middle of the set, which helps every loss; away from it they do not.
    """
    x = np.linspace(-half_length, half_length, points_per_class)
    below = np.stack([x, np.full_like(x, -margin / 2)], axis=1)
    above = np.stack([x, np.full_like(x, margin / 2)], axis=1)
    centre = np.array([centre_x, centre_y])
    return two_classes(below + centre, above + centre)
