"""Training: repeatable, resumable to the same bytes, selected and recorded as the settings say."""

from __future__ import annotations

import copy
import csv
import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from lossproof.datasets.prepared import Prepared
from lossproof.models.classifier import Classifier
from lossproof.records import write_csv
from lossproof.training import checkpoint, loop
from lossproof.training.augmentation import augment, crop_flip
from lossproof.training.evaluate import accuracy, pixels, predictions
from lossproof.training.feeding import Resident
from lossproof.training.history import COLUMNS
from lossproof.training.loop import fit, new_model
from lossproof.training.optimiser import adam, learning_rate
from lossproof.training.stored import load_model

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


@pytest.mark.parametrize("criterion", [CE, SP, {"name": "focal", "parameters": {"alpha": 0.25, "gamma": 2}}])
def test_loss_falls_and_classes_are_learnt(criterion):
    trained = fit(told(criterion=criterion, epochs=15), DATA, 0, CPU)
    losses = [row["train_loss"] for row in trained.history]
    assert losses[-1] < 0.7 * losses[0]
    assert trained.figures["test_accuracy"] > 90
    assert trained.figures["status"] == "finished"
    assert trained.figures["selected_epoch"] == 15
    assert (trained.figures["n_train"], trained.figures["n_test"]) == (60, 30)


def test_equal_seeds_give_equal_bytes():
    one, again, other = (fit(told(augmentation="crop_flip"), DATA, seed, CPU) for seed in (0, 0, 1))
    assert equal(one, again)
    assert not same(one.state, other.state)


def test_losses_start_from_equal_weights_and_order(monkeypatch):
    starts = {}

    def first(model, criterion, optimiser, train, settings, shuffle):
        if settings["training"] not in starts:
            weights = {key: value.clone() for key, value in model.state_dict().items()}
            order = torch.randperm(60, generator=torch.Generator().set_state(shuffle.get_state()))
            starts[settings["training"]] = weights | {"order": order}
        return 1.0, 0.0

    monkeypatch.setattr(loop, "_one_epoch", first)
    for name, criterion in {"ce": CE, "sp_focal": SP, "ce@best_test": CE}.items():
        fit(told(training=name, criterion=criterion), DATA, 0, CPU)
    fit(told(training="other seed"), DATA, 1, CPU)
    assert same(starts["ce"], starts["sp_focal"])
    assert same(starts["ce"], starts["ce@best_test"])
    assert not torch.equal(starts["ce"]["order"], starts["other seed"]["order"])
    assert not torch.equal(starts["ce"]["head.weight"], starts["other seed"]["head.weight"])


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


def leave_resume_point(path, settings, monkeypatch, seed=0, data=DATA, batch=11):
    with monkeypatch.context() as patch:
        interrupt_in_batch(patch, batch)
        with pytest.raises(JobEndedError):
            fit(settings, data, seed, CPU, path, 0.0)
    assert path.is_file()


DROPOUT = {"arch": "googlenet", "model": {"width": 0.0625, "stem": "cifar", "normalise": True}, "epochs": 2}


@pytest.mark.parametrize(
    ("data", "settings", "batch"),
    [
        (DATA, told(augmentation="crop_flip", schedule="cosine", weight_decay=0.01), 11),
        (DATA, told(selection="best_test", criterion=SP, model={"width": 0.2, "normalise": True}), 11),
        (DATA, told(selection="held_out"), 10),
        (tiny(32, 3, 16), told(**DROPOUT, selection="best_test"), 2),
    ],
    ids=["augmented", "best_test", "held_out", "dropout_and_batch_norm"],
)
def test_resuming_gives_the_same_bytes(tmp_path, monkeypatch, data, settings, batch):
    whole = fit(settings, data, 0, CPU)
    resume = tmp_path / "seed0.safetensors"
    leave_resume_point(resume, settings, monkeypatch, data=data, batch=batch)
    torch.rand(7)  # whatever else the process drew
    with monkeypatch.context() as patch:
        epochs = []
        real = loop._one_epoch
        patch.setattr(loop, "_one_epoch", lambda *args: epochs.append(1) or real(*args))
        resumed = fit(settings, data, 0, CPU, resume, 0.0)
    assert len(epochs) < settings["epochs"]
    assert equal(whole, resumed)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", [{"batch_size": 15}, {"epochs": 5}, {"learning_rate": 0.02}, {"criterion": SP}])
def test_a_resume_point_of_other_settings_is_ignored(tmp_path, monkeypatch, other):
    path = tmp_path / "resume.safetensors"
    leave_resume_point(path, told(), monkeypatch)
    assert equal(fit(told(**other), DATA, 0, CPU, path), fit(told(**other), DATA, 0, CPU))


def test_a_resume_point_of_another_seed_or_data_is_ignored(tmp_path, monkeypatch):
    path = tmp_path / "resume.safetensors"
    leave_resume_point(path, told(), monkeypatch, seed=1)
    assert equal(fit(told(), DATA, 0, CPU, path), fit(told(), DATA, 0, CPU))
    leave_resume_point(path, told(), monkeypatch)
    renamed = dataclasses.replace(DATA, card=DATA.card | {"processing": "other"})
    assert equal(fit(told(), renamed, 0, CPU, path), fit(told(), renamed, 0, CPU))


@pytest.mark.parametrize("damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: b"\xff" * 100])
def test_a_damaged_resume_point_is_ignored(tmp_path, monkeypatch, damage):
    path = tmp_path / "resume.safetensors"
    leave_resume_point(path, told(), monkeypatch)
    path.write_bytes(damage(path.read_bytes()))
    assert equal(fit(told(), DATA, 0, CPU, path), fit(told(), DATA, 0, CPU))


def test_resume_points_are_written_whole(tmp_path):
    model = new_model(told(), DATA)
    optimiser = adam(model, told()["optimiser"])
    with pytest.raises(TypeError):
        checkpoint.save(tmp_path / "x.safetensors", "f", model, optimiser, torch.Generator(), {}, {"bad": object()})
    assert list(tmp_path.iterdir()) == []


def scripted(monkeypatch, scores):
    """Give the test (held-out) accuracies by epoch; epochs set the last layer's bias to their number."""
    calls = []

    def one_epoch(model, *_):
        calls.append(1)
        with torch.no_grad():
            model.head.bias.fill_(float(len(calls)))
        return 1.0, 50.0

    monkeypatch.setattr(loop, "_one_epoch", one_epoch)
    monkeypatch.setattr(loop, "accuracy", lambda model, feed: scores[len(feed)][len(calls) - 1])


@pytest.mark.parametrize(("selection", "epoch"), [("last", 4), ("best_test", 2), ("held_out", 3)])
def test_selection_keeps_the_epoch_it_says(monkeypatch, selection, epoch):
    # 30 test images, 15 held out; the first of equal epochs counts.
    scripted(monkeypatch, {30: [10.0, 80.0, 80.0, 20.0], 15: [10.0, 20.0, 70.0, 60.0]})
    trained = fit(told(selection=selection), DATA, 0, CPU)
    assert trained.figures["selected_epoch"] == epoch
    assert trained.state["head.bias"].tolist() == [epoch] * 3
    assert len(trained.history) == 4


def test_held_out_images_stay_out_of_training(monkeypatch):
    seen = set()
    real = loop._one_epoch

    def watched(model, criterion, optimiser, train, *rest):
        seen.update(image.numpy().tobytes() for images, _ in train.batches() for image in images)
        return real(model, criterion, optimiser, train, *rest)

    monkeypatch.setattr(loop, "_one_epoch", watched)
    trained = fit(told(selection="held_out"), DATA, 0, CPU)
    kept = trained.predictions["train_index"]
    assert len(kept) == trained.figures["n_train"] == 45
    assert seen == {DATA.train_images[index].tobytes() for index in kept}
    assert all(row["held_out_accuracy"] is not None for row in trained.history)
    everything = fit(told(), DATA, 0, CPU)
    assert everything.figures["n_train"] == 60
    assert {row["held_out_accuracy"] for row in everything.history} == {None}


def test_held_out_images_differ_by_seed_but_not_by_loss():
    def kept(seed, criterion=CE):
        settings = told(selection="held_out", epochs=1, criterion=criterion)
        return fit(settings, DATA, seed, CPU).predictions["train_index"].tolist()

    assert kept(0) == kept(0, SP) != kept(1)


def test_predictions_agree_with_the_record_and_the_weights(tmp_path):
    settings = told(selection="best_test", model={"width": 0.2, "normalise": True})
    data = tiny(noise=110.0)
    trained = fit(settings, data, 0, CPU)
    for split in ("train", "test"):
        images, labels = data.split(split)
        assert (trained.predictions[f"{split}_label"] == labels[trained.predictions[f"{split}_index"]]).all()
        right = trained.predictions[f"{split}_prediction"] == trained.predictions[f"{split}_label"]
        assert trained.figures[f"{split}_accuracy"] == pytest.approx(100 * right.mean())
    best = trained.history[trained.figures["selected_epoch"] - 1]
    assert best["test_accuracy"] == max(row["test_accuracy"] for row in trained.history)
    assert best["test_accuracy"] == pytest.approx(trained.figures["test_accuracy"])
    assert 40 < trained.figures["test_accuracy"] < 100  # not trivially right
    from safetensors.torch import save_file

    save_file(trained.state, tmp_path / "model.safetensors")
    model = load_model(tmp_path / "model.safetensors", settings, data, CPU)
    assert isinstance(model, Classifier)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    found = predictions(model, Resident(data.test_images, data.test_labels, CPU), batch_size=7)
    assert (found.numpy() == trained.predictions["test_prediction"]).all()


def test_history_fits_its_file(tmp_path):
    trained = fit(told(), DATA, 0, CPU)
    write_csv(tmp_path / "history.csv", trained.history, COLUMNS)
    rows = list(csv.DictReader((tmp_path / "history.csv").open()))
    weights = trained.state["head.weight"].double()
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    assert float(rows[-1]["norm"]) == pytest.approx(weights.norm().item())
    assert float(rows[-1]["q50"]) == pytest.approx(weights.flatten().quantile(0.5).item())
    assert (float(rows[-1]["q00"]), float(rows[-1]["q100"])) == pytest.approx(
        (weights.min().item(), weights.max().item())
    )


@pytest.mark.parametrize("resumed", [False, True])
def test_divergence_is_said_and_ends_training(tmp_path, resumed):
    resume = tmp_path / "resume.safetensors" if resumed else None
    trained = fit(told(learning_rate=1e38, selection="best_test"), DATA, 0, CPU, resume, 0.0)
    assert trained.figures["status"].startswith("diverged in epoch")
    assert len(trained.history) < 4
    assert all(torch.isfinite(value).all() for value in trained.state.values())
    assert math.isfinite(trained.figures["test_accuracy"])


def test_a_last_batch_of_one_is_left_out():
    data = tiny(train=61)
    trained = fit(told(batch_size=30, epochs=1), data, 0, CPU)
    assert trained.figures["n_train"] == 61
    assert math.isfinite(trained.history[0]["train_loss"])


# Parts


def test_weight_decay_is_on_weights_only():
    settings = told(arch="resnet18", model={"width": 0.0625, "stem": "cifar", "normalise": False}, weight_decay=0.5)
    model = new_model(settings, tiny(16))
    decayed, free = adam(model, settings["optimiser"]).param_groups
    assert decayed["weight_decay"] == 0.5
    assert free["weight_decay"] == 0.0
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert len(decayed["params"]) + len(free["params"]) == len(names)
    assert all(names[id(parameter)].endswith("weight") and parameter.dim() > 1 for parameter in decayed["params"])
    assert {"head.bias"} <= {names[id(parameter)] for parameter in free["params"]}
    assert any("bn" in names[id(parameter)] for parameter in free["params"])


def test_weight_decay_is_the_gradient_of_the_penalty():
    weight = torch.nn.Linear(3, 2, bias=False)
    before = weight.weight.detach().clone()
    optimiser = adam(weight, {"learning_rate": 0.1, "betas": [0.0, 0.0], "weight_decay": 0.5})
    weight(torch.ones(1, 3)).sum().backward()
    gradient = weight.weight.grad + 0.5 * before
    optimiser.step()
    # Adam without memory steps by the sign of the gradient, penalty included.
    assert torch.allclose(before - weight.weight, 0.1 * gradient.sign(), atol=1e-5)


def test_weight_decay_shrinks():
    free, decayed = (fit(told(weight_decay=decay, epochs=10), DATA, 0, CPU) for decay in (0.0, 0.5))
    assert decayed.history[-1]["norm"] < 0.7 * free.history[-1]["norm"]


def test_schedules():
    def rates(schedule):
        return [learning_rate({"learning_rate": 0.1, "schedule": schedule}, epoch, 8) for epoch in range(8)]

    assert rates("constant") == [0.1] * 8
    assert rates("step") == pytest.approx([0.1] * 4 + [0.01] * 2 + [0.001] * 2)
    cosine = rates("cosine")
    assert cosine[0] == 0.1
    assert cosine[4] == pytest.approx(0.05)
    assert all(later < earlier for earlier, later in pairwise(cosine))
    with pytest.raises(ValueError, match="no schedule 'sqrt'; known: constant, cosine, step"):
        rates("sqrt")


def test_the_schedule_reaches_the_optimiser_and_the_history():
    trained = fit(told(schedule="step"), DATA, 0, CPU)
    assert [row["learning_rate"] for row in trained.history] == pytest.approx([0.01, 0.01, 0.001, 0.0001])


def test_crop_flip():
    images = torch.rand(64, 3, 10, 10) + 0.1
    one, again = (crop_flip(images, torch.Generator().manual_seed(1)) for _ in range(2))
    other = crop_flip(images, torch.Generator().manual_seed(2))
    assert one.shape == images.shape
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    padded = torch.nn.functional.pad(images, (4,) * 4)
    flipped, places = 0, set()
    for image, source in zip(one, padded, strict=True):
        fits = [
            (top, left, flip)
            for top in range(9)
            for left in range(9)
            for flip in (False, True)
            if torch.equal(image.flip(2) if flip else image, source[:, top : top + 10, left : left + 10])
        ]
        assert len(fits) == 1
        places.add(fits[0][:2])
        flipped += fits[0][2]
    assert 16 < flipped < 48
    assert len(places) > 20
    assert augment(images, "none", torch.Generator()) is images


def test_evaluation_restores_the_mode_and_counts():
    model = new_model(told(), DATA).train()
    feed = Resident(DATA.test_images, DATA.test_labels, CPU)
    found = predictions(model, feed, 7)
    assert model.training
    assert accuracy(model, feed) == pytest.approx(100 * (found == feed.labels).float().mean().item())
    assert pixels(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [0.0, 1.0]


def test_normalisation_uses_training_pixels_only():
    model = new_model(told(model={"width": 0.2, "normalise": True}), DATA)
    scaled = DATA.train_images / 255
    assert model.mean.item() == pytest.approx(scaled.mean(), rel=1e-5)
    assert model.std.item() == pytest.approx(scaled.std(), rel=1e-5)
