"""SPSA, batched, against a search of one image written plainly; its directions, queries and reach."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from blobs import CLASSES, Scaled, accuracy, blobs, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lossproof.attacks.methods import spsa as module
from lossproof.attacks.methods.spsa import directions, spsa
from lossproof.attacks.outcome import Crafted, judge
from lossproof.attacks.protocol import AttackData, run_bundle
from lossproof.training.feeding import Resident


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    return blobs()


@pytest.fixture(scope="module")
def model(data: tuple[Tensor, Tensor]) -> nn.Module:
    return trained(data)


def made(model: nn.Module, images: Tensor, labels: Tensor, epsilon: float = 0.3, **more: object) -> Crafted:
    plan = {"norm": "linf", "epsilons": [epsilon], "step_sizes": [0.01], "seed": 5, "steps": 4, "samples": 16} | more
    return spsa(model, images, labels, **plan)  # type: ignore[arg-type]


def one_by_one(model, image, label, ways, *, epsilon, rate, delta, loss):
    """The search of one image [C, H, W] along given directions [steps][samples], written plainly."""

    def ask(point):
        logits = model(point[None])
        if loss == "ce":
            return cross_entropy(logits, label[None])
        return max(value for k, value in enumerate(logits[0]) if k != label) - logits[0, label]

    change = torch.zeros_like(image)
    adam = torch.optim.Adam([change], lr=rate, maximize=True)
    for several in ways:
        slopes = [
            (ask(image + change + delta * v) - ask(image + change - delta * v)) / (2 * delta * v) for v in several
        ]
        change.grad = torch.stack(slopes).mean(0)
        adam.step()
        change.copy_((image + change.clamp(-epsilon, epsilon)).clamp(0, 1) - image)
    return image + change


@pytest.mark.parametrize(("loss", "epsilon"), [("margin", 0.3), ("margin", 0.02), ("ce", 0.3)])
def test_the_batch_does_what_one_image_would(data, loss, epsilon):
    images, labels = data[0][:6].double(), data[1][:6]
    net = trained(data).double()
    generator = torch.Generator().manual_seed(5)
    ways = [torch.cat([*directions(images, 16, generator)]) for _ in range(4)]
    with torch.no_grad():
        plan = {"epsilon": epsilon, "rate": 0.01, "delta": 0.05, "loss": loss}
        plain = [one_by_one(net, x, y, [way[:, at] for way in ways], **plan)
                 for at, (x, y) in enumerate(zip(images, labels, strict=True))]  # fmt: skip
    found = made(net, images, labels, epsilon, loss=loss, delta="0.05")
    assert torch.allclose(found.images[0], torch.stack(plain), atol=1e-9)
    reached = (found.images[0] - images).flatten(1).abs().amax(1)
    assert torch.equal(found.figures["reached"][0], reached)
    assert float(reached.max()) == pytest.approx(min(epsilon, 0.04), rel=0.01)


def test_every_image_has_directions_of_its_own(monkeypatch):
    images = torch.rand(6, 2, 3, 3)
    drawn = {}
    for size in (512, 24, 1):
        monkeypatch.setattr(module, "BATCH", size)
        parts = [*directions(images, 40, torch.Generator().manual_seed(1))]
        assert [len(part) for part in parts] == {512: [40], 24: [2] * 20, 1: [1] * 40}[size]
        drawn[size] = torch.cat(parts)
    ways = drawn[512]
    assert torch.equal(ways, drawn[24]) and torch.equal(ways, drawn[1])
    assert ways.shape == (40, 6, 2, 3, 3) and set(ways.flatten().tolist()) == {-1.0, 1.0}
    assert len({tuple(way.flatten().tolist()) for several in ways for way in several}) == 240
    assert abs(float(ways.mean())) < 0.1
    # No two pixels go together.
    pixels = ways.flatten(0, 1).flatten(1)
    assert (pixels.T @ pixels / len(pixels) - torch.eye(18)).abs().max() < 0.3


def test_no_pass_is_larger_than_a_batch_and_none_has_a_gradient(data):
    rows: list[int] = []

    class Asked(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            assert not torch.is_grad_enabled() and not images.requires_grad
            rows.append(len(images))
            return images.flatten(1)[:, :CLASSES]

    made(Asked(), data[0][:50], data[1][:50], steps=2, samples=12)
    assert rows == 2 * [500, 500, 200] and sum(rows) == 50 * 2 * 2 * 12
    # A large batch is asked about one direction at a time.
    rows.clear()
    made(Asked(), data[0].repeat(5, 1, 1, 1), data[1].repeat(5), steps=1, samples=2)
    assert rows == [640, 640]


def test_more_steps_reach_further_and_fool_more(model, data):
    short, long = (made(model, *data, steps=steps, samples=64) for steps in (3, 30))
    assert short.figures["reached"].max() < 0.031 < 0.15 < float(long.figures["reached"].mean())
    wrong = [1 - accuracy(model, found.images[0], data[1]) for found in (short, long)]
    assert wrong[0] < 0.3 < 0.9 < wrong[1]
    assert torch.equal(short.images, made(model, *data, steps=3, samples=64).images)
    assert not torch.equal(short.images, made(model, *data, steps=3, samples=64, seed=6).images)


def test_an_estimate_of_nothing_is_counted_and_the_margin_has_one(model, data):
    images = data[0]
    labels = model(images).argmax(1)
    silent, loud = (made(Scaled(model, 1e4), images, labels, loss=loss) for loss in ("ce", "margin"))
    assert silent.zero_gradient.float().mean() > 0.8
    still = silent.figures["reached"] == 0
    assert still.float().mean() > 0.8 and silent.zero_gradient[still].all()
    assert not loud.zero_gradient.any()
    with pytest.raises(ValueError, match="delta: found '0'"):
        made(model, images, labels, delta="0")


@pytest.mark.parametrize("shift", [-64.0, 64.0])
def test_logits_of_one_sign_switch_nothing_off(model, data, shift):
    plain, shifted = (made(net, *data, steps=15) for net in (model, Scaled(model, 1, shift)))
    wrong = [1 - accuracy(model, found.images[0], data[1]) for found in (plain, shifted)]
    assert wrong[0] > 0.1 and abs(wrong[0] - wrong[1]) < 0.1


def test_the_record_tells_how_far_it_went(model, data):
    images, labels = data
    split = AttackData(
        Resident((255 * images).round().byte().numpy(), labels.numpy(), torch.device("cpu")), np.arange(64)
    )
    plan = {"method": "spsa", "epsilon": ["0.02", "0.3"], "steps": 5, "samples": 16}
    record, _ = run_bundle(model, {"test": split}, {"one": plan}, run_name="x", seed=0)["test", "one"]
    settings = {"norm": "linf", "track": "printed", "step_size": "0.01", "delta": "0.01", "loss": "margin"}
    assert record["attack"] == plan | settings | {"name": "one"}
    near, far = record["results"]
    assert (near["median_reached"], far["step_size_value"]) == (pytest.approx(0.02, abs=1e-6), 0.01)
    assert 0.03 < far["mean_reached"] < 0.06 and far["accuracy"] <= near["accuracy"]
    assert near["invalid"] == far["invalid"] == far["zero_gradient"] == 0


@settings(max_examples=30, deadline=None)
@given(
    epsilon=st.floats(0, 1, width=32),
    step=st.floats(0.015625, 2, width=32),
    loss=st.sampled_from(["margin", "ce"]),
    scale=st.sampled_from([1.0, 1e4]),
    seed=st.integers(0, 2**31),
)
def test_no_point_leaves_its_ball_or_the_box(epsilon, step, loss, scale, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(3, 2, 3, 4, generator=generator).round(decimals=1)
    net = nn.Sequential(nn.Flatten(), nn.Linear(24, 3, bias=False))
    net[1].weight.data = scale * torch.randn(3, 24, generator=generator)
    found = made(net, images, torch.arange(3), epsilon, step_sizes=[step], loss=loss, seed=seed, samples=3)
    assert judge(net, images, found.images[0], norm="linf", epsilon=epsilon).valid.all()
