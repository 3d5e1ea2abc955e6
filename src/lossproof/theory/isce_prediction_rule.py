"""isce, prediction: s and m applied to the class that is predicted anyway."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from lossproof.seeding import torch_generator
from lossproof.theory.cases import case, statement
from lossproof.theory.inference_softmax import CLASSES

CATALOGUE = {"isce_prediction_rule": {"build": "check", "parameters": {}}}

DRAWS = 20_000


def marked_logits(logits: Tensor, s: float, m: float) -> Tensor:
    """``s f + m`` for the class with the largest logit, the others as they are: [B, K] -> [B, K]."""
    top = logits.argmax(1, keepdim=True)
    return logits.scatter(1, top, s * logits.gather(1, top) + m)


def check() -> dict[str, Any]:
    """The decision before and after the largest logit is marked (isce, prediction)."""
    generator = torch_generator("theory", "isce_prediction_rule")
    logits = torch.randn(DRAWS, CLASSES, generator=generator, dtype=torch.float64)
    unit = torch.nn.functional.normalize(logits, dim=1)
    share = "share of decisions unchanged"
    cases = []
    for s, m in ((1.0, 0.1), (1.0, 0.001), (1.5, 0.1), (2.0, 0.05)):
        for name, values in (("logits", 3 * logits - 4), ("normalised logits", unit)):
            premise = (s - 1) * values.amax(1) + m >= 0
            same = marked_logits(values, s, m).argmax(1) == values.argmax(1)
            which = "all" if bool(premise.all()) else "those with (s-1) f + m >= 0"
            cases.append(case(f"{DRAWS} {name}, s = {s:g}, m = {m:g}: {which}", share, 1, _share(same[premise])))
    cases += _largest_is_negative()
    return statement(
        "Marking the predicted class with s and m leaves the decision as it is.",
        cases,
        "(s-1) f + m >= 0 for the largest logit f, as always for s = 1; for s > 1 not where every logit is below "
        "-m / (s-1).",
    )


def _largest_is_negative() -> list[dict[str, Any]]:
    """Ten logits of unit norm, the largest -0.10 and the next -0.12, marked with s = 2 and m = 0.05."""
    first, second = -0.10, -0.12
    others = -math.sqrt((1 - first**2 - second**2) / (CLASSES - 2))
    logits = torch.tensor([[first, second, *[others] * (CLASSES - 2)]], dtype=torch.float64)
    marked = marked_logits(logits, 2.0, 0.05)
    name = "normalised logits -0.10, -0.12 and eight equal ones, s = 2, m = 0.05"
    return [
        case(name, "logit of the predicted class, marked", -0.15, marked[0, 0].item(), role="control"),
        case(
            name,
            "decision unchanged (1: yes)",
            1,
            float(marked.argmax().item() == 0),
            role="counterexample",
            note="the marked logit drops below the second",
        ),
    ]


def _share(right: Tensor) -> float:
    return right.double().mean().item()
