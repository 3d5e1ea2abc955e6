"""Progress of long work: a bar on a terminal, a plain line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
LOG_EVERY_SECONDS = 10.0


def track(items: Iterable[Item], total: int, label: str) -> Iterator[Item]:
    """Yield ``items`` and show how far, how fast and how long still, on standard error."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, total=total, desc=label)
        return
    start = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= LOG_EVERY_SECONDS or done == total:
            rate = done / max(now - start, 1e-9)
            left = (total - done) / rate
            print(f"{label}: {done}/{total}, {rate:.2f}/s, {left:.0f} s left", file=sys.stderr, flush=True)
            last = now
