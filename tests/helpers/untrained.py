"""Untrained networks on noise, where only what a step does with them matters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from editions import edition, load
from lossproof.datasets import prepared
from lossproof.settings.resolved import run_settings
from lossproof.training.loop import new_model


def untrained(folder: Path) -> dict[str, Any]:
    """Put a prepared set of noise and two untrained networks that draw a transform at each call into a folder.

    Returns the settings of their run."""
    generator = np.random.default_rng(0)
    parts = [generator.integers(0, 256, (60, 1, 28, 28), np.uint8), np.arange(60) % 10] * 2
    card = {"name": "noise", "channels": 1, "image_size": 28, "classes": [str(at) for at in range(10)]}
    data = prepared.Prepared(*parts, card=card)
    prepared.save(folder / "results/e/datasets/digits_gray", data)
    settings = run_settings(load(edition("test")), "digits_gray", "cnn2", "random")
    for seed in (0, 1):
        torch.manual_seed(seed)
        path = folder / f"results/e/models/digits_gray/cnn2/random/seed{seed}/model.safetensors"
        path.parent.mkdir(parents=True)
        save_file(new_model(settings, data).state_dict(), path)
    return settings
