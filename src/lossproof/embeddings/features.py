"""The features of a network for some images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lossproof.models.classifier import Classifier
from lossproof.seeding import seed_of
from lossproof.training.evaluate import pixels
from lossproof.training.feeding import Feed


@torch.no_grad()
def embed(model: Classifier, feed: Feed, *names: object) -> dict[str, np.ndarray]:
    """Features float32 [N, d] (the head's input), ``labels`` and ``predictions`` int64 [N] of a feed's images.

    The model is in evaluation mode. Features and predictions are of one pass, whose draws (a defence may make some)
    follow from ``names``.
    """
    torch.manual_seed(seed_of("embedding", *names))
    features, predictions = [], []
    for images, _ in feed.batches():
        placed = place(model, pixels(images))
        features.append(placed[0])
        predictions.append(placed[1])
    return {
        "features": np.concatenate(features),
        "labels": feed.labels.cpu().numpy().astype(np.int64),
        "predictions": np.concatenate(predictions),
    }


@torch.no_grad()
def place(model: Classifier, images: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 [n, d] and predictions int64 [n] of images [n, C, H, W] with pixels in [0, 1], in one pass."""
    found = model.features(images)
    return found.float().cpu().numpy(), model.head(found).argmax(1).cpu().numpy()
