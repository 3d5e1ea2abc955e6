"""MIM beside the library's: equal where that is sound, and moving where that freezes."""

from __future__ import annotations

import pytest
import torch
import torchattacks
from blobs import accuracy, agree, blobs, trained
from torch import Tensor, nn

from lossproof.attacks.gradient import attack
from lossproof.attacks.methods.momentum import mim
from lossproof.attacks.outcome import judge


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    return blobs()


@pytest.fixture(scope="module")
def model(data: tuple[Tensor, Tensor]) -> nn.Module:
    return trained(data)


PLAN = {"norm": "linf", "epsilons": [0.05, 0.02], "step_sizes": [0.01, 0.01], "seed": 0, "steps": 8}


@pytest.mark.parametrize("momentum", [1.0, 0.5])
def test_same_points_as_the_library(model, data, momentum):
    made = mim(model, *data, **PLAN, momentum=momentum)
    for points, epsilon in zip(made.images, PLAN["epsilons"], strict=True):
        agree(points, torchattacks.MIFGSM(model, eps=epsilon, alpha=0.01, steps=8, decay=momentum)(*data))
    assert not made.zero_gradient.any()
    assert accuracy(model, made.images[0], data[1]) < accuracy(model, made.images[1], data[1])
    assert not torch.equal(made.images, mim(model, *data, **PLAN, momentum=2 * momentum).images)


class Plateau(nn.Module):
    """Two classes by mean brightness; between two levels the logits do not change at all."""

    def forward(self, x: Tensor) -> Tensor:
        off = x.flatten(1).mean(1) - 0.5
        lead = 0.06 - off.clamp_max(0.02) - (off - 0.04).clamp_min(0)
        return torch.stack([lead, torch.zeros_like(lead)], 1)


def test_a_gradient_that_vanishes_once_does_not_freeze_the_image():
    """The library's image stays on the plateau; ours crosses it on its velocity and is fooled beyond it."""
    images, labels = torch.full((3, 1, 4, 4), 0.5), torch.zeros(3, dtype=torch.long)
    frozen = torchattacks.MIFGSM(Plateau(), eps=0.2, alpha=0.013, steps=12)(images, labels)
    assert torch.allclose(frozen, images + 0.026)
    made = mim(Plateau(), images, labels, norm="linf", epsilons=[0.2], step_sizes=[0.013], seed=0, steps=12)
    assert torch.allclose(made.images[0], images + 12 * 0.013)
    assert made.zero_gradient.all()
    assert accuracy(Plateau(), made.images[0], labels) == 0
    assert judge(Plateau(), images, made.images[0], norm="linf", epsilon=0.2).valid.all()


def test_without_any_gradient_an_image_stays_where_it_is():
    images, labels = torch.full((2, 1, 4, 4), 0.53), torch.zeros(2, dtype=torch.long)
    made = mim(Plateau(), images, labels, norm="linf", epsilons=[0.2], step_sizes=[0.01], seed=0, steps=3)
    assert torch.equal(made.images[0], images) and made.zero_gradient.all()


def test_the_plain_loop_refuses_what_it_cannot_do(model, data):
    plan = {"norm": "linf", "epsilon": 0.1, "steps": 2, "step_size": 0.05, "plain": True}
    for more in ({"early_drop": True}, {"loss": ["ce", "margin"]}, {"restarts": 2, "random_start": True}):
        with pytest.raises(ValueError, match="one run of one loss"):
            attack(model, *data, **plan, **more)
