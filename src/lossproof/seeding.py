"""Seeds derived from names, so that equal runs draw equal numbers wherever they run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def seed_of(*names: object) -> int:
    """A 63-bit seed from the parts of a run's name, e.g. ``seed_of("train", "digits", "ce", 0)``."""
    digest = hashlib.sha256("/".join(str(name) for name in names).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def numpy_generator(*names: object) -> np.random.Generator:
    """A NumPy generator of its own for the named draw."""
    return np.random.default_rng(seed_of(*names))


def torch_generator(*names: object, device: str = "cpu") -> torch.Generator:
    """A torch generator of its own for the named draw."""
    import torch

    return torch.Generator(device=device).manual_seed(seed_of(*names))
