"""Predictions of a classifier on a split."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from lossproof.training.feeding import Feed

TOP = 6  # classes whose order is kept


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


@torch.no_grad()
def confidence(model: nn.Module, feed: Feed) -> dict[str, np.ndarray]:
    """Of a feed's images: ``test_gap`` float32 [N] and ``test_top`` int16 [N, at most 6]; evaluation mode.

    The gap is the probability of the true class less the largest of the others, below 0 where the image is
    misclassified; top are the likeliest classes, the first first.
    """
    was_training = model.training
    model.eval()
    gaps, tops = [], []
    for images, labels in feed.batches():
        logits = model(pixels(images))
        probability = logits.softmax(1)
        own = labels[:, None]
        gaps.append((probability.gather(1, own)[:, 0] - probability.scatter(1, own, -1.0).amax(1)).cpu())
        tops.append(logits.topk(min(TOP, logits.shape[1]), dim=1).indices.cpu())
    model.train(was_training)
    return {"test_gap": torch.cat(gaps).numpy(), "test_top": torch.cat(tops).numpy().astype(np.int16)}


def accuracy(model: nn.Module, feed: Feed) -> float:
    """Accuracy in percent."""
    return 100.0 * (predictions(model, feed) == feed.labels).cpu().double().mean().item()
