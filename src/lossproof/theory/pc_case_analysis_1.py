"""pc, case analysis 1: the smallest change of a probability vector that makes an error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from lossproof.seeding import numpy_generator
from lossproof.theory.cases import case, statement

CATALOGUE = {"pc_case_analysis_1": {"build": "check", "parameters": {}}}

POINTS = {3: 40, 10: 15}  # by number of classes: a programme per false class each
MODELS, INPUTS = 2000, 20

Vector = NDArray[np.float64]


def check() -> dict[str, Any]:
    """Quadratic programmes on the simplex against the closed form (pc, case analysis 1)."""
    cases = []
    for num_classes, count in POINTS.items():
        points = _points(num_classes, count)
        name = f"{count} random probability vectors, K = {num_classes}"
        moved = [[_nearest(f, j) for j in range(1, num_classes)] for f in points]
        distances = np.array([[_distance(f, g) for g in row] for f, row in zip(points, moved, strict=True)])
        closed = (points[:, :1] - points[:, 1:]) / math.sqrt(2)
        second = points[:, 1:].argmax(1)
        halves = [_half_way(f, j + 1) for f, j in zip(points, second, strict=True)]
        at_second = [row[j] for row, j in zip(moved, second, strict=True)]
        first_case = np.array([_first_case(f, j + 1) for f, j in zip(points, second, strict=True)])
        second_case = closed[np.arange(count), second]
        possible = np.isfinite(first_case)
        cases += [
            case(
                f"{name}, nearest over all false classes",
                "share where it is the second most probable class",
                1,
                float((distances.argmin(1) == second).mean()),
            ),
            case(
                f"{name}, any false class j",
                "largest difference of the L2 distance from (f_y - f_j) / sqrt 2",
                0,
                float(np.abs(distances - closed).max()),
                digits=5,
            ),
            case(
                f"{name}, second class",
                "largest difference of the nearest vector from case 2: f_y and f_j meet half way",
                0,
                max(_distance(g, h) for g, h in zip(at_second, halves, strict=True)),
                digits=4,
                note="the nearest vector lies in the simplex, so the constraint on the sum costs nothing",
            ),
            case(
                f"{name}, case 1: f_y stays and others make room for f_j",
                "share where it is closer than case 2",
                0,
                float((first_case < second_case).mean()),
                note=f"K = {num_classes}: case 1 is possible at {int(possible.sum())} of {count} vectors, where it "
                f"needs {(first_case / second_case)[possible].min():.2f} times the distance or more",
            ),
        ]
    cases.append(_in_pixels())
    return statement(
        "The smallest change of the probabilities that makes an error exchanges the true class with the second most "
        "probable one, each moving by half of their difference.",
        cases,
        "Distances are L2 between probability vectors. Which change of an image moves the probabilities so is another "
        "matter: the nearest image that is misclassified need not be of the second class.",
    )


def _points(num_classes: int, count: int) -> Vector:
    """Vectors [count, K], uniform on the simplex where class 0 is the most probable one."""
    points = numpy_generator("theory", "pc_case_analysis_1", num_classes).dirichlet(np.ones(num_classes), count)
    largest = points.argmax(1)
    rows = np.arange(count)
    points[rows, 0], points[rows, largest] = points[rows, largest], points[rows, 0].copy()
    return points


def _distance(one: Vector, other: Vector) -> float:
    return float(np.linalg.norm(one - other))


def _programme(f: Vector, start: Vector, more: list[dict[str, Any]]) -> Vector:
    """The point of the simplex that is nearest to ``f`` under further linear constraints."""
    found = minimize(
        lambda g: float(((g - f) ** 2).sum()),
        start,
        jac=lambda g: 2 * (g - f),
        bounds=[(0, 1)] * len(f),
        constraints=[{"type": "eq", "fun": lambda g: g.sum() - 1}, *more],
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    return np.asarray(found.x)


def _nearest(f: Vector, j: int) -> Vector:
    """The nearest vector with at least as much for class ``j`` as for the true one."""
    return _programme(f, np.full(len(f), 1 / len(f)), [{"type": "ineq", "fun": lambda g: g[j] - g[0]}])


def _half_way(f: Vector, j: int) -> Vector:
    g = f.copy()
    g[0] = g[j] = (f[0] + f[j]) / 2
    return g


def _first_case(f: Vector, j: int) -> float:
    """The distance where ``j`` rises to the true class's probability and others pay for it; infinite if they cannot."""
    gap = f[0] - f[j]
    others = 1 - f[0] - f[j]
    if gap > others:
        return math.inf
    start = f * (1 - gap / others)
    start[0] = start[j] = f[0]
    fixed = {"type": "eq", "fun": lambda g: np.array([g[0] - f[0], g[j] - f[0]])}
    return _distance(f, _programme(f, start, [fixed]))


def _in_pixels() -> dict[str, Any]:
    """The nearest error of random linear networks, measured in their inputs: (a_y - a_j) / |w_y - w_j|."""
    generator = numpy_generator("theory", "pc_case_analysis_1", "inputs")
    weights, x = generator.normal(size=(MODELS, 10, INPUTS)), generator.normal(size=(MODELS, INPUTS, 1))
    logits = (weights @ x)[..., 0]
    order = logits.argsort(1)[:, ::-1]
    rows = np.arange(MODELS)
    gaps = logits[rows, order[:, 0]][:, None] - logits
    steps = np.linalg.norm(weights[rows, order[:, 0]][:, None] - weights, axis=2)
    distances = np.divide(gaps, steps, out=np.full_like(gaps, np.inf), where=steps > 0)
    return case(
        f"{MODELS} random linear networks of {INPUTS} inputs, K = 10",
        "share where the nearest error in the input is the second most probable class",
        1,
        float((distances.argmin(1) == order[:, 1]).mean()),
        digits=2,
        role="control",
        note="at the others the nearest wrong input is of a class with less probability, whose boundary is steeper",
    )
