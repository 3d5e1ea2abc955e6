"""The result of checking a statement: its cases and the verdict that follows from them."""

from __future__ import annotations

import math
from typing import Any

MOST_DIGITS = 15  # what float64 can tell


def case(
    name: str,
    quantity: str,
    expected: float,
    measured: float,
    *,
    digits: int = 8,
    role: str = "check",
    note: str = "",
) -> dict[str, Any]:
    """One prediction of a statement beside its measurement.

    ``expected`` is what the statement predicts, in a counterexample too, and ``holds`` says whether the
    measurement meets it to ``digits`` decimal places (``required``); the record's ``digits`` are the
    decimal places to which the two do agree, 15 at the most. Roles: ``check`` (inside the statement's premises),
    ``counterexample`` (a case that the statement as printed covers, where it is expected to fail) and
    ``control`` (beside the statement: not counted in the verdict).
    """
    residual = float(measured) - float(expected)
    return {
        "case": name,
        "quantity": quantity,
        "expected": float(expected),
        "measured": float(measured),
        "residual": residual,
        "digits": MOST_DIGITS
        if residual == 0
        else min(MOST_DIGITS, max(0, math.floor(-math.log10(2 * abs(residual))))),
        "required": digits,
        "holds": abs(residual) <= 0.5 * 10**-digits,
        "role": role,
        "note": note,
    }


def statement(claim: str, cases: list[dict[str, Any]], condition: str = "") -> dict[str, Any]:
    """The record of a statement: "no" where a check fails, else "under a condition" where a counterexample
    does, else "yes"."""

    def fails(role: str) -> bool:
        return any(entry["role"] == role and not entry["holds"] for entry in cases)

    holds = "no" if fails("check") else "under a condition" if fails("counterexample") else "yes"
    return {"claim": claim, "holds": holds, "condition": condition, "cases": cases}
