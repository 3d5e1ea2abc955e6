"""What tests need of the network, and what becomes of them without it."""

from __future__ import annotations

import os

import pytest

# 1: fail where packages are out of reach; 0: leave out what downloads most; else skip.
NEEDED = os.environ.get("LOSSPROOF_NEEDS_ENVIRONMENTS", "")


def out_of_reach(why: str) -> None:
    """End a test that gets no packages: it is skipped, or fails where LOSSPROOF_NEEDS_ENVIRONMENTS=1."""
    (pytest.fail if NEEDED == "1" else pytest.skip)(why)
