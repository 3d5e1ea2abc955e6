"""Predictions of a classifier on a split."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def pixels(images: Tensor) -> Tensor:
    """uint8 images as float32 in [0, 1]."""
    return images.float().div_(255)


@torch.no_grad()
def predictions(model: nn.Module, images: Tensor, batch_size: int = 512) -> Tensor:
    """Predicted classes [N] of uint8 images [N, C, H, W], in evaluation mode; the mode is restored."""
    was_training = model.training
    model.eval()
    found = torch.cat([model(pixels(batch)).argmax(1) for batch in images.split(batch_size)])
    model.train(was_training)
    return found


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Accuracy in percent."""
    return 100.0 * (predictions(model, images) == labels).cpu().double().mean().item()


def on_device(array: np.ndarray, device: torch.device) -> Tensor:
    """An array as a tensor on the device."""
    return torch.from_numpy(array).to(device)
