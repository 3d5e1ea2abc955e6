"""The honest attack: against the library where that is sound, and where the library is not."""

from __future__ import annotations

import pytest
import torch
import torchattacks
from blobs import CLASSES, Scaled, accuracy, agree, blobs, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lossproof.attacks.gradient import attack
from lossproof.attacks.losses import LOSSES, dlr, margin
from lossproof.attacks.methods.worst_case import least_likely, sweep


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    return blobs()


@pytest.fixture(scope="module")
def model(data: tuple[Tensor, Tensor]) -> nn.Module:
    return trained(data)


def last_iterate(model: nn.Module, images: Tensor, labels: Tensor, **more: object) -> Tensor:
    """The last point that the attack visits, seen through the model."""
    seen: list[Tensor] = []
    hook = model.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach().clone()))
    attack(model, images, labels, **more)  # type: ignore[arg-type]
    hook.remove()
    return seen[-1]


@pytest.mark.parametrize(
    ("library", "ours"),
    [
        (lambda net: torchattacks.FGSM(net, eps=0.05), {"epsilon": 0.05, "steps": 1, "step_size": 0.05}),
        (
            lambda net: torchattacks.BIM(net, eps=0.05, alpha=0.01, steps=8),
            {"epsilon": 0.05, "steps": 8, "step_size": 0.01},
        ),
        (
            lambda net: torchattacks.PGD(net, eps=0.05, alpha=0.01, steps=8, random_start=False),
            {"epsilon": 0.05, "steps": 8, "step_size": 0.01},
        ),
        (
            lambda net: torchattacks.MIFGSM(net, eps=0.05, alpha=0.01, steps=8),
            {"epsilon": 0.05, "steps": 8, "step_size": 0.01, "momentum": 1.0},
        ),
        (
            lambda net: torchattacks.PGDL2(net, eps=0.5, alpha=0.1, steps=8, random_start=False),
            {"norm": "l2", "epsilon": 0.5, "steps": 8, "step_size": 0.1},
        ),
    ],
    ids=["fgsm", "bim", "pgd", "mim", "pgd-l2"],
)
def test_same_iterates_as_the_library(model, data, library, ours):
    images, labels = data
    theirs = library(model)(images, labels)
    assert (theirs - images).abs().max() > 0.02
    agree(last_iterate(model, images, labels, **{"norm": "linf", **ours}), theirs)


def test_same_iterates_from_the_same_random_start(model, data):
    images, labels = data
    torch.manual_seed(5)
    start = (images + torch.empty_like(images).uniform_(-0.05, 0.05)).clamp(0, 1)
    torch.manual_seed(5)
    theirs = torchattacks.PGD(model, eps=0.05, alpha=0.01, steps=8)(images, labels)
    given_start = {"norm": "linf", "epsilon": 0.05, "steps": 8, "step_size": 0.01, "start": start}
    agree(last_iterate(model, images, labels, **given_start), theirs)


def test_same_targeted_iterates_as_the_library(model, data):
    images, labels = data
    library = torchattacks.PGD(model, eps=0.05, alpha=0.01, steps=8, random_start=False)
    library.set_mode_targeted_least_likely(quiet=True)
    target = least_likely(model, images, labels)
    assert (target != labels).all()
    ours = last_iterate(
        model, images, target, norm="linf", epsilon=0.05, steps=8, step_size=0.01, targeted=True
    )  # fmt: skip
    agree(ours, library(images, labels))


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("loss", [*LOSSES])
def test_every_loss_lowers_the_gap_and_keeps_the_best_iterate(model, data, norm, loss):
    images, labels = data
    epsilon = {"linf": 0.04, "l2": 0.4}[norm]
    plan = {"norm": norm, "epsilon": epsilon, "steps": 6, "step_size": epsilon / 2, "loss": loss}
    result = attack(model, images, labels, **plan)
    with torch.no_grad():
        found, clean = (-margin(model(x), labels) for x in (result.images, images))
        last = -margin(model(last_iterate(model, images, labels, **plan)), labels)
    assert torch.allclose(found, result.gap, atol=1e-5)
    assert (result.gap <= clean + 1e-5).all()
    assert (result.gap <= last + 1e-5).all()
    assert found.mean() < clean.mean() - 0.1
    assert torch.equal(result.fooled, result.gap < 0)
    assert not result.zero_gradient.any()


def test_a_worse_last_iterate_does_not_undo_an_earlier_success(data):
    """A valley of the gap: steps go down into it, over it and out on the other side."""

    class Valley(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            off = x.flatten(1).mean(1) - 0.5
            return torch.stack([(off - 0.03).abs() - 0.015, torch.zeros_like(off)], 1)

    images, labels = torch.full((2, 1, 4, 4), 0.5), torch.zeros(2, dtype=torch.long)
    plan = {"norm": "linf", "epsilon": 0.1, "steps": 2, "step_size": 0.029}
    valley = Valley()
    result = attack(valley, images, labels, **plan)
    last = last_iterate(valley, images, labels, **plan)
    assert accuracy(valley, last, labels) == 1
    assert result.fooled.all()


def test_targets_come_nearer(model, data):
    images, labels = data
    target = (labels + 1) % CLASSES
    result = attack(
        model, images, target, norm="linf", epsilon=0.2, steps=10, step_size=0.04, targeted=True, loss="ce"
    )  # fmt: skip
    with torch.no_grad():
        before, after = (cross_entropy(model(x), target, reduction="none") for x in (images, result.images))
        hit = model(result.images).argmax(1) == target
    assert (after < before).all()
    assert hit.float().mean() > 0.5
    assert torch.equal(hit, result.fooled)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("momentum", [0.0, 1.0])
def test_zero_gradients_are_counted_and_moved(model, data, norm, momentum):
    images, labels = data
    labels = model(images).argmax(1)
    saturated = Scaled(model, 1e4)
    plan = {"norm": norm, "epsilon": 0.3, "steps": 3, "step_size": 0.1, "momentum": momentum}
    seen = attack(saturated, images, labels, generator=torch.Generator().manual_seed(0), **plan)
    assert seen.zero_gradient.float().mean() > 0.8
    assert seen.images.isfinite().all()
    last = last_iterate(saturated, images, labels, generator=torch.Generator().manual_seed(0), **plan)
    assert ((last - images).flatten(1).abs().amax(1) > 0.01).all()
    # The margin has a gradient where cross entropy has none, at any scale and shift.
    assert not attack(saturated, images, labels, loss="margin", **plan).zero_gradient.any()


def test_a_detached_model_has_no_gradient_but_nothing_breaks(model, data):
    class Deaf(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return model(x.detach()) + 0 * x.flatten(1).sum(1, keepdim=True)

    result = attack(Deaf(), *data, norm="linf", epsilon=0.1, steps=2, step_size=0.05)
    assert result.zero_gradient.all()
    assert result.images.isfinite().all()


def test_tiny_gradients_still_have_a_direction(model, data):
    """Logits / 1e40: gradients are denormal numbers, whose squares are zero."""
    images, labels = data
    plan = {"norm": "l2", "epsilon": 0.5, "steps": 5, "step_size": 0.1, "loss": "margin"}
    tiny = attack(Scaled(Scaled(model, 1e-20), 1e-20), images, labels, **plan)
    plain = attack(model, images, labels, **plan)
    assert not tiny.zero_gradient.any()
    assert abs(accuracy(model, tiny.images, labels) - accuracy(model, plain.images, labels)) < 0.05


@pytest.mark.parametrize("loss", ["margin", "dlr", "logit"])
def test_losses_hold_for_logits_of_either_sign(model, data, loss):
    images, labels = data
    plan = {"norm": "linf", "epsilon": 0.05, "steps": 5, "step_size": 0.02, "loss": loss}
    plain, negative = (attack(Scaled(model, shift=shift), images, labels, **plan) for shift in (0.0, -64.0))
    assert abs(accuracy(model, plain.images, labels) - accuracy(model, negative.images, labels)) < 0.05
    assert ((negative.images - images).flatten(1).abs().amax(1) > 0).all()


def test_loss_formulas():
    logits = torch.tensor([[-1.0, -4.0, -2.0], [3.0, 5.0, 1.0]])
    labels = torch.tensor([0, 0])
    assert margin(logits, labels).tolist() == [-1.0, 2.0]
    assert dlr(logits, labels).tolist() == pytest.approx([-1 / 3, 0.5])
    with pytest.raises(ValueError, match="3 classes"):
        dlr(logits[:, :2], labels)


def test_restarts_and_losses_only_help(model, data):
    images, labels = data
    plan = {"norm": "linf", "epsilon": 0.03, "steps": 3, "step_size": 0.01, "random_start": True}

    def gaps(**more: object) -> Tensor:
        return attack(model, images, labels, generator=torch.Generator().manual_seed(1), **plan, **more).gap

    one, five, both = gaps(), gaps(restarts=5), gaps(restarts=1, loss=["ce", "margin"])
    assert (five <= one).all()
    assert (five < one).any()
    assert (both <= one).all()
    assert (both < one).any()
    early = gaps(restarts=5, early_drop=True)
    assert torch.equal(early < 0, five < 0)


def test_early_drop_saves_passes(model, data):
    images, labels = data
    rows: list[int] = []
    hook = model.register_forward_hook(lambda _, inputs, __: rows.append(len(inputs[0])))
    plan = {"norm": "linf", "epsilon": 0.15, "steps": 12, "step_size": 0.02}
    full = attack(model, images, labels, **plan)
    full_rows = sum(rows)
    rows.clear()
    early = attack(model, images, labels, early_drop=True, **plan)
    hook.remove()
    assert full.fooled.any()
    assert (full.fooled == early.fooled).all()
    assert sum(rows) < full_rows / 1.5
    assert not full.images.requires_grad
    assert not early.images.requires_grad


def test_a_later_loss_sees_only_what_still_stands(model, data):
    rows: list[int] = []
    hook = model.register_forward_hook(lambda _, inputs, __: rows.append(len(inputs[0])))
    plan = {"norm": "linf", "epsilon": 0.1, "steps": 6, "step_size": 0.02, "early_drop": True}
    once = attack(model, *data, **plan)
    assert len(rows) == 7
    assert 0 < (~once.fooled).sum() < 64
    attack(model, *data, loss=["ce", "margin"], **plan)
    hook.remove()
    assert len(rows) == 21
    assert rows[14] <= rows[13] < 64


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_stacked_sweep_equals_single_runs_and_is_monotone(model, data, norm):
    images, labels = data
    epsilons = [0.02, 0.3, 0.0, 0.08] if norm == "linf" else [0.2, 2.0, 0.0, 0.6]
    sizes = [epsilon / 4 for epsilon in epsilons]
    plan = {"norm": norm, "steps": 5, "random_start": True, "losses": ["ce", "margin"], "early_drop": False}
    stacked = sweep(model, images, labels, epsilons=epsilons, step_sizes=sizes, seed=7, **plan)
    for row, (epsilon, size) in enumerate(zip(epsilons, sizes, strict=True)):
        one = sweep(model, images, labels, epsilons=[epsilon], step_sizes=[size], seed=7, **plan)
        pixel_share = ((one.images[0] - stacked.images[row]).abs() > 1e-5).float().mean()
        assert pixel_share < 0.01, epsilon
    wrong = [1 - accuracy(model, stacked.images[row], labels) for row in (2, 0, 3, 1)]
    assert wrong == sorted(wrong)
    assert wrong[0] < 0.1 < 0.9 < wrong[-1]
    assert torch.equal(stacked.images[2], images)


def test_a_success_in_a_small_ball_counts_in_a_larger_one():
    """A step of the whole budget jumps over the adversarial stripe when the budget is large."""

    class Stripe(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            off = x.flatten(1).mean(1) - 0.5
            return torch.stack([(off - 0.06).abs() - 0.03, torch.zeros_like(off)], 1)

    images, labels = torch.full((1, 1, 3, 3), 0.5), torch.zeros(1, dtype=torch.long)
    plan = {"norm": "linf", "steps": 1, "random_start": False, "seed": 0, "losses": ["ce"]}
    large = sweep(Stripe(), images, labels, epsilons=[0.45], step_sizes=[0.45], **plan)
    both = sweep(Stripe(), images, labels, epsilons=[0.45, 0.06], step_sizes=[0.45, 0.06], **plan)
    assert accuracy(Stripe(), large.images[0], labels) == 1
    assert accuracy(Stripe(), both.images[1], labels) == 0
    assert accuracy(Stripe(), both.images[0], labels) == 0


def test_the_model_comes_back_as_it_was(data):
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(64, CLASSES))
    net.train()
    net[1].eval()
    net[0].bias.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    images, labels = data[0].clone(), data[1]
    attack(net, images, labels, norm="linf", epsilon=0.1, steps=2, step_size=0.05, random_start=True)
    assert [module.training for module in net] == [True, False, True, True, True]
    assert net.training
    assert [p.requires_grad for p in net.parameters()] == [True, False, True, True, True, True]
    assert all(p.grad is None for p in net.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert torch.equal(images, data[0])
    assert not images.requires_grad
    with pytest.raises(ValueError, match="no attack loss"):
        attack(net, images, labels, norm="linf", epsilon=0.1, steps=2, step_size=0.05, loss="hinge")
    with pytest.raises(ValueError, match="no norm"):
        attack(net, images, labels, norm="l1", epsilon=0.1, steps=2, step_size=0.05)
    assert net.training
    assert net[0].weight.requires_grad


def test_equal_seeds_give_equal_bytes(model, data):
    def run(seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        plan = {"norm": "l2", "epsilon": 0.3, "steps": 3, "step_size": 0.1, "random_start": True, "restarts": 2}
        return attack(model, *data, generator=generator, **plan).images

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))


@settings(max_examples=40, deadline=None)
@given(
    norm=st.sampled_from(["linf", "l2"]),
    epsilons=st.lists(st.floats(0, 4, width=32), min_size=3, max_size=3),
    step=st.floats(0, 8, width=32),
    momentum=st.sampled_from([0.0, 0.9]),
    scale=st.sampled_from([1.0, 1e4, 1e-30]),
    random_start=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_no_attack_leaves_its_ball_or_the_box(norm, epsilons, step, momentum, scale, random_start, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(3, 1, 5, 5, generator=generator).round(decimals=1)
    weights = torch.randn(25, 3, generator=generator)
    net = Scaled(nn.Flatten(), scale)
    net.model = nn.Sequential(nn.Flatten(), nn.Linear(25, 3, bias=False))
    net.model[1].weight.data = weights.T.contiguous()
    seen: list[Tensor] = []
    net.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach().clone()))
    attack(
        net, images, torch.tensor([0, 1, 2]), norm=norm, epsilon=torch.tensor(epsilons), steps=3, step_size=step,
        momentum=momentum, random_start=random_start, generator=generator,
    )  # fmt: skip
    for points in seen:
        assert points.isfinite().all()
        assert points.min() >= 0
        assert points.max() <= 1
        delta = (points - images).double().flatten(1)
        moved = delta.abs().amax(1) if norm == "linf" else delta.norm(dim=1)
        assert (moved <= torch.tensor(epsilons).double() + 1e-6).all()
