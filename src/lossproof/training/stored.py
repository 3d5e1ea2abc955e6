"""A trained classifier from its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from lossproof.datasets.prepared import Prepared
from lossproof.models.classifier import Classifier
from lossproof.training.loop import new_model


def load_model(path: Path, settings: dict[str, Any], data: Prepared, device: torch.device) -> Classifier:
    """The classifier of a run's settings with stored weights, in evaluation mode, parameters frozen."""
    model = new_model(settings, data)
    model.load_state_dict(load_file(path))
    return model.to(device).eval().requires_grad_(False)
