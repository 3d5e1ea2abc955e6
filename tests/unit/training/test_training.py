"""Training: repeatable, resumable to the same bytes, selected and recorded as the settings say."""

from __future__ import annotations

import csv
import dataclasses
import math
import tracemalloc
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_training import (
    CE,
    CPU,
    DATA,
    DROPOUT,
    SP,
    counted,
    equal,
    leave_resume_point,
    same,
    tiny,
    told,
)
from torch import nn

from lossproof.datasets.prepared import Prepared
from lossproof.models.classifier import Classifier
from lossproof.records import write_csv
from lossproof.settings.resolved import TAKEN_BY
from lossproof.training import checkpoint, loop
from lossproof.training.augmentation import AREA, DEGREES, RATIO, augment, crop_flip, flip_rotate_crop, random_boxes
from lossproof.training.evaluate import accuracy, pixels, predictions
from lossproof.training.feeding import Resident
from lossproof.training.history import COLUMNS
from lossproof.training.loop import fit, new_model
from lossproof.training.optimiser import OPTIMISERS, _fused, adam, learning_rate, optimiser_of, sgd
from lossproof.training.stored import load_model


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

    def first(model, means, train, settings, shuffle, *_):
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


SGD = {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "schedule": "constant"}
SGD |= {"weight_decay": 0.001}


# Two epochs of three batches; then the run's own begin, with an optimiser of their own.
WARM_UP = {"criterion": SP, "optimiser": SGD, "epochs": 2, "batch_size": 20, "augmentation": "none"}


@pytest.mark.parametrize(
    ("data", "settings", "batch"),
    [
        (DATA, told(augmentation="flip_rotate_crop") | {"optimiser": SGD}, 11),
        (DATA, told(augmentation="crop_flip", schedule="cosine", weight_decay=0.01), 11),
        (DATA, told(selection="best_test", criterion=SP, model={"width": 0.2, "normalise": True}), 11),
        (DATA, told(selection="held_out"), 10),
        (tiny(32, 3, 16), told(**DROPOUT, selection="best_test"), 2),
        *[(DATA, told(warm_up=[WARM_UP], epochs=3), batch) for batch in (5, 7, 11)],
    ],
    ids=["sgd", "augmented", "best_test", "held_out", "dropout_and_batch_norm", "in_warm_up", "behind_it", "after"],
)
def test_resuming_gives_the_same_bytes(tmp_path, monkeypatch, data, settings, batch):
    whole = fit(settings, data, 0, CPU)
    resume = tmp_path / "seed0.safetensors"
    leave_resume_point(resume, settings, monkeypatch, data=data, batch=batch)
    torch.rand(7)  # whatever else the process drew
    resumed, epochs = counted(monkeypatch, settings, data, resume, resume_every_seconds=0.0)
    assert 0 < epochs < len(whole.history)
    assert equal(whole, resumed)
    # It left a point at its end, from which the results can be made again.
    again, epochs = counted(monkeypatch, settings, data, resume)
    assert epochs == 0
    assert equal(whole, again)
    assert list(tmp_path.iterdir()) == [resume]
    # It holds the chosen weights alone, not what a training would go on from.
    assert {key.split("/")[0] for key in load_file(resume)} == {"best"}


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


def test_a_resume_point_of_other_code_is_ignored(tmp_path, monkeypatch):
    path = tmp_path / "resume.safetensors"
    leave_resume_point(path, told(), monkeypatch)
    assert counted(monkeypatch, told(), DATA, path, code="another")[1] == told()["epochs"]
    assert counted(monkeypatch, told(), DATA, path, code="another")[1] == 0


def test_a_short_training_leaves_no_resume_point(tmp_path):
    fit(told(), DATA, 0, CPU, tmp_path / "resume.safetensors", 60.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: b"\xff" * 100])
def test_a_damaged_resume_point_is_ignored(tmp_path, monkeypatch, damage):
    path = tmp_path / "resume.safetensors"
    leave_resume_point(path, told(), monkeypatch)
    path.write_bytes(damage(path.read_bytes()))
    assert equal(fit(told(), DATA, 0, CPU, path), fit(told(), DATA, 0, CPU))


@pytest.mark.parametrize(
    ("kind", "available"), [("cuda", "torch.cuda.is_available"), ("mps", "torch.backends.mps.is_available")]
)
def test_a_resume_point_keeps_the_accelerators_draws(tmp_path, monkeypatch, kind, available):
    own = torch.Generator().manual_seed(7)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(available, lambda: True)
    monkeypatch.setattr(f"torch.{kind}.get_rng_state", own.get_state)
    monkeypatch.setattr(f"torch.{kind}.set_rng_state", own.set_state)
    model = new_model(told(), DATA)
    optimiser = adam(model, told()["optimiser"])
    path = tmp_path / "x.safetensors"
    checkpoint.save(path, "f", model, nn.Module(), optimiser, torch.Generator(), {}, {"epoch": 1})
    expected = torch.rand(5, generator=own)
    assert checkpoint.restore(path, "f", model, nn.Module(), optimiser, torch.Generator()) == ({"epoch": 1}, {})
    assert torch.equal(torch.rand(5, generator=own), expected)
    # Where the accelerator is gone its state is left alone.
    before = own.get_state()
    monkeypatch.setattr(available, lambda: False)
    assert checkpoint.restore(path, "f", model, nn.Module(), optimiser, torch.Generator()) == ({"epoch": 1}, {})
    assert torch.equal(own.get_state(), before)


def test_resume_points_are_written_whole(tmp_path):
    model = new_model(told(), DATA)
    optimiser = adam(model, told()["optimiser"])
    with pytest.raises(TypeError):
        checkpoint.save(
            tmp_path / "x.safetensors", "f", model, nn.Module(), optimiser, torch.Generator(), {}, {"bad": object()}
        )
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


def test_only_the_last_phase_is_selected_from(monkeypatch):
    scripted(monkeypatch, {30: [90.0, 80.0, 20.0, 30.0, 10.0]})
    trained = fit(told(selection="best_test", warm_up=[WARM_UP], epochs=3), DATA, 0, CPU)
    assert trained.figures["selected_epoch"] == 4
    assert [(row["epoch"], row["phase"]) for row in trained.history] == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2)]
    assert [row["learning_rate"] for row in trained.history] == [0.05] * 2 + [0.01] * 3


def test_a_warm_up_goes_before_and_hands_on_its_weights():
    """A last phase of zero-length steps leaves the weights that a training with the warm-up's settings has."""
    warm = fit(told(criterion=SP, epochs=2, batch_size=20) | {"optimiser": SGD}, DATA, 0, CPU)
    still = told(warm_up=[WARM_UP], epochs=1) | {"optimiser": SGD | {"learning_rate": 0.0, "weight_decay": 0.0}}
    handed_on = fit(still, DATA, 0, CPU)
    assert same(warm.state, handed_on.state)
    assert [row["train_loss"] for row in handed_on.history[:2]] == [row["train_loss"] for row in warm.history]


def test_without_a_usable_resume_point_training_starts_at_the_first_phase(tmp_path, monkeypatch):
    settings = told(warm_up=[WARM_UP], epochs=3)
    path = tmp_path / "resume.safetensors"
    leave_resume_point(path, settings, monkeypatch)
    assert checkpoint.epochs_done(path, "another run's") == 0
    monkeypatch.setattr(checkpoint, "restore", lambda *_: None)
    assert equal(fit(settings, DATA, 0, CPU, path), fit(settings, DATA, 0, CPU))


def test_the_gap_and_order_of_test_images_are_the_networks():
    trained = fit(told(), DATA, 0, CPU)
    model = new_model(told(), DATA)
    model.load_state_dict(trained.state)
    with torch.no_grad():
        p = model.eval()(torch.from_numpy(DATA.test_images).float() / 255).softmax(1).numpy()
    for at, y in enumerate(DATA.test_labels):
        rival = max(value for k, value in enumerate(p[at]) if k != y)
        assert trained.predictions["test_gap"][at] == pytest.approx(p[at, y] - rival, abs=1e-6)
        assert trained.predictions["test_top"][at].tolist() == np.argsort(-p[at]).tolist()
    right = trained.predictions["test_prediction"] == DATA.test_labels
    assert ((trained.predictions["test_gap"] > 0) == right).all() and right.any()


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

    def watched(model, means, train, *rest):
        seen.update(image.numpy().tobytes() for images, _ in train.batches() for image in images)
        return real(model, means, train, *rest)

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


def test_a_divergence_is_not_tried_again(tmp_path, monkeypatch):
    resume = tmp_path / "resume.safetensors"
    real, calls = loop._one_epoch, []

    def diverging(*args):
        calls.append(1)
        return real(*args) if len(calls) < 3 else (math.inf, 0.0)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_one_epoch", diverging)
        diverged = fit(told(), DATA, 0, CPU, resume, 0.0)
    assert diverged.figures["status"] == "diverged in epoch 3"
    again, epochs = counted(monkeypatch, told(), DATA, resume)
    assert epochs == 0
    assert equal(diverged, again)


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
    with pytest.raises(ValueError, match="no schedule 'sqrt'; known: constant, cosine, step, milestones"):
        rates("sqrt")


@pytest.mark.parametrize(
    ("milestones", "factor", "expected"),
    [
        ([50, 100], 0.2, [0.01] * 50 + [0.002] * 50 + [0.0004] * 50),
        ([100], 0.1, [0.01] * 100 + [0.001] * 50),
        ([], 0.1, [0.01] * 150),
        ([200], 0.1, [0.01] * 150),
    ],
)
def test_milestones(milestones, factor, expected):
    told = {"learning_rate": 0.01, "schedule": "milestones", "milestones": milestones, "factor": factor}
    assert [learning_rate(told, epoch, 150) for epoch in range(150)] == pytest.approx(expected)


def test_milestones_are_what_torch_calls_so():
    weight = torch.nn.Linear(1, 1)
    theirs = torch.optim.SGD(weight.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.MultiStepLR(theirs, [3, 5], gamma=0.2)
    ours = {"learning_rate": 0.01, "schedule": "milestones", "milestones": [3, 5], "factor": 0.2}
    for epoch in range(8):
        assert learning_rate(ours, epoch, 8) == pytest.approx(schedule.get_last_lr()[0])
        theirs.step()
        schedule.step()


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd_is_the_written_rule(momentum, nesterov):
    weight = torch.nn.Linear(3, 2, bias=False)
    settings = {"name": "sgd", "learning_rate": 0.1, "momentum": momentum, "nesterov": nesterov, "weight_decay": 0.5}
    optimiser = optimiser_of(weight, settings)
    expected, velocity = weight.weight.detach().clone(), 0.0
    for _ in range(3):
        optimiser.zero_grad()
        weight(torch.ones(1, 3)).square().sum().backward()
        gradient = weight.weight.grad.clone() + 0.5 * expected
        velocity = momentum * velocity + gradient
        expected = expected - 0.1 * (gradient + momentum * velocity if nesterov else velocity)
        optimiser.step()
        torch.testing.assert_close(weight.weight.detach(), expected)


def test_sgd_learns_and_decays_weights_only():
    trained = fit(told(epochs=15) | {"optimiser": SGD}, DATA, 0, CPU)
    assert trained.figures["test_accuracy"] > 90
    model = new_model(told(), DATA)
    decayed, free = sgd(model, SGD).param_groups
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.001, 0.0)
    assert {parameter.dim() for parameter in decayed["params"]} == {2}
    assert {parameter.dim() for parameter in free["params"]} == {1}


def test_an_unknown_optimiser_is_named():
    with pytest.raises(ValueError, match="no optimiser 'lbfgs'; known: adam, sgd"):
        optimiser_of(torch.nn.Linear(1, 1), {"name": "lbfgs"})
    assert tuple(OPTIMISERS) == tuple(TAKEN_BY["optimiser"])


@pytest.mark.parametrize(("kind", "fused"), [("cpu", True), ("cuda", True), ("mps", False)])
def test_fused_steps_where_torch_has_had_them_for_long(kind, fused):
    assert _fused([SimpleNamespace(device=torch.device(kind))]) is fused


def test_optimisers_step_on_a_device_without_fused_kernels(monkeypatch):
    monkeypatch.setattr("lossproof.training.optimiser._fused", lambda parameters: False)
    for optimiser in (told()["optimiser"], SGD):
        assert fit(told(epochs=15) | {"optimiser": optimiser}, DATA, 0, CPU).figures["test_accuracy"] > 90


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
    with pytest.raises(ValueError, match="no augmentation 'mixup'; known: none, crop_flip, flip_rotate_crop"):
        augment(images, "mixup", torch.Generator())


def test_flip_rotate_crop_is_repeatable():
    images = torch.rand(64, 3, 16, 16)
    one, again = (flip_rotate_crop(images, torch.Generator().manual_seed(1)) for _ in range(2))
    assert one.shape == images.shape
    assert one.is_contiguous()
    assert torch.equal(one, again)
    assert torch.equal(one, augment(images, "flip_rotate_crop", torch.Generator().manual_seed(1)))
    assert not torch.equal(one, flip_rotate_crop(images, torch.Generator().manual_seed(2)))
    assert one.min() >= 0 and one.max() <= 1


def test_flip_rotate_crop_does_what_it_says():
    # Channels: column, row (pixels from the centre), and 1 inside the image. Bilinear interpolation leaves linear
    # functions alone, so the map of every image can be read from its pixels.
    count, size = 400, 32
    line = torch.arange(size) + 0.5 - size / 2
    columns, rows = line.expand(size, size), line[:, None].expand(size, size)
    images = torch.stack((columns, rows, torch.ones(size, size))).expand(count, 3, size, size).contiguous()
    moved = flip_rotate_crop(images, torch.Generator().manual_seed(0))
    untouched = (moved == images).flatten(1).all(1)
    assert 0.12 < untouched.float().mean() < 0.28  # 0.2
    design = torch.stack((columns.flatten(), rows.flatten(), torch.ones(size * size)), 1)
    flips, angles, areas, ratios, centres = [], [], [], [], []
    for image in moved[~untouched]:
        inside = (image[2] > 1 - 1e-5).flatten()
        assert inside.float().mean() > 0.5
        (a, c), (b, d), shift = torch.linalg.lstsq(design[inside], image[:2].flatten(1).T[inside]).solution
        # (column, row) of the source = mirror(rotation(box)): wide * (cos, sin) and tall * (-sin, cos).
        flips.append(bool(a * d - b * c < 0))
        a, b = (-a, -b) if flips[-1] else (a, b)
        wide, tall = math.hypot(a, c), math.hypot(b, d)
        angles.append(math.degrees(math.atan2(c, a)))
        assert math.degrees(math.atan2(-b, d)) == pytest.approx(angles[-1], abs=0.1)  # no shear
        areas.append(wide * tall)
        ratios.append(wide / tall)
        # The box itself: whole pixels inside the image.
        x, y = (-shift[0] if flips[-1] else shift[0]).item(), shift[1].item()
        cosine, sine = math.cos(math.radians(angles[-1])), math.sin(math.radians(angles[-1]))
        box = [size * wide, size * tall]
        box += [cosine * x + sine * y + size / 2 * (1 - wide), cosine * y - sine * x + size / 2 * (1 - tall)]
        assert box == pytest.approx(np.round(box), abs=0.02)
        assert min(box) > -0.02 and box[0] + box[2] < size + 0.02 and box[1] + box[3] < size + 0.02
        centres.append((x, y))
    assert 0.4 < np.mean(flips) < 0.6
    assert -DEGREES <= min(angles) < -0.8 * DEGREES and 0.8 * DEGREES < max(angles) <= DEGREES
    rounding = 1.15  # sides are whole pixels
    assert AREA[0] / rounding <= min(areas) < 0.15 and 0.85 < max(areas) <= 1.0001
    assert RATIO[0] / rounding <= min(ratios) < 0.85 and 1.18 < max(ratios) <= RATIO[1] * rounding
    assert np.abs(centres).max() > 8  # boxes lie anywhere
    assert np.abs(np.mean(centres, 0)).max() < 1.5


def test_boxes_fit_and_are_drawn_as_torchvision_draws_them():
    from torchvision.transforms import RandomResizedCrop

    top, left, tall, wide = random_boxes(4000, 64, 64, torch.Generator().manual_seed(0))
    assert (top >= 0).all() and (left >= 0).all()
    assert (top + tall <= 64).all() and (left + wide <= 64).all()
    torch.manual_seed(0)
    image = torch.zeros(1, 64, 64)
    theirs = torch.tensor([RandomResizedCrop.get_params(image, AREA, RATIO) for _ in range(4000)]).T
    for ours, their in zip((top, left, tall, wide), theirs, strict=True):
        quantiles = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95])
        assert torch.allclose(ours.quantile(quantiles), their.float().quantile(quantiles), atol=2.5)


def test_a_box_that_never_fits_is_the_whole_image():
    # In a strip of 100 x 10 pixels only the small boxes of the wide ratios fit.
    top, left, tall, wide = random_boxes(2000, 100, 10, torch.Generator().manual_seed(0))
    whole = (tall == 100) & (wide == 10)
    assert 0 < whole.sum() < 2000
    assert (top[whole] == 0).all() and (left[whole] == 0).all()
    assert (wide <= 10).all()


def test_equal_draws_whatever_follows():
    # Draws come from the CPU generator alone, and equally many for any content of the batch.
    ends = []
    for images in (torch.zeros(8, 1, 8, 8), torch.rand(8, 3, 8, 8)):
        generator = torch.Generator().manual_seed(4)
        torch.rand(3)
        flip_rotate_crop(images, generator)
        ends.append(generator.get_state())
    assert torch.equal(*ends)


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


@pytest.mark.parametrize("channels", [1, 3])
def test_pixel_statistics_are_exact_in_little_memory(channels):
    images = np.random.default_rng(channels).integers(0, 256, (3000, channels, 20, 20), dtype=np.uint8)
    labels = np.arange(3000) % 2
    card = {"channels": channels, "image_size": 20, "classes": ["a", "b"]}
    data = Prepared(images, labels, images[:9], labels[:9], card)
    whole = images.astype(np.float64) / 255
    expected = {"mean": whole.mean((0, 2, 3)), "std": whole.std((0, 2, 3))}
    tracemalloc.start()
    found = loop._pixel_statistics(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    for key, values in expected.items():
        assert found[key] == pytest.approx(values, rel=1e-12)
    assert peak < 2 * 8 * loop.STATISTICS_BATCH * 20 * 20 + 100_000
