"""Accuracies and gains of the jury as words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Numbers = Mapping[str, Any] | None


def _with_interval(value: float | None, low: float | None, high: float | None, sign: str) -> str:
    if value is None:
        return ""
    interval = "" if low is None or high is None else f" [{low:.1f}, {high:.1f}]"
    return _minus(f"{value:{sign}.1f}{interval}")


def _minus(text: str) -> str:
    """With the sign of numbers, as in the sentences of the jury's rule."""
    return text.replace("-", "−")


def signed(points: float) -> str:
    """'+12.5'"""
    return _minus(f"{points:+.1f}")


def accuracy_in_words(numbers: Numbers) -> str:
    """'43.2 [31.0, 56.1]'; '' where there is none."""
    found = numbers or {}
    return _with_interval(found.get("accuracy"), found.get("low"), found.get("high"), "")


def gain_in_words(numbers: Numbers) -> str:
    """'+12.5 [3.1, 21.9]'; '' where there is none."""
    found = numbers or {}
    return _with_interval(found.get("gain"), found.get("gain_low"), found.get("gain_high"), "+")
