"""Carlini & Wagner's attack: against a library's, against a search of one image at a time, and unbounded budgets."""

from __future__ import annotations

import json
import math
import os

import numpy as np
import pytest
import torch
from blobs import CLASSES, Scaled, blobs, trained
from fake_records import context
from torch import Tensor, nn

from lossproof.attacks.budgets import of_plan
from lossproof.attacks.methods.carlini_wagner import cw
from lossproof.attacks.outcome import Crafted, judge
from lossproof.attacks.protocol import AttackData, run_bundle
from lossproof.exhibits.accuracy import measurements, rows
from lossproof.paths import Run
from lossproof.records import write_csv, write_json, write_npz
from lossproof.training.feeding import Resident


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    """The last one has the wrong label."""
    images, labels = blobs()
    return images[:24], torch.cat([labels[:23], labels[:1]])


@pytest.fixture(scope="module")
def model() -> nn.Module:
    return trained(blobs())


PLAN = {"norm": "l2", "epsilons": [math.inf], "step_sizes": [0.01], "seed": 0}


def made(model: nn.Module, images: Tensor, labels: Tensor, **more: object) -> Crafted:
    return cw(model, images, labels, **(PLAN | {"steps": 40, "binary_search_steps": 5} | more))  # type: ignore[arg-type]


def test_same_points_as_the_library(model, data):
    """Without early stops, which in the library hang on the whole batch."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import foolbox

    images, labels = data
    found = made(model, images, labels, step_sizes=[0.005], abort_early=False)
    attack = foolbox.attacks.L2CarliniWagnerAttack(5, 40, 0.005, 0, 0.001, False)
    theirs = attack.run(foolbox.PyTorchModel(model, bounds=(0, 1)), images, foolbox.criteria.Misclassification(labels))
    fooled = found.figures["fooled"][0]
    assert 4 < fooled.sum() < 24
    assert torch.equal(theirs.flatten(1).any(1), fooled)  # where it fails it gives back black images
    assert ((theirs - found.images[0])[fooled].abs() > 2e-5).float().mean() < 0.002


def one_by_one(model, image, label, *, rate, steps, rounds, const, confidence, early, variables):
    """The search of one image [C, H, W], written plainly: the point, or None."""
    best, nearest, low, high = None, math.inf, 0.0, math.inf
    for _ in range(rounds):
        start = ((2 * image - 1) * 0.999999).atanh() if variables == "tanh" else image
        at = start.clone().requires_grad_(True)
        adam = torch.optim.Adam([at], lr=rate)
        before, hit = math.inf, False
        for step in range(steps):
            points, base = ((x.tanh() + 1) / 2 if variables == "tanh" else x for x in (at, start))
            logits = model(points[None])[0]
            lead = logits[label] - max(value for k, value in enumerate(logits) if k != label) + confidence
            away = (points - base).square().sum()
            loss = away + const * lead.clamp_min(0)
            if lead < 0:
                hit = True
                if away < nearest:
                    best, nearest = points.detach().clone(), away.item()
            adam.zero_grad()
            loss.backward()
            adam.step()
            if variables == "clamp":
                at.data.clamp_(0, 1)
            if early and step % (steps // 10) == 0:
                if loss > 0.9999 * before:
                    break
                before = loss.item()
        low, high = (low, min(high, const)) if hit else (max(low, const), high)
        const = (low + high) / 2 if high < math.inf else 10 * const
    return best


@pytest.mark.parametrize("variables", ["tanh", "clamp"])
@pytest.mark.parametrize(("confidence", "early"), [(0.0, True), (0.2, True), (0.0, False)])
def test_the_batch_does_what_one_image_would(data, variables, confidence, early):
    """In double precision; each image has its own constant, optimiser and stop."""
    images, labels = data[0][-12:].double(), data[1][-12:]
    net = trained(blobs()).double()
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    more = {"variables": variables, "confidence": confidence, "abort_early": early}
    found = made(net, images, labels, steps=20, initial_const=0.1, **more)
    plain = [
        one_by_one(net, image, label, rate=0.01, steps=20, rounds=5, const=0.1, confidence=confidence, early=early,
                   variables=variables)
        for image, label in zip(images[:-1], labels[:-1].tolist(), strict=True)
    ]  # fmt: skip
    fooled = [point is not None for point in plain]
    assert sum(fooled) > 2
    assert found.figures["fooled"][0].tolist() == [*fooled, True]
    expected = torch.stack([image if point is None else point for image, point in zip(images, plain, strict=False)])
    assert torch.allclose(found.images[0, :-1], expected, atol=1e-7)
    way = (expected - images[:-1]).flatten(1).norm(dim=1)
    told = found.figures["l2_success"][0]
    assert torch.allclose(told[:-1], way.where(torch.tensor(fooled), torch.nan), equal_nan=True)
    # Wrong from the start: no way to go, so none is told, and the image stays.
    assert told[-1].isnan() and torch.equal(found.images[0, -1], images[-1])


def test_an_early_stop_saves_passes_of_its_image_alone(model, data):
    seen: list[int] = []
    hook = model.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    made(model, *data, abort_early=False)
    full = sum(seen)
    seen.clear()
    made(model, *data)
    hook.remove()
    assert full == 24 + 23 * 40 * 5 + 24
    assert 200 < sum(seen) < 0.9 * full
    assert len(set(seen)) > 3


def test_failures_come_back_clean(model, data):
    found = made(model, *data, step_sizes=[0.0005])
    failed = ~found.figures["fooled"][0]
    assert 0 < failed.sum() < 24
    assert torch.equal(found.images[0][failed], data[0][failed])
    assert torch.equal(found.figures["l2_success"][0].isnan()[:-1], failed[:-1])


def test_pixels_at_the_edge_move_only_where_they_are_free(model, data):
    images = (4 * data[0] - 1.5).clamp(0, 1)
    edge = (images == 0) | (images == 1)
    with torch.no_grad():
        labels = model(images).argmax(1)
    moved = {}
    for variables in ("tanh", "clamp"):
        found = made(model, images, labels, variables=variables, steps=60)
        fooled = found.figures["fooled"][0]
        assert fooled.any() and judge(model, images, found.images[0], norm="l2", epsilon=math.inf).valid.all()
        way = (found.images[0] - images).abs()[fooled]
        moved[variables] = float((way[edge[fooled]] > 1e-3).float().mean())
    assert moved["tanh"] == 0 and moved["clamp"] > 0.1


@pytest.mark.parametrize("shift", [-64.0, 64.0])
def test_logits_of_one_sign_switch_nothing_off(model, data, shift):
    plain, shifted = (made(net, *data).figures for net in (model, Scaled(model, 1, shift)))
    assert plain["fooled"].sum() > 4 and (plain["fooled"] != shifted["fooled"]).sum() <= 1
    assert float(plain["l2_success"].nanmean()) == pytest.approx(float(shifted["l2_success"].nanmean()), rel=0.02)


class Never(nn.Module):
    """Right about no image."""

    def forward(self, images: Tensor) -> Tensor:
        assert len(images)
        return torch.eye(CLASSES + 1)[torch.full((len(images),), CLASSES)]


def test_nothing_is_searched_where_all_are_wrong(data):
    found = made(Never(), *data)
    assert torch.equal(found.images[0], data[0])
    assert found.figures["fooled"].all() and found.figures["l2_success"].isnan().all()


def run(model: nn.Module, data: tuple[Tensor, Tensor], **plan: object):
    pixels, labels = (255 * data[0]).round().byte().numpy(), data[1].numpy()
    split = AttackData(Resident(pixels, labels, torch.device("cpu")), np.arange(len(labels)))
    plan = {"method": "cw", "steps": 40, "step_size": "0.01", "binary_search_steps": 5} | plan
    return run_bundle(model, {"test": split}, {"one": plan}, run_name="x", seed=0)["test", "one"]


def test_a_record_without_a_bound(model, data, tmp_path):
    record, arrays = run(model, data, epsilon=["0.3", "unbounded"])
    write_json(tmp_path / "a.json", record)
    tight, free = json.loads((tmp_path / "a.json").read_text())["results"]
    assert (tight["epsilon"], tight["epsilon_value"]) == ("0.3", 0.3)
    assert (free["epsilon"], free["epsilon_value"], free["step_size_value"]) == ("unbounded", None, 0.01)
    assert free["invalid"] == tight["invalid"] == free["zero_gradient"] == 0
    assert free["accuracy"] == pytest.approx(100 - free["fooled"]) and free["fooled"] == tight["fooled"]
    assert free["accuracy"] < tight["accuracy"] < record["clean_accuracy"]
    assert free["mean_l2_success"] > 0.3 and tight["median_l2"] <= 0.3 + 1e-6
    assert 100 * (arrays["adversarial"][1] == arrays["label"]).mean() == free["accuracy"]
    assert run(model, data)[0]["results"][0] == free


def test_only_a_method_that_allows_it_is_unbounded():
    (one,) = of_plan(
        {"method": "cw", "norm": "l2", "epsilon": "unbounded", "steps": 9, "step_size": "0.001"}, (1, 4, 4)
    )
    assert (one.value, one.radius, one.step) == (math.inf, math.inf, 0.001)
    with pytest.raises(ValueError, match="'unbounded' is neither a fraction"):
        of_plan({"method": "pgd", "norm": "linf", "epsilon": "unbounded", "steps": 9, "step_size": None}, (1, 4, 4))


def test_tidy_rows_without_a_bound(model, data, tmp_path):
    there = context(tmp_path, seeds=1)
    record, arrays = run(model, data)
    net = Run("mnist", "lenet5", "ce")
    labels = data[1].numpy()
    clean = {f"{split}_{part}": labels for split in ("train", "test") for part in ("prediction", "label")}
    write_npz(tmp_path / there.paths.model(net, 0, "predictions.npz"), clean)
    write_json(tmp_path / there.paths.attack(net, 0, "test", "cw_40"), record)
    write_npz(tmp_path / there.paths.attack(net, 0, "test", "cw_40", "npz"), arrays)
    found = measurements(tmp_path, there.paths, net, range(1), ["cw_40"], {"cw_40": ["test"]})
    (row, *_) = [one for one in rows({}, found, None, found) if one["attack"] == "cw_40"]
    assert row["epsilon"] is None and row["epsilon_printed"] == "unbounded"
    assert (row["steps"], row["step_size"], row["value"]) == (40, "0.01", record["results"][0]["accuracy"])
    write_csv(tmp_path / "tidy.csv", [row], list(row))
    assert ",,unbounded," in (tmp_path / "tidy.csv").read_text()
