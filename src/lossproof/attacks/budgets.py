"""What a printed budget comes to: the norm and radius of the ball in which an attack moves, and its step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lossproof.catalogue import catalogue
from lossproof.threats import epsilon

PER_STEP = "per_step"


@dataclass(frozen=True)
class Budget:
    """One budget of an attack; lengths in pixels of [0, 1] (L2: Euclidean length over the image)."""

    text: str  # epsilon as printed
    value: float  # the same as a number, infinite where nothing bounds the attack
    norm: str
    radius: float
    step: float | None  # None for a method without a step of its own


def read(reading: str, value: float, steps: int, numbers: int, step: float | None = None) -> tuple[str, float, float]:
    """(norm, radius, step) of PGD where a paper prints an epsilon beside "L2" and not what it measures (isce IS-A2).

    reading: 'radius' of the L2 ball; 'rms', the root mean square over the ``numbers`` = C x H x W of an image, so
    an L2 ball of radius epsilon sqrt(numbers); 'linf', radius of the L-inf ball; or the length of each of the
    ``steps``, which then end in a ball that bounds nothing: 'per_step' (L2), 'per_step_rms' (L2, epsilon
    sqrt(numbers)), 'per_step_sign' (sign steps). step: None = 2.5 radius / steps (IS-A3).
    ValueError for a step beside a reading that is the step.
    """
    norm = "linf" if reading in ("linf", "per_step_sign") else "l2"
    size = value * math.sqrt(numbers) if reading.endswith("rms") else value
    if not reading.startswith(PER_STEP):
        return norm, size, 2.5 * size / steps if step is None else step
    if step is not None:
        raise ValueError(f"step_size: found {step}; with reading '{reading}' epsilon is the step, so it must be null")
    return norm, steps * size, size


def starts_at_random(reading: str, asked: bool | None) -> bool:
    """Whether PGD starts at a random point (None = where the reading has a ball); ValueError where it has none."""
    if reading.startswith(PER_STEP) and asked:
        raise ValueError(f"random_start: found true; reading '{reading}' has no ball to start in, so false or null")
    return not reading.startswith(PER_STEP) if asked is None else asked


def of_plan(plan: Mapping[str, Any], shape: Sequence[int]) -> list[Budget]:
    """The budgets of resolved attack settings for images of ``shape`` (C, H, W); ValueError as ``read``."""
    found = []
    pattern = catalogue("attacks")[plan["method"]].parameters["epsilon"]["pattern"]
    for text, value in zip(*epsilon.parse_list(plan["epsilon"], pattern), strict=True):
        norm, radius, step = plan["norm"], value, None
        if "reading" in plan:
            given = None if plan["step_size"] is None else epsilon.parse(plan["step_size"])
            norm, radius, step = read(plan["reading"], value, plan["steps"], math.prod(shape), given)
        elif "step_size" in plan:
            step = epsilon.step_size(plan["step_size"], value, plan["steps"])
        elif plan["method"] == "fgsm":
            step = value
        found.append(Budget(text, value, norm, radius, step))
    return found
