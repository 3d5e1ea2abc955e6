"""Budgets and step sizes as papers print them: '8/255', '0.03', a step 'epsilon/10'."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

PIXEL_LEVEL = 1 / 255
# A budget or step as a schema has it: a fraction such as 8/255, or a decimal.
PATTERN = "^[0-9]+([.][0-9]+)?(/[0-9]+)?$"
# A budget that may be none, of a method that looks for the nearest adversarial image.
UNBOUNDED = "unbounded"
FREE_PATTERN = "^(unbounded|[0-9]+([.][0-9]+)?(/[0-9]+)?)$"
# A step that may be a share of each budget too: epsilon over a number of at least 1.
STEP_PATTERN = "^([0-9]+([.][0-9]+)?(/[0-9]+)?|epsilon/[1-9][0-9]*([.][0-9]+)?)$"
SHARE = "epsilon/"


def parse(text: str | int | float) -> float:
    """A fraction or decimal as a float: ``parse("8/255") == 8 / 255``.

    Raises ValueError for anything else, and for negative or infinite values.
    """
    try:
        if isinstance(text, bool):
            raise TypeError("a truth value")
        value = float(Fraction(text))
    except (ValueError, TypeError, ZeroDivisionError, OverflowError) as error:
        raise ValueError(f"{text!r} is neither a fraction such as '8/255' nor a decimal") from error
    if value < 0 or not math.isfinite(value):
        raise ValueError(f"{text!r}: a budget or step is at least 0")
    return value


def parse_list(given: str | float | Sequence[str | float], pattern: str = PATTERN) -> tuple[list[str], list[float]]:
    """One budget or a list of budgets, as (texts, values); ValueError where the list is empty or repeats a value.

    pattern: of one budget in the method's schema; where that allows it, 'unbounded' is infinity.
    """
    items = [given] if isinstance(given, str | int | float) else list(given)
    free = pattern == FREE_PATTERN
    values = [math.inf if free and item == UNBOUNDED else parse(item) for item in items]
    if not values or len(set(values)) < len(values):
        raise ValueError(f"{given!r}: needs at least one budget, and each only once")
    return [str(item) for item in items], values


def step_size(given: str | float | None, epsilon: float, steps: int) -> float:
    """The step in pixels; None = max(1/255, 2.5 epsilon / steps), so that the ball's edge is reachable (sp SP-A14).

    'epsilon/10' is that share of the budget. ValueError as ``parse``, and for an epsilon over less than 1.
    """
    if given is None:
        return max(PIXEL_LEVEL, 2.5 * epsilon / max(steps, 1))
    if not isinstance(given, str) or not given.startswith(SHARE):
        return parse(given)
    number = parse(given.removeprefix(SHARE))
    if number < 1:
        raise ValueError(f"{given!r}: a step is epsilon over a number of at least 1")
    return epsilon / number
