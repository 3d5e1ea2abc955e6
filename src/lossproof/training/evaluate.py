"""Predictions of a classifier on a split."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lossproof.training.feeding import Feed

TOP = 6  # classes whose order is kept


def pixels(images: Tensor) -> Tensor:
    """uint8 images as float32 in [0, 1]."""
    return images.float().div_(255)


@torch.no_grad()
def logits(model: nn.Module, feed: Feed, batch_size: int | None = None) -> Tensor:
    """Logits [N, K] of a feed's images, in evaluation mode; the mode is restored."""
    was_training = model.training
    model.eval()
    found = torch.cat([model(pixels(images)) for images, _ in feed.batches(batch_size)])
    model.train(was_training)
    return found


def predictions(model: nn.Module, feed: Feed, batch_size: int | None = None) -> Tensor:
    """Predicted classes [N] of a feed's images, as ``logits``."""
    return logits(model, feed, batch_size).argmax(1)


def confidence(logits: Tensor, labels: Tensor) -> dict[str, np.ndarray]:
    """Of the test images' logits [N, K] and labels [N]: ``test_gap`` float32 [N], ``test_top`` int16 [N, at most 6].

    The gap is the probability of the true class less the largest of the others, below 0 where the image is
    misclassified; top are the likeliest classes, the first first.
    """
    probability = logits.softmax(1)
    own = labels[:, None]
    gaps = probability.gather(1, own)[:, 0] - probability.scatter(1, own, -1.0).amax(1)
    tops = logits.topk(min(TOP, logits.shape[1]), dim=1).indices
    return {"test_gap": gaps.cpu().numpy(), "test_top": tops.cpu().numpy().astype(np.int16)}


def kept_predictions(
    model: nn.Module, train: Feed, test: Feed, train_index: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What is kept of a finished network: arrays by split, and the figures that its record tells.

    train_index [N]: where the training images stand in their split. Accuracies are in percent.
    """
    found: dict[str, np.ndarray] = {"train_index": train_index, "test_index": np.arange(len(test))}
    scores = {"train": logits(model, train), "test": logits(model, test)}
    labels = {"train": train.labels, "test": test.labels}
    for split, score in scores.items():
        found[f"{split}_prediction"] = score.argmax(1).cpu().numpy().astype(np.int16)
        found[f"{split}_label"] = labels[split].cpu().numpy().astype(np.int16)
    found |= confidence(scores["test"], test.labels)
    accuracies = {
        f"{split}_accuracy": 100.0 * float(np.mean(found[f"{split}_prediction"] == found[f"{split}_label"]))
        for split in scores
    }
    return found, accuracies


def accuracy(model: nn.Module, feed: Feed) -> float:
    """Accuracy in percent."""
    return 100.0 * (predictions(model, feed) == feed.labels).cpu().double().mean().item()
