"""isce, property 1: under z > 0 an attack takes more probability from the true class of the inference softmax."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from lossproof.seeding import torch_generator
from lossproof.theory.cases import case, statement
from lossproof.theory.inference_softmax import CLASSES, MEAN_F, MEAN_S, gain, marked, root, z_at, z_printed

CATALOGUE = {"isce_property_1": {"build": "check", "parameters": {}}}

EXCEEDS = "L_I exceeds L (1: yes)"
DRAWS, STEPS = 5000, 200


def check() -> dict[str, Any]:
    """``L_I = P_I(x) - P_I(x+d)`` against ``L = P(x) - P(x+d)`` on paths of the true logit (isce, property 1)."""
    return statement(
        "If z > 0, an attack lowers the true class's probability by more under the inference softmax than under "
        "the softmax: L_I > L.",
        [_on_the_whole_path(), *_thresholds(), _normalised(), *_reversals()],
        "z > 0 on the whole way from f(x+d) to f(x), not at one end only, and S unchanged by the attack. With s = 1 "
        "that means a true-class probability below 1 / (1 + e^(m/2)) (0.4875 for m = 0.1), so always for ten "
        "normalised logits.",
    )


def difference(f: float, attacked: float, s: float, m: float, total: float, total_attacked: float) -> float:
    """``L_I - L`` of an attack that moves the true logit and S."""
    at = torch.tensor([[f, total], [attacked, total_attacked]], dtype=torch.float64)
    return -gain(at[:, 0], at[:, 1].log(), s, m).diff().item()


def _on_the_whole_path() -> dict[str, Any]:
    """Random logits, attacks, s and m, of which those count where z > 0 on all of 200 steps of the way."""
    generator = torch_generator("theory", "isce_property_1")
    draw = torch.rand(5, DRAWS, generator=generator, dtype=torch.float64)
    f, attacked = (-2 + 5 * draw[:2]).sort(0, descending=True).values
    total, s, m = 0.5 + 15 * draw[2], 1 + 2 * draw[3], 0.001 + draw[4]
    share = torch.linspace(0, 1, STEPS, dtype=torch.float64)[:, None]
    premise = (z_printed(f + share * (attacked - f), total, s, m) > 0).all(0)
    rest = total.log()
    more = gain(f, rest, s, m) > gain(attacked, rest, s, m)
    return case(
        f"{int(premise.sum())} random attacks with z > 0 on the way and S fixed",
        "share where L_I exceeds L",
        1,
        _share(more[premise]),
    )


def _thresholds() -> list[dict[str, Any]]:
    """For s = 1 the gain depends on u = e^f / S alone, and grows up to u = e^(-m/2)."""
    cases = []
    for m in (0.01, 0.1, 0.5):
        for total in (1.0, 9.0):
            f = root(lambda f, m=m, total=total: z_at(1, m, f, total), -10, 10)  # type: ignore[misc]
            measured = marked(torch.tensor(f, dtype=torch.float64), torch.tensor(total).double().log()).item()
            name = f"s = 1, m = {m:g}, S = {total:g}"
            cases.append(case(name, "P at which z turns negative", 1 / (1 + math.exp(m / 2)), measured))
    cases.append(
        case(
            "s = 1, m = 0.1",
            "P at which z turns negative, rounded",
            0.4875,
            cases[2]["measured"],
            digits=4,
            role="control",
        )
    )
    return cases


def _normalised() -> dict[str, Any]:
    """With unit norm and ten classes the largest P is that of the simplex's corner, and below the threshold."""
    corner = math.sqrt(1 - 1 / CLASSES)
    largest = 1 / (1 + (CLASSES - 1) * math.exp(-corner / (CLASSES - 1) - corner))
    found = difference(MEAN_F, 0.3, 1, 0.1, MEAN_S, MEAN_S)
    return case(
        f"normalised logits: f from {MEAN_F:g} to 0.3, S = {MEAN_S:g}, s = 1, m = 0.1",
        "L_I - L",
        0.0063,
        found,
        digits=4,
        role="control",
        note=f"no normalised logits of ten classes reach a P above {largest:.4f}",
    )


def _reversals() -> list[dict[str, Any]]:
    """Attacks that the property as printed covers, each without one of the two premises that it needs."""
    far, near = 10.0, math.log(9)
    confident = difference(far, near, 1, 0.1, 9, 9)
    cases = [
        _reversal(
            "confident network: f from 10 to log 9, S = 9, s = 1, m = 0.1",
            confident,
            f"L_I - L = {confident:.4f}, although s and m are those for which z is said to be positive always; "
            f"here z = {z_at(1, 0.1, far, 9):.1e} and {z_at(1, 0.1, near, 9):.1e} at the two ends",
        ),
        case(
            "confident network: f from 10 to log 9, S = 9, s = 1, m = 0.1",
            "L_I - L",
            -0.0249,
            confident,
            digits=4,
            role="control",
        ),
        _at_one_end(far, 0.0, 1, 9, "after"),
        _at_one_end(-0.5, -8.0, 2, 9 / math.e, "before"),
    ]
    total, raised, s, m = 2.0, 4.0, 2.0, 0.1
    moved = difference(MEAN_F, MEAN_F, s, m, total, raised)
    smallest = min(z_at(s, m, MEAN_F, total + (raised - total) * step / STEPS) for step in range(STEPS + 1))
    note = f"z > 0 for every S on the way (smallest {smallest:.4f}), and L_I - L = {moved:.4f}"
    cases.append(_reversal("the attack raises S from 2 to 4, f = 0.97, s = 2, m = 0.1", moved, note))
    return cases


def _at_one_end(f: float, attacked: float, s: float, total: float, end: str) -> dict[str, Any]:
    """A reversal with z > 0 before or after the attack, but not on the whole way."""
    m = 0.1
    found = difference(f, attacked, s, m, total, total)
    before, after = z_at(s, m, f, total), z_at(s, m, attacked, total)
    if (before if end == "before" else after) <= 0:
        raise ArithmeticError(f"z is not above 0 {end} the attack: {before}, {after}")
    name = f"z > 0 {end} the attack only: f from {f:g} to {attacked:g}, S = {total:.3g}, s = {s:g}, m = {m:g}"
    return _reversal(name, found, f"z = {before:.1e} before, {after:.1e} after; L_I - L = {found:.4f}")


def _reversal(name: str, found: float, note: str) -> dict[str, Any]:
    return case(name, EXCEEDS, 1, float(found > 0), role="counterexample", note=note)


def _share(right: Tensor) -> float:
    return right.double().mean().item()
