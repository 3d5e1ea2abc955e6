"""Attacks crafted on one network and judged on another."""

from __future__ import annotations

import pytest
import torch
from blobs import accuracy, agree, blobs, trained
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lossproof.attacks.methods.momentum import mim
from lossproof.attacks.methods.transfer import CATALOGUE, transfer
from lossproof.attacks.outcome import Crafted


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    return blobs()


@pytest.fixture(scope="module")
def substitute(data: tuple[Tensor, Tensor]) -> nn.Module:
    return trained(data)


class Unasked(nn.Module):
    """A model that a transferred attack must not look at."""

    def forward(self, images: Tensor) -> Tensor:
        raise AssertionError("asked")


def made(substitute: nn.Module, images: Tensor, labels: Tensor, **more: object) -> Crafted:
    plan = {"norm": "linf", "epsilons": [0.02, 0.1], "step_sizes": [0.01, 0.01], "seed": 3, "steps": 12} | more
    return transfer(Unasked(), images, labels, substitute=substitute, **plan)  # type: ignore[arg-type]


def test_mim_is_mim_on_the_substitute(substitute, data):
    found = made(substitute, *data, momentum=1.0, random_start=False)
    plan = {"norm": "linf", "epsilons": [0.02, 0.1], "step_sizes": [0.01, 0.01], "seed": 0, "steps": 12}
    assert torch.equal(found.images, mim(substitute, *data, **plan).images)


def test_pgd_starts_at_random_and_ends_with_its_last_step(substitute, data):
    images, labels = data
    found = made(substitute, *data)
    assert torch.equal(found.images, made(substitute, *data).images)
    assert not torch.equal(found.images, made(substitute, *data, seed=4).images)
    start = made(substitute, *data, step_sizes=[0.0, 0.0]).images
    for points, begun, epsilon in zip(found.images, start, (0.02, 0.1), strict=True):
        assert 0.9 * epsilon < float((begun - images).abs().max()) <= epsilon + 1e-6
        for _ in range(12):
            begun = begun.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(cross_entropy(substitute(begun), labels, reduction="sum"), begun)
            begun = (images + (begun.detach() + 0.01 * slope.sign() - images).clamp(-epsilon, epsilon)).clamp(0, 1)
        agree(points, begun)


def test_the_figure_tells_of_the_substitute(substitute, data):
    found = made(substitute, *data)
    shares = found.figures["fooled_substitute"].float().mean(1).tolist()
    assert shares == pytest.approx([1 - accuracy(substitute, points, data[1]) for points in found.images])
    assert shares[0] < shares[1] and shares[1] > 0.1
    # Another network of the same data is fooled too.
    with torch.random.fork_rng():
        torch.manual_seed(7)
        other = nn.Sequential(nn.Flatten(), nn.Linear(72, 16), nn.ReLU(), nn.Linear(16, 5))
    adam = torch.optim.Adam(other.parameters(), lr=0.01)
    for _ in range(200):
        adam.zero_grad()
        cross_entropy(other(data[0]), data[1]).backward()
        adam.step()
    assert accuracy(other, *data) > 0.95
    assert accuracy(other, made(substitute, *data, epsilons=[0.02, 0.2]).images[1], data[1]) < 0.9


def test_the_substitute_comes_back_as_it_was(substitute, data):
    made(substitute, *data)
    assert all(p.requires_grad and p.grad is None for p in substitute.parameters())
    assert CATALOGUE["transfer"]["substitute"] is True
