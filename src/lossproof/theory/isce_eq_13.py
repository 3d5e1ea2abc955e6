"""isce, eq. 13 and fig. 3: the derivative of h by the logit, and where it is positive."""

from __future__ import annotations

import math
from typing import Any

import torch

from lossproof.seeding import torch_generator
from lossproof.theory.cases import case, statement
from lossproof.theory.inference_softmax import (
    CLASSES,
    M_RANGE,
    MEAN_F,
    MEAN_S,
    S_RANGE,
    gain,
    last_m,
    last_s,
    root,
    slope,
    z_at,
    z_printed,
)

CATALOGUE = {"isce_eq_13": {"build": "check", "parameters": {}}}

POINTS = 201
AT_MEANS = f"f = {MEAN_F:g}, S = {MEAN_S:g}"
Z = "z, from the autograd derivative of h"


def check() -> dict[str, Any]:
    """Eq. 13 against autograd, z on the range of fig. 3, and where it turns negative beyond (isce, eq. 13)."""
    return statement(
        "The derivative of h = P_I - P by f is S z, and z is above 0 for every s > 1 and m > 0.",
        [_formula(), _moving_sum(), *_on_the_printed_range(), *_beyond()],
        "S does not move with f. At f = 0.97 and S = 8, z is above 0 for s in [1, 2] and m in (0, 0.1], but negative "
        "from s = 5.444 on for m = 0.1, and from m = 2.2189 on for s = 1.",
    )


def _formula() -> dict[str, Any]:
    generator = torch_generator("theory", "isce_eq_13")
    draw = torch.rand(4, 2000, generator=generator, dtype=torch.float64)
    f, total, s, m = -3 + 8 * draw[0], 0.1 + 20 * draw[1], 1 + 4 * draw[2], 2 * draw[3]
    error = (slope(f, total, s, m) - total * z_printed(f, total, s, m)).abs().max().item()
    return case("2000 draws of f, S, s and m", "largest difference of S z from autograd", 0, error)


def _moving_sum() -> dict[str, Any]:
    """h along the unit sphere of logits, the others equal: there a larger f means a smaller norm of the rest."""
    f = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    others = -((1 - f**2) / (CLASSES - 1)).sqrt()
    rest = math.log(CLASSES - 1) + others
    (whole,) = torch.autograd.grad(gain(f, rest, 1.0, 0.1), f)
    total = rest.exp().detach()
    partial = total * z_printed(f.detach(), total, 1.0, 0.1)
    return case(
        "logits of unit norm, K = 10, f = 0.5, s = 1, m = 0.1",
        "difference of S z from autograd along the sphere",
        0,
        (whole - partial).item(),
        role="control",
        note="with normalised logits S moves with f, which eq. 13 leaves out",
    )


def _on_the_printed_range() -> list[dict[str, Any]]:
    """Values of the surface, its largest and its smallest, each by autograd; the paper prints none of them."""
    s = torch.linspace(*S_RANGE, POINTS, dtype=torch.float64)
    m = torch.linspace(*M_RANGE, POINTS, dtype=torch.float64)[1:]
    s, m = (axis.flatten() for axis in torch.meshgrid(s, m, indexing="ij"))
    z = slope(torch.full_like(s, MEAN_F), torch.full_like(s, MEAN_S), s, m) / MEAN_S
    top = int(z.argmax())
    name = f"{AT_MEANS}, s in [1, 2], m in (0, 0.1]"
    return [
        case(name, "share of the grid where z > 0", 1, (z > 0).double().mean().item()),
        case(name, "s of the largest z", 2, s[top].item()),
        case(name, "m of the largest z", 0.1, m[top].item()),
        case(f"{AT_MEANS}, s = 1, m = 0", Z, 0, z_at(1, 0), note="the softmax itself"),
        *(
            case(f"{AT_MEANS}, s = {s:g}, m = {m:g}", Z, expected, z_at(s, m), digits=digits, role="control")
            for s, m, expected, digits in ((1, 0.1, 0.0011586, 7), (1.5, 0.1, 0.020484, 6), (2, 0.1, 0.039165, 6))
        ),
    ]


def _beyond() -> list[dict[str, Any]]:
    cases = [
        case(
            f"{AT_MEANS}, s = {s:g}, m = {m:g}",
            "z > 0 (1: yes)",
            1,
            float(z_at(s, m) > 0),
            role="counterexample",
            note=f"z = {z_at(s, m):.5f} at s = {s:g}, m = {m:g}",
        )
        for s, m in ((6.0, 0.1), (1.0, 2.5), (2.0, 2.5))
    ]
    rounded = "expected value rounded"
    for m, expected in ((0.1, 5.444), (0.0, 5.574)):
        name = f"{AT_MEANS}, m = {m:g}" if m else f"{AT_MEANS}, m to 0"
        cases.append(
            case(name, "s where z turns negative", expected, last_s(m), digits=3, role="control", note=rounded)
        )
    for s in (1.0, 2.0):
        cases.append(case(f"{AT_MEANS}, s = {s:g}", "m where z turns negative", _closed_form(s), last_m(s), digits=10))
    peak = root(_rise, 2, 4)
    name = f"{AT_MEANS}, m = 0.1"
    cases += [
        case(name, "s of the largest z", 2.828, peak, digits=3, role="control", note=rounded),
        case(name, "largest z over s", 0.0533, z_at(peak, 0.1), digits=4, role="control", note=rounded),
    ]
    return cases


def _rise(s: float) -> float:
    """The derivative of z by s at m = 0.1."""
    at = torch.tensor(s, dtype=torch.float64, requires_grad=True)
    z = z_printed(torch.tensor(MEAN_F, dtype=torch.float64), MEAN_S, at, 0.1)
    return torch.autograd.grad(z, at)[0].item()


def _closed_form(s: float) -> float:
    """The m from which on z is negative: with a = e^(sf+m), z = 0 is a quadratic in a. For s = 1, 2 (log S - f)."""
    plain = math.exp(MEAN_F)
    # s a (e^f + S)^2 = e^f (a + S)^2
    half = MEAN_S - s * (plain + MEAN_S) ** 2 / (2 * plain)
    return math.log(-half + math.sqrt(half**2 - MEAN_S**2)) - s * MEAN_F
