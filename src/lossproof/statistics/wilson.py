"""Wilson's interval of a share."""

from __future__ import annotations

import math

Z_95 = 1.959963984540054


def wilson(share: float, size: float, z: float = Z_95) -> tuple[float, float]:
    """Bounds in percent of a share (0 to 1) of ``size`` images; ValueError where it is none.

    ``size`` may be an effective number of images, ``z`` another quantile than that of the normal 95 % interval.
    """
    if not 0 <= share <= 1 or not size > 0:
        raise ValueError(f"{share} of {size} images is no share")
    squeeze = z**2 / size
    centre = share + squeeze / 2
    half = z * math.sqrt(share * (1 - share) / size + squeeze / size / 4)
    return 100 * max(0.0, (centre - half) / (1 + squeeze)), 100 * min(1.0, (centre + half) / (1 + squeeze))
