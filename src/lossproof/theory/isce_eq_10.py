"""isce, eq. 10: when the inference softmax gives the marked class more than the ordinary softmax."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lossproof.seeding import torch_generator
from lossproof.theory.cases import case, statement
from lossproof.theory.inference_softmax import gain

CATALOGUE = {"isce_eq_10": {"build": "check", "parameters": {}}}

DRAWS = 20_000


def check() -> dict[str, Any]:
    """The sign of ``h = P_I - P`` on random logits against the conditions that the paper derives (isce, eq. 10)."""
    generator = torch_generator("theory", "isce_eq_10")

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(DRAWS, generator=generator, dtype=torch.float64)

    cases = []
    for num_classes in (2, 10):
        logits = 3 * torch.randn(DRAWS, num_classes, generator=generator, dtype=torch.float64)
        f, rest = logits[:, 0], logits[:, 1:].logsumexp(1)
        # s below 1 and m below 0 too, so that both signs occur.
        s, m = uniform(0, 3), uniform(-1, 1)
        above = gain(f, rest, s, m) > 0
        name = f"{DRAWS} draws, K = {num_classes}"
        share = "share of draws where it has the sign of h"
        cases += [
            case(f"{name}: e^(sf+m) > e^f", share, 1, _share(((s * f + m).exp() > f.exp()) == above)),
            case(f"{name}: (s-1) f + m > 0", share, 1, _share(((s - 1) * f + m > 0) == above)),
        ]
        last = (s > (f - m) / f) == above
        cases += [
            case(f"{name}: s > (f-m) / f where f > 0", share, 1, _share(last[f > 0])),
            case(
                f"{name}: s > (f-m) / f where f < 0",
                share,
                1,
                _share(last[f < 0]),
                role="counterexample",
                note="the last step divides by f, which turns the inequality round where f is negative",
            ),
            case(
                f"{name}: s < (f-m) / f where f < 0",
                share,
                1,
                _share(((s < (f - m) / f) == above)[f < 0]),
                note="turned round it holds",
            ),
            case(
                f"{name}: e^(sf+m) > 1",
                share,
                1,
                _share(((s * f + m).exp() > 1) == above),
                role="control",
                note="a line of the journal's chain lacks the divisor e^f; its conference version has it",
            ),
        ]
    return statement(
        "The inference softmax exceeds the softmax, h = P_I - P > 0, if and only if (s-1) f + m > 0, "
        "that is s > (f-m) / f.",
        cases,
        "The last form needs f > 0; the others hold for every f.",
    )


def _share(right: Tensor) -> float:
    return right.double().mean().item()
