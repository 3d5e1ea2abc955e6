"""A loss surface in a few numbers (NumPy only)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

RADII = (0.1, 0.25, 0.5, 1.0)
ANGLES = 72


def interpolate(axis_u: np.ndarray, axis_v: np.ndarray, values: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Bilinear values [...] at places ``u``, ``v`` [...] of a grid [U, V]; NaN outside the grid."""
    u, v = np.asarray(u, dtype=float), np.asarray(v, dtype=float)
    corners, shares = [], []
    for axis, place in ((axis_u, u), (axis_v, v)):
        left = np.clip(np.searchsorted(axis, place, side="right") - 1, 0, len(axis) - 2)
        corners.append(left)
        shares.append((place - axis[left]) / (axis[left + 1] - axis[left]))
    (i, j), (s, t) = corners, shares
    # a cell's far corners have weight 0 on its edge, where 0 * inf would be NaN
    found = sum(
        np.where(weight > 0, weight * values[i + di, j + dj], 0.0)
        for di, dj, weight in ((0, 0, (1 - s) * (1 - t)), (1, 0, s * (1 - t)), (0, 1, (1 - s) * t), (1, 1, s * t))
    )
    slack = 1e-9 * max(np.ptp(axis_u), np.ptp(axis_v))
    inside = (u >= axis_u[0] - slack) & (u <= axis_u[-1] + slack)
    inside &= (v >= axis_v[0] - slack) & (v <= axis_v[-1] + slack)
    return np.where(inside, found, np.nan)


def sharpness(
    axis_u: np.ndarray, axis_v: np.ndarray, values: np.ndarray, radii: Sequence[float] = RADII
) -> dict[str, float]:
    """How deep and how sharp the surface ``values`` [U, V] is around (0, 0).

    * ``centre``: value at (0, 0), interpolated where the grid has no point there; ``minimum``, ``maximum``.
    * ``mean_at_<r>`` and ``rise_at_<r>``: mean over 72 places on the circle of radius r, and by how much
      it exceeds the centre. Radii that leave the grid are left out.
    * ``curvature_u``, ``curvature_v``: second difference over one cell to either side, divided by the
      square of the cell; ``curvature``: their mean. In loss per (unit of the axes)^2.

    Numbers that are not finite are left out.
    """

    def at(u: np.ndarray | float, v: np.ndarray | float) -> np.ndarray:
        return interpolate(axis_u, axis_v, values, np.asarray(u), np.asarray(v))

    centre = float(at(0.0, 0.0))
    found = {"centre": centre, "minimum": float(values.min()), "maximum": float(values.max())}
    angle = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    for radius in radii:
        mean = float(at(radius * np.cos(angle), radius * np.sin(angle)).mean())
        found |= {f"mean_at_{radius:g}": mean, f"rise_at_{radius:g}": mean - centre}
    du, dv = float(axis_u[1] - axis_u[0]), float(axis_v[1] - axis_v[0])
    found["curvature_u"] = float(at(du, 0.0) + at(-du, 0.0) - 2 * centre) / du**2
    found["curvature_v"] = float(at(0.0, dv) + at(0.0, -dv) - 2 * centre) / dv**2
    found["curvature"] = (found["curvature_u"] + found["curvature_v"]) / 2
    return {name: value for name, value in found.items() if np.isfinite(value)}


def summarise(arrays: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """``sharpness`` of every metric of a landscape file: metric ('ce', 'own', 'error') -> numbers."""
    return {
        metric: sharpness(arrays["axis_u"], arrays["axis_v"], arrays[metric])
        for metric in ("ce", "own", "error")
        if metric in arrays
    }
