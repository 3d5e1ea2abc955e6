"""Two concentric rings, a share of the outer one removed (SP fig. 6 and 8 to 12)."""

from __future__ import annotations

import numpy as np

from lossproof.seeding import numpy_generator
from lossproof.toys.points import PointSet, two_classes

CATALOGUE = {
    "rings": {
        "build": "rings",
        "parameters": {
            "removed": {
                "type": "number",
                "minimum": 0,
                "exclusiveMaximum": 1,
                "default": 0.0,
                "description": "share of the outer class that is left out of training",
            },
            "inner_radius": {"type": "number", "exclusiveMinimum": 0, "default": 0.5, "description": "class 0"},
            "outer_radius": {"type": "number", "exclusiveMinimum": 0, "default": 1.0, "description": "class 1"},
            "points_per_class": {"type": "integer", "minimum": 2, "default": 100, "description": "points per ring"},
            "draw": {"type": "integer", "default": 0, "description": "number of the draw of the removed points"},
        },
    }
}


def rings(
    *,
    removed: float = 0.0,
    inner_radius: float = 0.5,
    outer_radius: float = 1.0,
    points_per_class: int = 100,
    draw: int = 0,
) -> PointSet:
    """Class 0 on the inner ring, class 1 on the outer, evenly spaced angles (SP-A26).

    ``round(removed * points_per_class)`` outer points are marked as not kept. Which ones: the first of
    one seeded random order of the outer ring, whatever the share. A larger share thus removes what a
    smaller one removed and more, and figures for 10 to 97 % differ by the added removals alone, not by
    which points happened to be drawn. The removed points stay in the arrays (``kept`` is False).

    Raises ValueError where no outer point would be left or the radii are not increasing.
    """
    count = round(removed * points_per_class)
    if not 0 <= count < points_per_class:
        raise ValueError(f"removed={removed} leaves none of {points_per_class} outer points")
    if not inner_radius < outer_radius:
        raise ValueError(f"inner_radius={inner_radius} is not below outer_radius={outer_radius}")
    angle = np.linspace(0.0, 2 * np.pi, points_per_class, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    kept = np.ones(points_per_class, dtype=bool)
    kept[numpy_generator("rings", points_per_class, draw).permutation(points_per_class)[:count]] = False
    return two_classes(inner_radius * circle, outer_radius * circle, kept)
