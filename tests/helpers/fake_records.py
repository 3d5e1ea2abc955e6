"""Files of models and attacks as their steps would leave them, with invented outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lossproof.exhibits.context import Context
from lossproof.paths import Paths, Run
from lossproof.records import write_json, write_npz


def context(root: Path, seeds: int = 2, stand_ins: dict[str, str | None] | None = None, **splits: list[str]) -> Context:
    """What a collecting step is told, with results below ``root``."""
    return Context(root, Paths("e"), "isce", "x", stand_ins or {"mnist": "mnist", "cifar10": "cifar10"}, seeds, splits)


def predicted(context: Context, run: Run, seed: int, right: int, images: int = 20) -> None:
    """A model that gets the first ``right`` of its images right, of either split."""
    labels = np.arange(images) % 10
    guess = np.where(np.arange(images) < right, labels, (labels + 1) % 10)
    arrays = {f"{split}_{part}": value for split in ("train", "test") for part, value in
              (("prediction", guess), ("label", labels))}  # fmt: skip
    write_npz(context.root / context.paths.model(run, seed, "predictions.npz"), arrays)


def attacked(
    context: Context, run: Run, seed: int, attack: str, settings: dict[str, Any], right: int, images: int = 20
) -> None:
    """A record of an attack after which the first ``right`` test images are right."""
    labels = np.arange(images) % 10
    after = np.where(np.arange(images) < right, labels, (labels + 1) % 10)
    record = {"attack": settings, "results": [{"epsilon": "0.02", "epsilon_value": 0.02}]}
    write_json(context.root / context.paths.attack(run, seed, "test", attack), record)
    arrays = {"index": np.arange(images), "clean": labels, "label": labels, "adversarial": after[None]}
    write_npz(context.root / context.paths.attack(run, seed, "test", attack, "npz"), arrays)


def sensitive(context: Context, run: Run, seed: int, gap: np.ndarray, gradient: np.ndarray) -> None:
    """Gaps and gradients [N] of the first test images, the L2 norm half the L1 norm."""
    arrays = {"index": np.arange(len(gap)), "gap": gap, "gradient_l1": gradient, "gradient_l2": gradient / 2}
    write_json(context.root / context.paths.sensitivity(run, seed, "json"), {"n_images": len(gap)})
    write_npz(context.root / context.paths.sensitivity(run, seed, "npz"), arrays)
