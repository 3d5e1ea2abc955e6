"""Predictions of a classifier on a split."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lossproof.training.feeding import Feed


def pixels(images: Tensor) -> Tensor:
    """uint8 images as float32 in [0, 1]."""
    return images.float().div_(255)


@torch.no_grad()
def predictions(model: nn.Module, feed: Feed, batch_size: int | None = None) -> Tensor:
    """Predicted classes [N] of a feed's images, in evaluation mode; the mode is restored."""
    was_training = model.training
    model.eval()
    found = torch.cat([model(pixels(images)).argmax(1) for images, _ in feed.batches(batch_size)])
    model.train(was_training)
    return found


def accuracy(model: nn.Module, feed: Feed) -> float:
    """Accuracy in percent."""
    return 100.0 * (predictions(model, feed) == feed.labels).cpu().double().mean().item()
