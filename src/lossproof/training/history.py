"""What is kept of every epoch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
QUANTILE_NAMES = tuple(f"q{round(100 * q):02d}" for q in QUANTILES)
COLUMNS = (
    "epoch",
    "phase",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "test_accuracy",
    "held_out_accuracy",
    "norm",
    *QUANTILE_NAMES,
)


def last_layer(weight: Tensor) -> dict[str, float]:
    """Euclidean norm and quantiles of the last layer's weights [K, d]."""
    flat = weight.detach().cpu().double().flatten()  # on the CPU: MPS has no float64
    levels = torch.tensor(QUANTILES, dtype=torch.float64)
    summary = dict(zip(QUANTILE_NAMES, torch.quantile(flat, levels).tolist(), strict=True))
    return {"norm": flat.norm().item()} | summary


def epoch_row(epoch: int, phase: int, weight: Tensor, **figures: float | None) -> dict[str, Any]:
    """One row of ``history.csv``; epochs and phases count from 1.

    ``train_accuracy`` is the running one, in training mode, in percent.
    """
    return {"epoch": epoch, "phase": phase} | figures | last_layer(weight)
