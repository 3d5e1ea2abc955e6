"""Progress of one download: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from typing import Any

from lossproof.progress import LOG_EVERY_SECONDS

MEGA = 1e6


class Lines:
    """What pooch wants of a progress bar, as a line every few seconds on standard error."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.total = 0  # bytes, set by pooch; 0 where the server does not say
        self.done = 0
        self.start = self.last = time.monotonic()

    def update(self, count: int) -> None:
        """``count`` bytes more."""
        self.done += count
        now = time.monotonic()
        if now - self.last < LOG_EVERY_SECONDS:
            return
        self.last = now
        rate = self.done / max(now - self.start, 1e-9)
        said = f"{self.label}: {self.done / MEGA:.1f} MB, {rate / MEGA:.2f} MB/s"
        if self.total > self.done:
            said += f", {100 * self.done / self.total:.0f} %, {(self.total - self.done) / rate:.0f} s left"
        print(said, file=sys.stderr, flush=True)

    def reset(self) -> None:
        """Count anew: pooch does so at the end, to show the full size."""
        self.done = 0

    def close(self) -> None:
        """Nothing to tidy."""


def bar(label: str) -> Any:
    """A progress bar for ``pooch.HTTPDownloader``."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        # Without a total a bar has no truth value, and pooch asks for it.
        return tqdm(total=1, desc=label, unit="B", unit_scale=True)
    return Lines(label)
