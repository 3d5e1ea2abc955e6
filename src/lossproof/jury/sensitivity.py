"""How far a network's logits are apart for clean images, and how fast an image changes that (`pc`, eq. 14)."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lossproof.models.classifier import Classifier
from lossproof.progress import track
from lossproof.seeding import seed_of
from lossproof.training.evaluate import pixels
from lossproof.training.feeding import BATCH, Feed, fitting


def sensitivity(model: Classifier, feed: Feed, *names: object) -> dict[str, np.ndarray]:
    """Arrays [N] of a feed's images, gradients by pixels in [0, 1].

    * ``label`` and ``prediction`` int64; ``rival`` int64, the class of the largest false logit;
    * ``gap`` float32: the true logit less that one, below 0 where the network is wrong;
    * ``gradient_l1`` and ``gradient_l2`` float32: norms of the gap's gradient;
    * ``ce_gradient_l2`` float32 and ``ce_gradient_zero`` bool: norm of the gradient of cross entropy, and whether it is
      exactly zero, so that attacks on cross entropy cannot begin.

    The model is in evaluation mode, its parameters frozen. All is of one pass, whose draws (a defence may make some)
    follow from ``names``. Needs two classes.
    """
    torch.manual_seed(seed_of("sensitivity", *names))
    size = fitting(BATCH, feed.shape)
    batches = track(feed.batches(size), ceil(len(feed) / size), "/".join(map(str, ("sensitivity", *names))))
    parts = [_of_batch(model, pixels(images), labels) for images, labels in batches]
    return {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}


def _of_batch(model: Classifier, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    images = images.requires_grad_()
    logits = model(images).float()
    true = labels[:, None]
    largest = logits.scatter(1, true, -torch.inf).max(1)
    gap = logits.gather(1, true)[:, 0] - largest.values
    (by_gap,) = torch.autograd.grad(gap.sum(), images, retain_graph=True)
    (by_ce,) = torch.autograd.grad(F.cross_entropy(logits, labels, reduction="sum"), images)
    found = {
        "label": labels,
        "prediction": logits.argmax(1),
        "rival": largest.indices,
        "gap": gap.detach(),
        "gradient_l1": by_gap.flatten(1).norm(p=1, dim=1),
        "gradient_l2": by_gap.flatten(1).norm(dim=1),
        "ce_gradient_l2": by_ce.flatten(1).norm(dim=1),
        "ce_gradient_zero": ~by_ce.flatten(1).any(1),
    }
    return {name: value.cpu() for name, value in found.items()}


def summary(found: dict[str, np.ndarray]) -> dict[str, Any]:
    """Accuracy and the share of gradients of cross entropy that are exactly zero, both in percent, and medians.

    None where a median is not finite.
    """
    medians = {
        f"median_{name}": float(np.median(found[name]))
        for name in ("gap", "gradient_l1", "gradient_l2", "ce_gradient_l2")
    }
    return {
        "accuracy": 100 * float((found["prediction"] == found["label"]).mean()),
        "zero_ce_gradients": 100 * float(found["ce_gradient_zero"].mean()),
        **{name: value if np.isfinite(value) else None for name, value in medians.items()},
    }
