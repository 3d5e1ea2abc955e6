"""SimBA, batched, against a search of one image at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from blobs import CLASSES, Scaled, accuracy, blobs, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import idctn
from torch import Tensor, nn

from lossproof.attacks.methods.simba import basis_of, orders, simba
from lossproof.attacks.outcome import Crafted, judge
from lossproof.attacks.protocol import AttackData, run_bundle
from lossproof.training.feeding import Resident


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    return blobs()


@pytest.fixture(scope="module")
def model(data: tuple[Tensor, Tensor]) -> nn.Module:
    return trained(data)


def made(model: nn.Module, images: Tensor, labels: Tensor, epsilon: float = 1.0, **more: object) -> Crafted:
    plan = {"norm": "l2", "epsilons": [epsilon], "step_sizes": [0.2], "seed": 5, "steps": 60} | more
    return simba(model, images, labels, **plan)  # type: ignore[arg-type]


def one_by_one(model, image, label, order, *, epsilon, step, queries, basis, score):
    """The search of one image [C, H, W], written plainly: (point, queries used, accepted tries)."""

    def ask(point):
        logits = model(point[None])[0]
        rival = max(value for k, value in enumerate(logits.tolist()) if k != label)
        found = float(logits.softmax(0)[label]) if score == "probability" else float(logits[label]) - rival
        return found, int(logits.argmax()) == label

    used, accepted, point = 1, 0, image
    lowest, standing = ask(point)
    for direction in order:
        unit = np.zeros(image.shape)
        unit.flat[direction] = 1
        way = torch.from_numpy(unit if basis == "pixel" else idctn(unit, axes=(1, 2), norm="ortho"))
        for sign in (-1, 1):
            if not standing or used == queries:
                return point, used, accepted
            tried = (point + sign * step * way).clamp(0, 1)
            found, right = ask(tried)
            used += 1
            if found < lowest and float((tried - image).norm()) <= epsilon + 1e-9:
                point, lowest, standing = tried, found, right
                accepted += 1
                break
    return point, used, accepted


@pytest.mark.parametrize(
    ("basis", "score", "epsilon", "queries"),
    [
        ("pixel", "probability", 1.05, 60),
        ("pixel", "margin", 1.85, 61),
        ("dct", "probability", 1.05, 60),
        ("dct", "margin", 0.25, 300),  # all of the 72 directions
    ],
)
def test_the_batch_does_what_one_image_would(model, data, basis, score, epsilon, queries):
    """In double precision, where a batch's logits do not differ from those of one image by more than luck."""
    images, labels = data[0][:24].double(), data[1][:24].clone()
    labels[0] = (labels[0] + 1) % CLASSES
    net = trained(data).double()
    plan = {"basis": basis, "score": score}
    with torch.no_grad():
        found = made(net, images, labels, epsilon, steps=queries, **plan)
        order = orders(24, 72, 5).tolist()
        plain = [
            one_by_one(net, *item, epsilon=epsilon, step=0.2, queries=queries, **plan)
            for item in zip(images, labels.tolist(), order, strict=True)
        ]
        points = torch.stack([point for point, *_ in plain])
        assert (net(points).argmax(1) == net(found.images[0]).argmax(1)).all()
    assert torch.allclose(points, found.images[0], atol=1e-9)
    assert found.figures["queries"][0].tolist() == [used for _, used, _ in plain]
    tries = [100 * accepted / (used - 1) if used > 1 else float("nan") for _, used, accepted in plain]
    assert found.figures["acceptance"][0].tolist() == pytest.approx(tries, nan_ok=True)
    assert found.figures["queries"][0, 0] == 1 and torch.equal(found.images[0, 0], images[0])
    assert len(set(found.figures["queries"][0].tolist())) > 2


def test_queries_are_model_calls(model, data):
    rows: list[int] = []
    hook = model.register_forward_hook(lambda _, inputs, __: rows.append(len(inputs[0])))
    found = made(model, *data, steps=50)
    hook.remove()
    assert sum(rows) == found.figures["queries"].sum()
    assert len(rows) == found.figures["queries"].max() <= 50
    assert rows[-1] < rows[0]  # who is fooled is asked no more
    assert accuracy(model, found.images[0], data[1]) < 0.9
    one = made(model, *data, steps=1)
    assert torch.equal(one.images[0], data[0]) and (one.figures["queries"] == 1).all()


@pytest.mark.parametrize("basis", ["pixel", "dct"])
@pytest.mark.parametrize("size", [2, 5, 28])
def test_directions_are_orthonormal(basis, size):
    rows = basis_of(basis, size)
    assert torch.allclose(rows @ rows.T, torch.eye(size, dtype=torch.float64), atol=1e-12)


def test_every_image_has_an_order_of_its_own():
    found = orders(6, 72, 1)
    assert (found.sort(1).values == torch.arange(72)).all()
    assert len({tuple(row) for row in found.tolist()}) == 6
    assert torch.equal(found, orders(6, 72, 1)) and not torch.equal(found, orders(6, 72, 2))


def test_the_budget_bounds_the_sum_of_the_steps(model, data):
    """Steps of 0.2 in new directions: 4 within 0.4, 9 within 0.6, but for clipped ones."""
    images = data[0].clamp(0.3, 0.7)
    for epsilon, most in ((0.4, 4), (0.6, 9)):
        moved = (made(model, images, data[1], epsilon, steps=200).images[0] - images).flatten(1)
        assert moved.norm(dim=1).max() <= epsilon + 1e-6
        assert (moved != 0).sum(1).max() == most
    free, tight = (made(model, images, data[1], epsilon, steps=200).images[0] for epsilon in (3.0, 0.4))
    assert accuracy(model, free, data[1]) < accuracy(model, tight, data[1])


def test_a_probability_that_rounds_to_one_stalls_and_the_margin_does_not(model, data):
    saturated = Scaled(model, 1e4)
    stalled, moving = (made(saturated, *data, 3.0, score=score, steps=200) for score in ("probability", "margin"))
    rate = [float(found.figures["acceptance"].nanmean()) for found in (stalled, moving)]
    assert rate[0] < 5 < 20 < rate[1]
    assert accuracy(saturated, stalled.images[0], data[1]) > 0.8 > 0.4 > accuracy(saturated, moving.images[0], data[1])


@pytest.mark.parametrize("score", ["probability", "margin"])
@pytest.mark.parametrize("shift", [-64.0, 64.0])
def test_logits_of_one_sign_switch_nothing_off(model, data, score, shift):
    plain, shifted = (made(net, *data, score=score) for net in (model, Scaled(model, 1, shift)))
    wrong = [1 - accuracy(model, found.images[0], data[1]) for found in (plain, shifted)]
    assert wrong[0] > 0.1 and abs(wrong[0] - wrong[1]) < 0.1


def test_the_record_tells_queries_and_acceptance(model, data):
    images, labels = data
    pixels = (255 * images).round().byte().numpy()
    split = AttackData(Resident(pixels, labels.numpy(), torch.device("cpu")), np.arange(len(labels)))
    plan = {"method": "simba", "epsilon": ["0.5", "2"], "steps": 80}
    record, _ = run_bundle(model, {"test": split}, {"one": plan}, run_name="x", seed=0)["test", "one"]
    settings = {"norm": "l2", "track": "printed", "step_size": "0.2", "basis": "pixel", "score": "probability"}
    assert record["attack"] == plan | settings | {"name": "one"}
    tight, wide = record["results"]
    assert tight["accuracy"] > wide["accuracy"]
    assert tight["mean_queries"] > wide["mean_queries"] > 1
    assert tight["median_queries"] <= 80 and tight["mean_acceptance"] < wide["mean_acceptance"]
    assert [(row["step_size_value"], row["invalid"]) for row in record["results"]] == [(0.2, 0), (0.2, 0)]
    # Wrong from the start: no try, so no rate.
    wrong = AttackData(Resident(pixels, (labels.numpy() + 1) % CLASSES, torch.device("cpu")), np.arange(len(labels)))
    record, _ = run_bundle(Never(), {"test": wrong}, {"one": plan}, run_name="x", seed=0)["test", "one"]
    assert record["results"][0]["mean_acceptance"] is None and record["results"][0]["mean_queries"] == 1


class Never(nn.Module):
    """Right about no image."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.eye(CLASSES + 1)[torch.full((len(images),), CLASSES)]


@settings(max_examples=30, deadline=None)
@given(
    basis=st.sampled_from(["pixel", "dct"]),
    score=st.sampled_from(["probability", "margin"]),
    epsilons=st.lists(st.floats(0, 3, width=32), min_size=2, max_size=2),
    step=st.floats(0.015625, 2, width=32),
    scale=st.sampled_from([1.0, 1e4]),
    seed=st.integers(0, 2**31),
)
def test_no_point_leaves_its_ball_or_the_box(basis, score, epsilons, step, scale, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(3, 2, 3, 4, generator=generator).round(decimals=1)
    net = nn.Sequential(nn.Flatten(), nn.Linear(24, 3, bias=False))
    net[1].weight.data = scale * torch.randn(3, 24, generator=generator)
    found = made(
        net, images, torch.arange(3), epsilons=epsilons, step_sizes=[step] * 2, seed=seed, basis=basis, score=score
    )
    for points, epsilon in zip(found.images, epsilons, strict=True):
        judged = judge(net, images, points, norm="l2", epsilon=epsilon)
        assert judged.valid.all()
        assert ((points - images).double().flatten(1).norm(dim=1) <= epsilon + 1e-6 * max(1, epsilon)).all()
    with torch.no_grad():
        assert ((found.figures["queries"] == 1).all(0) == (net(images).argmax(1) != torch.arange(3))).all()
