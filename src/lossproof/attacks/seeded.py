"""Seeds for models that draw at each pass, as random resizing does, from torch's global generators."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from lossproof.seeding import seed_of


@contextlib.contextmanager
def seeded(device: torch.device, *names: object) -> Iterator[None]:
    """The global generators (of the CPU and of ``device``) seeded by names in the block, as before after it."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed_of(*names))
        yield
