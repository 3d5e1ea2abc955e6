"""Features of attacked images that a network is fooled by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossproof.attacks import budgets
from lossproof.attacks.losses import AttackLoss
from lossproof.attacks.protocol import crafted
from lossproof.attacks.seeded import seeded
from lossproof.embeddings.features import place
from lossproof.models.classifier import Classifier
from lossproof.training.feeding import BATCH, Feed

Arrays = dict[str, np.ndarray]


def attacked(
    model: Classifier,
    feed: Feed,
    clean: Arrays,
    plan: Mapping[str, Any],
    names: tuple[object, ...],
    batch_size: int = BATCH,
    criterion: AttackLoss | None = None,
) -> Arrays:
    """Attack a feed's images, under every budget of ``plan`` (see ``attacks.protocol.resolve``).

    clean: what ``features.embed`` found for the feed, with ``index`` [N]; names: what every draw follows from.
    Gives of the images that fool the network, M over all budgets in their order: ``features`` float32 [M, d],
    ``labels``, ``predictions`` (of the same pass), ``rows`` (which of the feed) and ``index`` int64 [M], ``epsilon``
    float64 [M]. An image fools the network where its clean prediction is right, that of the attacked image is wrong
    and the attacked image admissible.
    """
    known = budgets.of_plan(plan, feed.shape)
    placed: list[list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = [[] for _ in known]
    batches = crafted(model, [feed], plan, names, batch_size, criterion, "/".join(map(str, names)))
    for number, (made, outcomes) in enumerate(batches):
        for part, images, outcome in zip(placed, made.images, outcomes, strict=True):
            with seeded(images.device, "place", *names, number):
                part.append((*place(model, images), outcome.valid))
    right = clean["predictions"] == clean["labels"]
    found: list[Arrays] = []
    for part, budget in zip(placed, known, strict=True):
        features, predictions, valid = (np.concatenate(arrays) for arrays in zip(*part, strict=True))
        rows = np.flatnonzero(right & valid & (predictions != clean["labels"]))
        here = {"features": features[rows], "predictions": predictions[rows], "rows": rows}
        here |= {name: clean[name][rows] for name in ("labels", "index")}
        found.append(here | {"epsilon": np.full(len(rows), budget.value)})
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}
