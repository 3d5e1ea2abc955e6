"""DeepFool through foolbox, and its points cut to radii."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from blobs import CLASSES, Scaled, accuracy, blobs, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lossproof.attacks.methods.deepfool import deepfool
from lossproof.attacks.outcome import Crafted, judge
from lossproof.attacks.protocol import AttackData, run_bundle
from lossproof.catalogue import PACKAGE
from lossproof.training.feeding import Resident


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    return blobs()


@pytest.fixture(scope="module")
def model(data: tuple[Tensor, Tensor]) -> nn.Module:
    return trained(data)


def made(model: nn.Module, images: Tensor, labels: Tensor, *radii: float, **more: int | float) -> Crafted:
    return deepfool(
        model, images, labels, norm="l2", epsilons=radii or [9], step_sizes=[None] * max(1, len(radii)), seed=0, **more
    )  # type: ignore[arg-type]  # fmt: skip


def test_a_linear_model_is_fooled_by_the_shortest_way():
    """Two classes, f = w x + b: the way is |f| / |w|, and the overshoot beyond it (and foolbox's 1e-4)."""
    generator = torch.Generator().manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    net[1].weight.data = 0.2 * torch.randn(2, 16, generator=generator)
    net[1].bias.data.zero_()  # else drawn by whatever ran before; a far boundary would lie outside the box
    images = 0.5 + 0.05 * torch.randn(8, 1, 4, 4, generator=generator)
    logits = net(images)
    found = made(net, images, logits.argmax(1), overshoot=0.05)
    way = (logits[:, 0] - logits[:, 1]).abs() / (net[1].weight[0] - net[1].weight[1]).norm()
    assert found.figures["fooled_unlimited"].all()
    assert torch.allclose(found.figures["l2_unlimited"][0], 1.05 * way, atol=3e-4)
    delta = (found.images[0] - images).flatten(1)
    assert torch.allclose(delta.norm(dim=1), 1.05 * way, atol=3e-4)


@pytest.mark.parametrize("shift", [0.0, -64.0, 64.0])
def test_no_image_of_a_trained_network_stays_unfooled(model, data, shift):
    """torchattacks' DeepFool leaves half of such images; logits of one sign switch nothing off either."""
    found = made(Scaled(model, 1, shift), *data)
    assert found.figures["fooled_unlimited"].all()
    assert accuracy(Scaled(model, 1, shift), found.images[0], data[1]) == 0
    assert not found.zero_gradient.any()
    plain = made(model, *data).figures["l2_unlimited"]
    assert torch.allclose(found.figures["l2_unlimited"], plain, rtol=0.02, equal_nan=True)


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_the_size_of_logits_does_not_matter(model, data, scale):
    plain, scaled = (made(net, *data).figures["l2_unlimited"] for net in (model, Scaled(model, scale)))
    assert torch.allclose(plain, scaled, rtol=0.02, equal_nan=True)


def test_radii_cut_the_same_points(model, data):
    images, labels = data
    free = made(model, images, labels)
    way = (free.images[0] - images).flatten(1).norm(dim=1)
    middle = float(way[way > 0].median())
    found = made(model, images, labels, middle, 0.0, 9.0)
    assert torch.equal(found.images[2], free.images[0])
    assert torch.equal(found.images[1], images)
    inside = way <= middle
    assert torch.equal(found.images[0][inside], free.images[0][inside])
    cut = found.images[0][~inside] - images[~inside]
    assert torch.allclose(cut.flatten(1).norm(dim=1), torch.tensor(middle), rtol=1e-4)
    along = nn.functional.cosine_similarity(cut.flatten(1), (free.images[0] - images)[~inside].flatten(1))
    assert (along > 0.9999).all()
    assert torch.equal(found.figures["l2_unlimited"][0], found.figures["l2_unlimited"][2])


def test_one_run_serves_all_radii(model, data):
    def passes(*radii: float) -> int:
        seen: list[bool] = []
        hook = model.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].requires_grad))
        made(model, *data, *radii)
        hook.remove()
        return sum(seen)

    assert passes(0.1) == passes(0.1, 0.2, 0.3) > 0


def test_the_record_tells_the_way_without_a_limit(model, data):
    images, labels = data
    labels = labels.clone()
    labels[:3] = (labels[:3] + 1) % CLASSES  # wrong from the start: fooled, and no way to go
    pixels = (255 * images).round().byte().numpy()
    split = AttackData(Resident(pixels, labels.numpy(), torch.device("cpu")), np.arange(len(labels)))
    plan = {"method": "deepfool", "epsilon": ["0.2", "5"], "steps": 10}
    record, arrays = run_bundle(model, {"test": split}, {"one": plan}, run_name="x", seed=0)["test", "one"]
    assert record["attack"] | {"name": ""} == plan | {"name": "", "norm": "l2", "track": "printed", "overshoot": 0.02}
    near, far = record["results"]
    assert far["accuracy"] == 0 < near["accuracy"] <= record["clean_accuracy"] < 96
    assert near["step_size_value"] is None and near["invalid"] == far["invalid"] == 0
    found = made(model, split.feed.images.float() / 255, labels, steps=10).figures
    known = found["l2_unlimited"][0][3:]
    for row in (near, far):
        assert row["fooled_unlimited"] == 100
        assert row["mean_l2_unlimited"] == pytest.approx(float(known.mean()), rel=1e-5)
        assert row["median_l2_unlimited"] == pytest.approx(np.median(known.numpy()), rel=1e-5)
    assert found["l2_unlimited"][0, :3].isnan().all()


def test_fewer_iterations_can_fall_short_and_say_so(model, data):
    torch.manual_seed(0)
    wavy = nn.Sequential(nn.Flatten(), nn.Linear(72, 64), _Sine(), nn.Linear(64, CLASSES))
    with torch.no_grad():
        wavy[1].weight.mul_(8)
        wavy[3].bias.copy_(torch.tensor([8.0, 0, 0, 0, 0]))
    labels = torch.zeros(64, dtype=torch.long)
    found = made(wavy, data[0], labels, steps=2)
    fooled = found.figures["fooled_unlimited"][0]
    assert not fooled.all()
    assert found.figures["l2_unlimited"][0].isnan().tolist() == (~fooled).tolist()


class _Sine(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sin()


def test_the_model_comes_back_as_it_was(model, data):
    for parameter in model.parameters():
        parameter.grad = None
    made(model, *data)
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    assert {p.device.type for p in model.parameters()} == {"cpu"}


def test_a_machine_without_git_can_attack(tmp_path):
    code = """
import torch
from torch import nn
from lossproof.attacks.methods.deepfool import deepfool
net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
found = deepfool(
    net, torch.rand(1, 1, 2, 2), torch.tensor([0]), norm="l2", epsilons=[1], step_sizes=[None], seed=0
)
print(found.images.shape)
"""
    environment = os.environ | {"PATH": str(tmp_path), "PYTHONPATH": str(PACKAGE.parent)}
    environment.pop("GIT_PYTHON_REFRESH", None)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "torch.Size([1, 1, 1, 2, 2])\n", done.stderr


@settings(max_examples=25, deadline=None)
@given(
    radii=st.lists(st.floats(0, 4, width=32), min_size=2, max_size=2, unique=True),
    scale=st.sampled_from([1.0, 1e4, 0.0]),
    seed=st.integers(0, 2**31),
)
def test_no_point_leaves_its_ball_or_the_box(radii, scale, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(3, 1, 5, 5, generator=generator).round(decimals=1)
    net = nn.Sequential(nn.Flatten(), nn.Linear(25, 4, bias=False), nn.Tanh(), nn.Linear(4, 3))
    net[1].weight.data = scale * torch.randn(4, 25, generator=generator)
    found = made(net, images, torch.arange(3), *radii, steps=4)
    for points, radius in zip(found.images, radii, strict=True):
        judged = judge(net, images, points, norm="l2", epsilon=radius)
        assert not judged.moved_out_of_ball.any() and not judged.out_of_box.any() and not judged.nan.any()
