"""Time two functions in turn and print seconds and their ratio."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median


def compare(first: tuple[str, Callable[[], object]], second: tuple[str, Callable[[], object]], rounds: int = 5) -> None:
    """Run both once to warm up, then ``rounds`` times in turn; print medians and the median ratio."""
    seconds: dict[str, list[float]] = {first[0]: [], second[0]: []}
    for turn in range(rounds + 1):
        for name, run in (first, second):
            start = time.perf_counter()
            run()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    for name, times in seconds.items():
        print(f"{name:40s} {median(times):8.3f} s  ({min(times):.3f} to {max(times):.3f})")
    ratios = [a / b for a, b in zip(*seconds.values(), strict=True)]
    print(f"{first[0]} / {second[0]}: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
