"""Where a toy network's decision boundary runs, measured from its stored weights (NumPy only).

The gap g(x) = z1 - z0 of a two-layer ReLU network is linear between the kinks of its hidden units, so
its zeros along a straight line are found exactly, without a grid: evaluate g at the kinks, interpolate
where the sign changes. All measures rest on such crossings.

Signs are the same everywhere: *positive means further from class 0, nearer to class 1*; 0 is the middle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

CONFIDENT = 0.9
LINES = 201  # scan lines per axis that sample the boundary
ANGLES = 360  # rays that sample the boundary around the rings


class Network(NamedTuple):
    """Weights of one network, outputs = relu(x w1 + b1) w2 + b2: w1 [2, H], b1 [H], w2 [H, 2], b2 [2].

    The outputs are the logits, or (``normalised``) the logits are the outputs over their L2 norm, which moves no
    boundary but changes every confidence.
    """

    w1: np.ndarray
    b1: np.ndarray
    w2: np.ndarray
    b2: np.ndarray
    normalised: bool = False


def network_at(arrays: Mapping[str, np.ndarray], epoch: int, seed: int) -> Network:
    """The network of the ``seed``-th column at one snapshot of ``networks.npz``, in float64.

    Raises ValueError where that epoch was not stored.
    """
    found = np.flatnonzero(arrays["epochs"] == epoch)
    if not len(found):
        raise ValueError(f"no snapshot at epoch {epoch}; stored: {arrays['epochs'].tolist()}")
    weights = (arrays[name][found[0], seed].astype(np.float64) for name in ("w1", "b1", "w2", "b2"))
    normalised = str(arrays.get("head", "linear")) == "normalised_logits"
    return Network(*weights)._replace(normalised=normalised)


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """``left`` [..., I] times ``right`` [I, J] or [I], summed in one fixed order.

    BLAS (the ``@`` of NumPy) sums in an order that depends on the processor's kernels and on the
    environment, and equal runs must give equal bytes.
    """
    return np.einsum("...i,ij->...j" if right.ndim == 2 else "...i,i->...", left, right)


def outputs(network: Network, points: np.ndarray) -> np.ndarray:
    """Outputs of the last layer [..., 2] at ``points`` [..., 2]."""
    return product(np.maximum(product(points, network.w1) + network.b1, 0.0), network.w2) + network.b2


def gap(network: Network, points: np.ndarray) -> np.ndarray:
    """z1 - z0 [...] of the outputs at ``points`` [..., 2]: positive where the network says class 1."""
    hidden = np.maximum(product(points, network.w1) + network.b1, 0.0)
    return product(hidden, network.w2[:, 1] - network.w2[:, 0]) + (network.b2[1] - network.b2[0])


def deployed_gap(network: Network, points: np.ndarray) -> np.ndarray:
    """The gap [...] of the logits that the softmax sees, at ``points`` [..., 2]: with the sign of ``gap``."""
    plain = gap(network, points)
    if not network.normalised:
        return plain
    norm = np.sqrt((outputs(network, points) ** 2).sum(-1))
    return np.divide(plain, norm, out=np.zeros_like(plain), where=norm > 0)


def probability(network: Network, points: np.ndarray) -> np.ndarray:
    """Softmax probability of class 1 [...] at ``points`` [..., 2]."""
    return 0.5 * (1.0 + np.tanh(0.5 * deployed_gap(network, points)))


def frame(points: np.ndarray, border: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner [2] of the points' bounding box, widened by a share of its longer side."""
    low, high = points.min(axis=0), points.max(axis=0)
    wider = border * (high - low).max()
    return low - wider, high + wider


def grid(points: np.ndarray, size: int = LINES, border: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Axes ``grid_x`` [size], ``grid_y`` [size] over the frame of the points [N, 2]."""
    low, high = frame(points, border)
    return np.linspace(low[0], high[0], size), np.linspace(low[1], high[1], size)


def confidence_map(network: Network, grid_x: np.ndarray, grid_y: np.ndarray) -> np.ndarray:
    """Probability of class 1 [len(grid_y), len(grid_x)], row = index of y."""
    return probability(network, np.stack(np.meshgrid(grid_x, grid_y), axis=-1))


def crossings(network: Network, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Places where the gap changes sign on the lines from ``starts`` [L, 2] to ``ends`` [L, 2].

    Returns [L, H + 1] positions in (0, 1] along each line, increasing, NaN where there are fewer.
    Exact up to rounding, because the gap is linear between two neighbouring kinks.
    """
    heads, slopes = product(starts, network.w1) + network.b1, product(ends - starts, network.w1)
    with np.errstate(divide="ignore", invalid="ignore"):
        kinks = -heads / slopes
    kinks = np.where((kinks > 0) & (kinks < 1), kinks, 1.0)
    places = np.concatenate([np.zeros((len(starts), 1)), np.sort(kinks, axis=1), np.ones((len(starts), 1))], axis=1)
    values = gap(network, starts[:, None] + places[..., None] * (ends - starts)[:, None])
    left, right = values[:, :-1], values[:, 1:]
    changes = (left > 0) != (right > 0)
    share = np.divide(left, left - right, out=np.zeros_like(left), where=changes)
    found = np.where(changes, places[:, :-1] + share * np.diff(places, axis=1), np.nan)
    return np.sort(found, axis=1)


def boundary_points(network: Network, low: np.ndarray, high: np.ndarray, lines: int = LINES) -> np.ndarray:
    """Points [P, 2] of the decision boundary inside a box: its crossings with upright and level lines.

    No stretch of boundary between two neighbouring samples is longer than the cell diagonal
    (a closed loop smaller than a cell can be missed).
    """
    x, y = np.linspace(low[0], high[0], lines), np.linspace(low[1], high[1], lines)
    starts = np.concatenate([np.stack([x, np.full(lines, low[1])], 1), np.stack([np.full(lines, low[0]), y], 1)])
    ends = np.concatenate([np.stack([x, np.full(lines, high[1])], 1), np.stack([np.full(lines, high[0]), y], 1)])
    places = crossings(network, starts, ends)
    line, column = np.nonzero(~np.isnan(places))
    return starts[line] + places[line, column, None] * (ends - starts)[line]


def nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Euclidean distance [P] from each of ``points`` [P, 2] to the nearest of ``others`` [Q, 2]."""
    squares = (points**2).sum(1)[:, None] + (others**2).sum(1)[None] - 2 * product(points, others.T)
    return np.sqrt(np.maximum(squares.min(axis=1), 0.0))


def balance(to_0: np.ndarray | float, to_1: np.ndarray | float) -> np.ndarray:
    """(d0 - d1) / (|d0| + |d1|) in [-1, 1]: 0 in the middle, > 0 where class 1 is nearer."""
    total = np.abs(to_0) + np.abs(to_1)
    return np.divide(np.subtract(to_0, to_1), total, out=np.zeros_like(total, dtype=float), where=total > 0)


def measure(
    network: Network, points: np.ndarray, labels: np.ndarray, kept: np.ndarray, family: str = ""
) -> dict[str, float]:
    """All measures of one network on its toy: ``common_measures`` and those of the toy's family.

    ``points`` [N, 2], ``labels`` [N], ``kept`` [N] bool. A measure that has no value there (no boundary
    in view, say) is left out.
    """
    found = common_measures(network, points, labels, kept)
    if family in FAMILIES:
        found |= FAMILIES[family](network, points, labels)
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def common_measures(network: Network, points: np.ndarray, labels: np.ndarray, kept: np.ndarray) -> dict[str, float]:
    """Measures that every toy has. Accuracies and shares in percent, distances in units of the plane.

    * ``accuracy``, ``accuracy_class_0``, ``accuracy_class_1``: on *all* points, the removed ones too, which
      is where a boundary that clings to the majority fails; ``accuracy_kept``: on the training points.
    * ``distance_0``, ``distance_1``: from the boundary to the nearest kept point of the class; negative
      if the point that lies worst is on the wrong side. ``mean_distance_0``, ``_1``: mean over the kept points.
      The boundary is sampled, so a distance is too long by less than 1/200 of the frame.
    * ``centredness`` = (d0 - d1)/(|d0| + |d1|) of the nearest distances; 0: in the middle of the gap,
      > 0: nearer to class 1. ``mean_centredness``: the same of the mean distances.
    * ``middle_bias`` and ``middle_offset``: at every boundary sample within the box around all points, the
      balance of its distances to the nearest point (kept or not) of either class; mean, and mean
      of the absolute value (0: on the middle line everywhere, 1: touching a class).
    * ``median_confidence``: median over kept points of the larger probability.
    * ``low_confidence_share``: share of the frame where the larger probability is below 0.9. A loss with
      a stationary point below 0.9 has about 100 here by design, hence
    * ``band_share``: share of the frame where the absolute logit gap is below half its median at the kept
      points: how wide the undecided band is, whatever the scale of the logits.
    """
    decided = deployed_gap(network, points)
    correct = (decided > 0) == (labels == 1)
    found = {"accuracy": 100 * correct.mean(), "accuracy_kept": 100 * correct[kept].mean()}
    found |= {f"accuracy_class_{k}": 100 * correct[labels == k].mean() for k in (0, 1)}

    strength = np.median(np.abs(decided[kept]))
    over_frame = np.abs(deployed_gap(network, np.stack(np.meshgrid(*grid(points, LINES // 2)), axis=-1)))
    found["median_confidence"] = 1 / (1 + np.exp(-strength))
    found["low_confidence_share"] = 100 * (over_frame < np.log(CONFIDENT / (1 - CONFIDENT))).mean()
    found["band_share"] = 100 * (over_frame < strength / 2).mean()

    line = boundary_points(network, *frame(points))
    found["boundary_samples"] = len(line)
    if not len(line):
        return found
    signed = nearest(points, line) * np.where(correct, 1.0, -1.0)
    classes = [signed[kept & (labels == k)] for k in (0, 1)]
    for k, distances in enumerate(classes):
        found[f"distance_{k}"], found[f"mean_distance_{k}"] = distances.min(), distances.mean()
    found["centredness"] = balance(classes[0].min(), classes[1].min())
    found["mean_centredness"] = balance(classes[0].mean(), classes[1].mean())

    low, high = frame(points, border=0.0)
    inside = line[((line >= low) & (line <= high)).all(axis=1)]
    if len(inside):
        sides = balance(*(nearest(inside, points[labels == k]) for k in (0, 1)))
        found["middle_bias"], found["middle_offset"] = sides.mean(), np.abs(sides).mean()
    return found


def straight_line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and level of the least-squares line through ``x`` [L], ``y`` [L]."""
    away = x - x.mean()
    slope = (away * y).sum() / (away**2).sum()
    return float(slope), float(y.mean() - slope * x.mean())


def segment_measures(network: Network, points: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Is the boundary in the middle of the two segments, and parallel to them?

    On 101 upright lines over the segments' common x range, the height y of the boundary between the
    segments (the crossing nearest to the middle), over half the gap: -1 on class 0, 0 middle, +1 on class 1.

    * ``height_mean``, ``height_worst``: mean, and the largest absolute value.
    * ``tilt_degrees``: angle in the plane between the straight-line fit of the boundary and the segments,
      0: parallel. ``roughness``: standard deviation of the height around that fit.
    * ``vertical_distance_0``, ``_1``: smallest vertical distance from the segment to the boundary, and
      ``mean_vertical_distance_0``, ``_1`` its mean, in units of the plane.
    * ``columns_with_boundary``: percent of the lines that have any crossing between the segments. Where
      it is below 100 the boundary runs through a segment, and the other figures speak of the rest.
    """
    bottom, top = points[labels == 0, 1].mean(), points[labels == 1, 1].mean()
    middle, half = (bottom + top) / 2, (top - bottom) / 2
    x = np.linspace(points[:, 0].min(), points[:, 0].max(), 101)
    places = crossings(network, np.stack([x, np.full(101, bottom)], 1), np.stack([x, np.full(101, top)], 1))
    heights = 2 * places - 1
    has = ~np.isnan(heights).all(axis=1)
    found = {"columns_with_boundary": 100 * has.mean()}
    if has.sum() < 2:
        return found
    best = np.nanargmin(np.abs(heights[has]), axis=1)
    height = heights[has][np.arange(has.sum()), best]
    slope, level = straight_line(x[has], half * height + middle)
    found |= {
        "height_mean": height.mean(),
        "height_worst": np.abs(height).max(),
        "tilt_degrees": np.degrees(np.arctan(abs(slope))),
        "roughness": (half * height + middle - slope * x[has] - level).std() / half,
        "vertical_distance_0": half * (1 + height).min(),
        "vertical_distance_1": half * (1 - height).min(),
        "mean_vertical_distance_0": half * (1 + height).mean(),
        "mean_vertical_distance_1": half * (1 - height).mean(),
    }
    return found


def ring_measures(network: Network, points: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Does the boundary run around the inner ring, half way to the outer one?

    On 360 rays from the centre, the first crossing out of class 0 beyond half the inner radius, as
    (radius - mid radius) / half the distance of the rings: -1 on the inner ring, 0 half way, +1 on the
    outer ring, more beyond it, where the outer class is lost. A ray that finds none before three outer
    radii counts as that far (so the mean, unlike the median, depends on the cut).

    * ``radius_median``, ``radius_mean``, ``radius_spread`` (standard deviation over the rays).
    * ``radius_offset``: mean of the absolute value, cut at 1: 0 half way everywhere, 1 no better than touching.
    * ``rays_between_rings``: percent of the rays on which that crossing lies between the rings.
    """
    inner, outer = (np.sqrt((points[labels == k] ** 2).sum(1)).mean() for k in (0, 1))
    angle = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    near, far = inner / 2, 3 * outer
    places = crossings(network, near * circle, far * circle)
    # the first crossing leaves class 0 if the ray starts in it; else it enters, and the second leaves
    starts_in_1 = (gap(network, near * circle) > 0).astype(int)
    first = places[np.arange(ANGLES), starts_in_1]
    radius = np.where(np.isnan(first), far, near + first * (far - near))
    relative = (radius - (inner + outer) / 2) / ((outer - inner) / 2)
    return {
        "radius_median": float(np.median(relative)),
        "radius_mean": relative.mean(),
        "radius_spread": relative.std(),
        "radius_offset": np.minimum(np.abs(relative), 1.0).mean(),
        "rays_between_rings": 100 * (np.abs(relative) < 1).mean(),
    }


FAMILIES = {"segments": segment_measures, "rings": ring_measures}
