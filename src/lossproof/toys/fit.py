"""Train the networks of several toys under one training, in one batch, and measure their boundaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from lossproof.catalogue import load
from lossproof.records import SCHEMA_VERSION
from lossproof.toys.boundary import measure, network_at
from lossproof.toys.heads import logits_of
from lossproof.toys.networks import Criterion, initial_weights, snapshot_epochs, train
from lossproof.toys.points import PointSet

MEASURED_EPOCHS = (100, 1000, 10_000)


def fit_toys(
    toys: Mapping[str, Mapping[str, Any]],
    criterion: Criterion,
    *,
    training: str,
    head: str = "linear",
    seeds: Sequence[int] = tuple(range(10)),
    hidden: int = 20,
    epochs: int = 10_000,
    learning_rate: float = 0.01,
    measured: Iterable[int] = MEASURED_EPOCHS,
    device: torch.device | str = "cpu",
) -> dict[str, tuple[dict[str, np.ndarray], dict[str, Any]]]:
    """Per toy: the arrays of ``networks.npz`` and the ``record.json``.

    ``toys``: id -> {"family": name in the catalogue, "parameters": {...}}; all must have equally many
    points. Every toy gets one network per seed, and equal seeds start from equal weights. The measures
    of ``boundary.measure`` are taken at the ``measured`` epochs that are within reach, and at the last.
    ``head``: one of ``heads.HEADS``; what the criterion and the confidences see of the last layer.

    Raises ValueError where the toys cannot be stacked, or for a head that toy networks do not have.
    """
    deployed = logits_of(head)
    sets: dict[str, PointSet] = {
        name: load("toys", toy["family"])(**toy.get("parameters", {})) for name, toy in toys.items()
    }
    if len({len(points) for points, _, _ in sets.values()}) != 1:
        raise ValueError(f"toys of one batch need equally many points: { {n: len(s.points) for n, s in sets.items()} }")
    points, labels, kept = (
        np.repeat(np.stack(parts), len(seeds), axis=0) for parts in zip(*sets.values(), strict=True)
    )
    looked_at = sorted({epoch for epoch in measured if epoch <= epochs} | {epochs})
    history = train(
        points,
        labels,
        kept,
        initial_weights(seeds, hidden).repeat(len(sets)),
        lambda logits, targets: criterion(deployed(logits), targets),
        epochs=epochs,
        learning_rate=learning_rate,
        snapshots=snapshot_epochs(epochs, looked_at),
        device=device,
    )

    results = {}
    for position, (name, point_set) in enumerate(sets.items()):
        own = slice(position * len(seeds), (position + 1) * len(seeds))
        arrays = {
            "points": point_set.points,
            "labels": point_set.labels,
            "kept": point_set.kept,
            "epochs": history.epochs,
            **{part: getattr(history, part)[:, own] for part in ("w1", "b1", "w2", "b2", "loss", "accuracy")},
        }
        if head != "linear":
            arrays["head"] = np.array(head)
        family = str(toys[name]["family"])
        measures = [
            {"seed": seed, "epoch": epoch, "quantity": quantity, "value": value}
            for epoch in looked_at
            for column, seed in enumerate(seeds)
            for quantity, value in measure(network_at(arrays, epoch, column), *point_set, family).items()
        ]
        settings: dict[str, Any] = {
            "family": family,
            "parameters": dict(toys[name].get("parameters", {})),
            "hidden": hidden,
            "epochs": epochs,
            "learning_rate": learning_rate,
            "optimiser": "adam, full batch",
            "seeds": list(seeds),
        }
        settings |= {"head": head} if head != "linear" else {}
        record = {
            "schema": SCHEMA_VERSION,
            "kind": "toy",
            "toy": name,
            "training": training,
            "settings": settings,
            "seeds": len(seeds),
            "measures": measures,
        }
        results[name] = (arrays, record)
    return results
