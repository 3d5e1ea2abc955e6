"""sp, eq. 42: the stationary probability of SP-CE, in all forms of the loss."""

from __future__ import annotations

import math
from typing import Any

from lossproof.criteria.stationary_point_ce import StationaryPointCE
from lossproof.theory.cases import case, statement
from lossproof.theory.true_logit import stationary_points

CATALOGUE = {"eq_42": {"build": "check", "parameters": {}}}


def check() -> dict[str, Any]:
    """Eq. 42 against the zeros of the autograd gradient; the other forms and the printed slips (sp, eqs. 42-44)."""
    cases = []
    for eta in (0.6, 0.75, 1.0, 2.0, 5.0):
        probability = (eta + math.sqrt(eta * (eta + 4))) / (4 * eta)
        cases += [_point("C", eta, num_classes, probability, "check") for num_classes in (2, 10)]
    cases += [_count("C", 0.49, 0), _count("C", 0.51, 1)]
    for eta in (0.6, 1.0, 3.0):
        cases.append(_point("B", eta, 2, 1 / math.sqrt(2 * eta), "control", "form B stops at 1 / sqrt(2 eta)"))
    for eta, num_classes in ((0.3, 2), (0.75, 2), (0.3, 10), (0.75, 10)):
        root = (1 + math.sqrt(1 + num_classes * (num_classes - 1) / eta)) / (2 * num_classes)
        note = "form A, whole vector: the root of 4 eta x (x - (1 - x) / (K - 1)) = 1"
        cases.append(_point("A", eta, num_classes, root, "control", note))
    cases += [_count("A", 0.24, 0, "control"), _count("A", 0.26, 1, "control")]
    cases += _printed_roots()
    return statement(
        "The stationary true-class probability of SP-CE is (eta + sqrt(eta (eta + 4))) / (4 eta).",
        cases,
        "Form C (eq. 34), and eta > 1/2; forms A (eq. 9, from eta > 1/4) and B (eq. 12) stop elsewhere.",
    )


def _point(form: str, eta: float, num_classes: int, expected: float, role: str, note: str = "") -> dict[str, Any]:
    found = stationary_points(StationaryPointCE(eta=eta, form=form), num_classes)
    measured = found[0] if len(found) == 1 else 0.0
    name = f"form {form}, eta {eta:g}, K = {num_classes}"
    return case(name, "stationary probability, autograd", expected, measured, role=role, note=note)


def _count(form: str, eta: float, expected: int, role: str = "check") -> dict[str, Any]:
    found = stationary_points(StationaryPointCE(eta=eta, form=form), 10)
    threshold = "1/4" if form == "A" else "1/2"
    return case(
        f"form {form}, eta {eta:g}, K = 10",
        "stationary points in (0, 1)",
        expected,
        len(found),
        role=role,
        note=f"one exists above eta = {threshold}",
    )


def _printed_roots() -> list[dict[str, Any]]:
    """Eqs. 43 and 44 lack brackets: the printed terms at eta = 1 beside the roots that they stand for."""
    eta = 1.0
    root = math.sqrt(eta * (4 + eta))
    first = stationary_points(StationaryPointCE(eta=eta))[0]
    note = "as reported, the fraction takes only the root; with the brackets it agrees"
    # The quadratic 4 eta x^2 - 2 eta x - 1 has the sum of roots 1/2, so the second follows from the measured first.
    return [
        case(
            "eq. 43 as reported, eta 1", "second root", 0.5 - first, eta - root / (4 * eta), role="control", note=note
        ),
        case("eq. 43 with brackets, eta 1", "second root", 0.5 - first, (eta - root) / (4 * eta), role="control"),
        case(
            "eq. 44 as reported, eta 1",
            "false-class probability",
            1 - first,
            3 * eta - root / (4 * eta),
            role="control",
            note=note,
        ),
        case(
            "eq. 44 with brackets, eta 1",
            "false-class probability",
            1 - first,
            (3 * eta - root) / (4 * eta),
            role="control",
        ),
    ]
