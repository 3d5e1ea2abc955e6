"""PGD as the inference-softmax paper prints it, under every reading of its epsilon."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torchattacks
from blobs import CLASSES, Scaled, accuracy, agree, blobs, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lossproof.attacks.budgets import read, starts_at_random
from lossproof.attacks.methods.l2_steps import CATALOGUE, pgd_l2
from lossproof.attacks.methods.worst_case import least_likely
from lossproof.attacks.outcome import judge
from lossproof.attacks.protocol import AttackData, resolve, run_bundle
from lossproof.training.feeding import Resident

READINGS = CATALOGUE["pgd_l2"]["parameters"]["reading"]["enum"]


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    return blobs()


@pytest.fixture(scope="module")
def model(data: tuple[Tensor, Tensor]) -> nn.Module:
    return trained(data)


def run(model: nn.Module, data: tuple[Tensor, Tensor], **plan: object) -> dict:
    images, labels = data
    pixels = (255 * images).round().byte().numpy()
    split = AttackData(Resident(pixels, labels.numpy(), torch.device("cpu")), np.arange(len(labels)))
    plan = {"method": "pgd_l2", "epsilon": "0.5", "steps": 5} | plan
    return run_bundle(model, {"test": split}, {"one": plan}, run_name="x", seed=0)["test", "one"][0]


def test_what_an_epsilon_can_mean():
    """0.02 in 10 steps on 28 x 28."""
    found = {reading: read(reading, 0.02, 10, 784) for reading in READINGS}
    assert {reading: norm for reading, (norm, *_) in found.items()} == {
        "radius": "l2", "rms": "l2", "linf": "linf", "per_step": "l2", "per_step_rms": "l2", "per_step_sign": "linf"
    }  # fmt: skip
    assert {reading: pytest.approx(values) for reading, (_, *values) in found.items()} == {
        "radius": [0.02, 0.005],
        "rms": [0.56, 0.14],
        "linf": [0.02, 0.005],
        "per_step": [0.2, 0.02],
        "per_step_rms": [5.6, 0.56],
        "per_step_sign": [0.2, 0.02],
    }
    assert read("rms", 0.02, 10, 784, 0.1) == ("l2", pytest.approx(0.56), 0.1)
    with pytest.raises(ValueError, match="must be null"):
        read("per_step", 0.02, 10, 784, 0.1)


def test_only_a_ball_has_a_random_start():
    assert [starts_at_random(reading, None) for reading in READINGS] == [True, True, True, False, False, False]
    assert not starts_at_random("radius", False)
    assert resolve({"method": "pgd_l2"})["random_start"] is True
    assert resolve({"method": "pgd_l2", "reading": "per_step"})["random_start"] is False
    with pytest.raises(ValueError, match="random_start: found true; reading 'per_step_sign'"):
        resolve({"method": "pgd_l2", "reading": "per_step_sign", "random_start": True})


@pytest.mark.parametrize("targeted", ["none", "least_likely"])
def test_same_points_as_the_library(model, data, targeted):
    images, labels = data
    library = torchattacks.PGDL2(model, eps=1, alpha=0.25, steps=10, random_start=False)
    if targeted == "least_likely":
        library.set_mode_targeted_least_likely(quiet=True)
    norm, radius, step = read("radius", 1, 10, images[0].numel())
    made = pgd_l2(
        model,
        images,
        labels,
        norm=norm,
        epsilons=[radius],
        step_sizes=[step],
        seed=0,
        steps=10,
        targeted=targeted,
        random_start=False,
    )
    agree(made.images[0], library(images, labels))
    assert accuracy(model, made.images[0], labels) < 0.9
    assert not made.zero_gradient.any()


@pytest.mark.parametrize("reading", READINGS)
def test_a_record_says_what_was_attacked(model, data, reading):
    printed = {"radius": 0.5, "per_step": 0.1, "linf": 0.03, "rms": 0.04}.get(reading, 0.01)
    record = run(model, data, reading=reading, epsilon=[f"{printed}", f"{2 * printed}"])
    assert record["attack"]["norm"] == "l2" and record["attack"]["reading"] == reading
    assert record["attack"]["random_start"] is (not reading.startswith("per_step"))
    for value, row in zip((printed, 2 * printed), record["results"], strict=True):
        norm, radius, step = read(reading, value, 5, images_size := data[0][0].numel())
        assert (row["epsilon_value"], row["norm"]) == (value, norm) and images_size == 72
        assert (row["radius_value"], row["step_size_value"]) == (radius, step)
        assert row["invalid"] == row["zero_gradient"] == 0
        # The steps reach the edge of the ball, or add up.
        assert 0.5 * radius < row["median_linf" if norm == "linf" else "median_l2"] <= radius * (1 + 1e-6)
    assert record["results"][1]["accuracy"] < record["results"][0]["accuracy"] <= record["clean_accuracy"]


def test_unprojected_steps_add_up_and_are_judged_in_their_sum():
    """A linear model: every step goes the same way."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    images, labels = torch.full((1, 1, 4, 4), 0.5), torch.zeros(1, dtype=torch.long)
    for reading, distance in (("per_step", 0.1), ("per_step_rms", 0.4), ("per_step_sign", 0.1)):
        norm, radius, step = read(reading, 0.02, 5, 16)
        made = pgd_l2(
            net, images, labels, norm=norm, epsilons=[radius], step_sizes=[step], seed=0, steps=5, random_start=False
        )
        judged = judge(net, images, made.images[0], norm=norm, epsilon=radius)
        assert {"l2": judged.l2, "linf": judged.linf}[norm] == pytest.approx([distance], rel=1e-5)
        assert judged.valid.all()


def test_the_last_iterate_counts_even_where_an_earlier_one_was_adversarial():
    class Valley(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            off = x.flatten(1).mean(1) - 0.5
            return torch.stack([(off - 0.03).abs() - 0.015, torch.zeros_like(off)], 1)

    images, labels = torch.full((2, 1, 4, 4), 0.5), torch.zeros(2, dtype=torch.long)
    plan = {"norm": "linf", "epsilons": [0.1], "step_sizes": [0.029], "seed": 0, "random_start": False}
    assert accuracy(Valley(), pgd_l2(Valley(), images, labels, steps=1, **plan).images[0], labels) == 0
    assert accuracy(Valley(), pgd_l2(Valley(), images, labels, steps=2, **plan).images[0], labels) == 1


def test_images_without_a_gradient_stay_and_are_counted(model, data):
    saturated = run(Scaled(model, 1e4), data, random_start=False)["results"][0]
    assert saturated["zero_gradient"] >= saturated["unmoved"] > 50
    assert saturated["nan"] == 0
    assert run(model, data, random_start=False)["results"][0]["unmoved"] == 0


@pytest.mark.parametrize("shift", [-64.0, 64.0])
def test_logits_of_one_sign_switch_nothing_off(model, data, shift):
    for targeted in ("none", "least_likely"):
        shifted, plain = (run(net, data, targeted=targeted)["results"][0] for net in (Scaled(model, 1, shift), model))
        assert shifted["unmoved"] == shifted["zero_gradient"] == 0
        assert abs(shifted["accuracy"] - plain["accuracy"]) < 4


def test_targets_are_fixed_and_their_hits_counted(model, data):
    images, labels = data[0].mul(255).round().div(255), data[1]
    record = run(model, data, targeted="least_likely", epsilon=["0.2", "2.5"], random_start=False, steps=20)
    goal = least_likely(model, images, labels)
    plan = {"norm": "l2", "epsilons": [0.2, 2.5], "step_sizes": [0.025, 0.3125], "steps": 20, "random_start": False}
    made = pgd_l2(model, images, labels, seed=0, targeted="least_likely", **plan)
    hits = [100 * accuracy(model, points, goal) for points in made.images]
    assert [row["target_hit"] for row in record["results"]] == hits
    assert hits[0] < 10 < 80 < hits[1]
    assert "target_hit" not in run(model, data)["results"][0]


class Normalised(nn.Module):
    """Deployed logits of length one."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def raw(self, images: Tensor) -> Tensor:
        return self.model(images)

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.normalize(self.raw(images), dim=1)


def test_raw_logits_are_attacked_and_deployed_ones_judged(model, data):
    images, labels = data
    plan = {"norm": "l2", "epsilons": [0.5], "step_sizes": [0.1], "seed": 0, "steps": 5, "random_start": False}
    raw, deployed = (pgd_l2(Normalised(model), images, labels, output=o, **plan).images for o in ("raw", "deployed"))
    assert torch.equal(raw, pgd_l2(model, images, labels, **plan).images)
    assert (raw - deployed).abs().max() > 0.01
    assert run(Normalised(model), data, output="raw")["attack"]["output"] == "raw"
    with pytest.raises(ValueError, match="needs a model with raw logits"):
        pgd_l2(model, images, labels, output="raw", **plan)


@settings(max_examples=40, deadline=None)
@given(
    reading=st.sampled_from(READINGS),
    value=st.floats(0, 2, width=32),
    steps=st.integers(1, 5),
    targeted=st.sampled_from(["none", "least_likely"]),
    scale=st.sampled_from([1.0, 1e4, 1e-30]),
    seed=st.integers(0, 2**31),
)
def test_no_point_leaves_its_ball_or_the_box(reading, value, steps, targeted, scale, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(3, 1, 5, 5, generator=generator).round(decimals=1)
    net = nn.Sequential(nn.Flatten(), nn.Linear(25, CLASSES, bias=False))
    net[1].weight.data = scale * torch.randn(CLASSES, 25, generator=generator)
    norm, radius, step = read(reading, value, steps, 25)
    made = pgd_l2(
        net, images, torch.arange(3), norm=norm, epsilons=[radius, 2 * radius], step_sizes=[step, 2 * step], seed=seed,
        steps=steps, targeted=targeted, random_start=starts_at_random(reading, None),
    )  # fmt: skip
    for points, bound in zip(made.images, (radius, 2 * radius), strict=True):
        assert judge(net, images, points, norm=norm, epsilon=bound).valid.all()
        delta = (points - images).double().flatten(1)
        moved = delta.abs().amax(1) if norm == "linf" else delta.norm(dim=1)
        assert (moved <= bound + 1e-6 * max(1, bound)).all()
        assert points.min() >= 0 and points.max() <= 1
    assert math.isfinite(float(made.images.sum()))
