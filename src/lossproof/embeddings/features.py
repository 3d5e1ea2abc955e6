"""The features of a network for some images."""

from __future__ import annotations

import numpy as np
import torch

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
        found = model.features(pixels(images))
        features.append(found.float().cpu())
        predictions.append(model.head(found).argmax(1).cpu())
    return {
        "features": torch.cat(features).numpy(),
        "labels": feed.labels.cpu().numpy().astype(np.int64),
        "predictions": torch.cat(predictions).numpy(),
    }
