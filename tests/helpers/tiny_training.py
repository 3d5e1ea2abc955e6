"""A training of seconds: three classes of small images, a small network, and its interruption."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from lossproof.datasets.prepared import Prepared
from lossproof.training import loop
from lossproof.training.loop import fit

CPU = torch.device("cpu")


CE = {"name": "ce", "parameters": {}}


SP = {"name": "sp_focal", "parameters": {"alpha": 0.25, "gamma": 2, "eta": 0.03, "regulariser": "true_class"}}


def tiny(size: int = 8, channels: int = 1, train: int = 60, noise: float = 40.0) -> Prepared:
    """Three classes that differ in where the image is bright."""
    rng = np.random.default_rng(0)
    labels = np.arange(train + 30) % 3
    images = rng.normal(60, noise, (len(labels), channels, size, size))
    third = size // 3
    for label in range(3):
        images[labels == label, :, :, label * third : (label + 1) * third] += 80
    images = np.clip(images, 0, 255).astype(np.uint8)
    card = {"name": "tiny", "channels": channels, "image_size": size, "classes": ["a", "b", "c"]}
    return Prepared(images[:train], labels[:train], images[train:], labels[train:], card)


DATA = tiny()


def told(**more):
    settings = {
        "dataset": "tiny",
        "arch": "mlp2",
        "training": "ce",
        "model": {"width": 0.2, "normalise": False},
        "criterion": CE,
        "optimiser": {
            "name": "adam",
            "learning_rate": 0.01,
            "betas": [0.9, 0.999],
            "schedule": "constant",
            "weight_decay": 0.0,
        },
        "epochs": 4,
        "batch_size": 16,
        "augmentation": "none",
        "precision": "fp32",
        "compile": False,
        "selection": "last",
        "held_out_share": 0.25,
    }
    optimiser = settings["optimiser"] | {key: more.pop(key) for key in list(more) if key in settings["optimiser"]}
    return copy.deepcopy(settings | {"optimiser": optimiser} | more)


def same(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(one[key], other[key]) for key in one)


def equal(one, other):
    """Whether two trainings left the same bytes."""
    return (
        same(one.state, other.state)
        and one.history == other.history
        and one.figures == other.figures
        and all((one.predictions[key] == other.predictions[key]).all() for key in one.predictions)
    )


class JobEndedError(Exception):
    """Stands for whatever ends a job."""


def interrupt_in_batch(monkeypatch, number):
    """Raise in the given batch, counted over all epochs; the way training really ends: amid an epoch."""
    real, calls = loop.augment, []

    def counting(*args):
        calls.append(1)
        if len(calls) == number:
            raise JobEndedError
        return real(*args)

    monkeypatch.setattr(loop, "augment", counting)


def leave_resume_point(path, settings, monkeypatch, seed=0, data=DATA, batch=11, **more):
    path.unlink(missing_ok=True)
    with monkeypatch.context() as patch:
        interrupt_in_batch(patch, batch)
        with pytest.raises(JobEndedError):
            fit(settings, data, seed, CPU, path, 0.0, **more)
    assert path.is_file()


def counted(monkeypatch, settings, data, path, **more):
    """A training that may resume and how many epochs it still had to do."""
    with monkeypatch.context() as patch:
        epochs = []
        real = loop._one_epoch
        patch.setattr(loop, "_one_epoch", lambda *args: epochs.append(1) or real(*args))
        return fit(settings, data, 0, CPU, path, **more), len(epochs)


DROPOUT = {"arch": "googlenet", "model": {"width": 0.0625, "stem": "cifar", "normalise": True}, "epochs": 2}
