"""The strongest attack: what it may count as found, what masks nothing from it, and what a record shows of it."""

from __future__ import annotations

import itertools
import warnings
from collections import Counter

import numpy as np
import pytest
import torch
from blobs import CLASSES, Scaled, accuracy, blobs, trained
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lossproof.attacks import members as parts
from lossproof.attacks.gradient import attack
from lossproof.attacks.losses import LOSSES
from lossproof.attacks.methods.ensemble import CATALOGUE, DEFAULT, ensemble
from lossproof.attacks.outcome import judge
from lossproof.attacks.protocol import AttackData, resolve, run_bundle
from lossproof.catalogue import catalogue
from lossproof.defences.random_resize import RandomResize
from lossproof.models.classifier import build
from lossproof.planning import cost
from lossproof.training.feeding import Resident

SHORT = {"steps": 10, "queries": 150}
BUDGETS = {"linf": [0.08, 0.03, 0.1], "l2": [0.3, 0.8, 0.1]}


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    images, labels = blobs()
    return images[:24], labels[:24]


@pytest.fixture(scope="module")
def model() -> nn.Module:
    return trained(blobs())


@pytest.fixture(scope="module")
def twin() -> nn.Module:
    torch.manual_seed(5)
    net = nn.Sequential(nn.Flatten(), nn.Linear(72, 16), nn.ReLU(), nn.Linear(16, CLASSES))
    images, labels = blobs()
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(40):
        optimiser.zero_grad()
        cross_entropy(net(images), labels).backward()
        optimiser.step()
    return net.eval()


@pytest.fixture(scope="module", params=["linf", "l2"])
def whole(request, data, model, twin):
    """(norm, what the whole ensemble makes)"""
    norm = request.param
    return norm, ensemble(model, *data, norm=norm, epsilons=BUDGETS[norm], substitute=twin, **SHORT)


def stands(model: nn.Module, data: tuple[Tensor, Tensor], made: Tensor, norm: str, epsilon: float) -> np.ndarray:
    """[N] bool, by the judge of every record."""
    outcome = judge(model, data[0], made, norm=norm, epsilon=epsilon)
    assert outcome.valid.all()
    return outcome.predictions == data[1].numpy()


def plain(model: nn.Module, data: tuple[Tensor, Tensor], epsilon: float) -> float:
    """Accuracy under PGD on cross entropy as papers run it."""
    made = attack(model, *data, norm="linf", epsilon=epsilon, steps=40, step_size=epsilon / 10, plain=True)
    return accuracy(model, made.images, data[1])


# What a result is


def test_the_defaults_of_the_function_are_those_of_the_settings():
    found = resolve({"method": "ensemble"})
    assert list(found["members"]) == DEFAULT and found["track"] == "honest"
    schema = CATALOGUE["ensemble"]["parameters"]["members"]["items"]["enum"]
    assert schema == list(parts.MEMBERS) == list(CATALOGUE["ensemble"]["members"])
    assert (found["steps"], found["targets"], found["queries"], found["substitute"]) == (100, 9, 5000, None)


def test_every_point_is_in_its_ball_and_the_figures_say_what_the_judge_does(whole, data, model):
    norm, made = whole
    figures = {name: figure.numpy() for name, figure in made.figures.items()}
    assert list(figures) == [f"stands_{name.replace('-', '_')}" for name in DEFAULT]
    for at, epsilon in enumerate(BUDGETS[norm]):
        column = [figure[at] for figure in figures.values()]
        assert all((later <= earlier).all() for earlier, later in itertools.pairwise(column))
        assert np.array_equal(column[-1], stands(model, data, made.images[at], norm, epsilon))
    # A larger budget leaves no more, image by image, from the first member on.
    small, middle, large = np.argsort(BUDGETS[norm])
    for figure in figures.values():
        assert (figure[large] <= figure[middle]).all() and (figure[middle] <= figure[small]).all()
    last = figures["stands_transfer"]
    assert 0 < last[large].mean() < last[small].mean() or last[large].mean() == 0
    # What still stands was searched too: the point that came nearest to the boundary.
    assert ((made.images[small] - data[0]).flatten(1).abs().amax(1) > 0).all()


@pytest.mark.parametrize("member", [*DEFAULT, "apgd-dlr"])
def test_no_member_alone_finds_more(whole, data, model, twin, member):
    norm, made = whole
    alone = ensemble(model, *data, norm=norm, epsilons=BUDGETS[norm], substitute=twin, members=[member], **SHORT)
    for at, epsilon in enumerate(BUDGETS[norm]):
        both = [stands(model, data, one.images[at], norm, epsilon) for one in (made, alone)]
        assert both[0].sum() <= both[1].sum()
    assert list(alone.figures) == [f"stands_{member.replace('-', '_')}"]
    # Each finds something at the largest budget.
    assert not alone.figures[f"stands_{member.replace('-', '_')}"][np.argmax(BUDGETS[norm])].all()


def test_equal_seeds_give_equal_bytes_and_the_global_draws_go_on(data, model, twin):
    given = {"norm": "linf", "epsilons": [0.03, 0.08], "substitute": twin, **SHORT}
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = ensemble(model, *data, seed=3, **given)
    assert torch.equal(torch.rand(3), expected)
    again = ensemble(model, *data, seed=3, **given)
    assert torch.equal(first.images, again.images) and torch.equal(first.zero_gradient, again.zero_gradient)
    assert not torch.equal(first.images, ensemble(model, *data, seed=4, **given).images)
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(parameter.grad is None or not parameter.grad.any() for parameter in model.parameters())


def test_a_member_draws_the_same_whatever_ran_before(data, model):
    """At a budget at which nothing falls, every member attacks all images."""
    given = {"norm": "linf", "epsilons": [0.001], **SHORT}
    searched = ensemble(model, *data, members=["margin"], **given).images
    again = ensemble(model, *data, members=["square", "margin"], **given).images
    # Where square came nearer to the boundary, its point stays.
    assert (searched == again).flatten(1).all(1).float().mean() > 0.5


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("steps", [1, 5])
def test_few_images_and_few_steps(data, model, twin, norm, count, steps):
    some = (data[0][:count], data[1][:count])
    made = ensemble(model, *some, norm=norm, epsilons=[0.05, 3.0], substitute=twin, steps=steps, queries=20)
    assert not stands(model, some, made.images[1], norm, 3.0).any()
    assert made.images.shape == (2, count, 2, 6, 6)


def test_nothing_is_asked_where_nothing_stands(data, model):
    wrong = (data[0], (data[1] + 1) % CLASSES)
    kept = accuracy(model, *wrong) == 0
    made = ensemble(model, *wrong, norm="linf", epsilons=[0.1], **SHORT)
    assert kept and torch.equal(made.images[0], data[0]) and not made.figures["stands_square"].any()


def test_no_budget_no_attack(data, model):
    made = ensemble(model, *data, norm="l2", epsilons=[0.0], **SHORT)
    assert torch.equal(made.images[0], data[0]) and made.figures["stands_apgd_ce"].all()


class First(nn.Module):
    """The first few logits of a model."""

    def __init__(self, model: nn.Module, classes: int) -> None:
        super().__init__()
        self.model, self.classes = model, classes

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images)[:, : self.classes]


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_few_classes(data, model, norm, classes):
    net = First(model, classes)
    rows = data[1] < classes
    some = (data[0][rows], data[1][rows])
    epsilons = [0.3] if norm == "linf" else [3.0]
    for member in ("apgd-ce", "apgd-dlr", "apgd-t", "fab-t"):
        made = ensemble(net, *some, norm=norm, epsilons=epsilons, members=[member], **SHORT)
        if (member, classes) == ("apgd-dlr", 2):
            assert not made.figures
        else:
            assert not stands(net, some, made.images[0], norm, epsilons[0]).any(), member


def test_members_that_cannot_run_are_not_in_the_figures(data, model):
    made = ensemble(model, *data, norm="linf", epsilons=[0.05], **SHORT)
    assert [name for name in made.figures if "transfer" in name] == []
    tiny = nn.Sequential(nn.Flatten(), nn.Linear(16, 4))
    images = torch.rand(3, 1, 4, 4)
    found = {norm: ensemble(tiny, images, torch.arange(3), norm=norm, epsilons=[0.05], **SHORT) for norm in BUDGETS}
    assert "stands_square" in found["linf"].figures and "stands_square" not in found["l2"].figures
    with pytest.raises(ValueError, match=r"no member apgd of the ensemble; known: apgd-ce, "):
        ensemble(model, *data, norm="linf", epsilons=[0.05], members=["apgd"])


# Masked gradients


class Rounded(nn.Module):
    """The model on pixels of few levels: its gradient is zero everywhere."""

    def __init__(self, model: nn.Module, levels: int = 16) -> None:
        super().__init__()
        self.model, self.levels = model, levels

    def forward(self, images: Tensor) -> Tensor:
        return self.model((images * self.levels).round() / self.levels)


class Cut(Rounded):
    """The same without any gradient at all: asking for one is an error."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.detach()).detach()


def test_saturated_logits_hide_nothing(data, model):
    masked = Scaled(model, 1e4)
    assert plain(masked, data, 0.1) > 0.9
    made = ensemble(masked, *data, norm="linf", epsilons=[0.1], **SHORT)
    bare = ensemble(model, *data, norm="linf", epsilons=[0.1], **SHORT)
    assert stands(masked, data, made.images[0], "linf", 0.1).sum() <= bare.figures["stands_square"].sum() < 8
    assert made.zero_gradient.float().mean() > 0.5 and not bare.zero_gradient.any()
    # Cross entropy is what is blind, not its scaled form, nor the losses that have no scale.
    for member in ("apgd-t", "fab-t", "margin", "unit_gap"):
        alone = ensemble(masked, *data, norm="linf", epsilons=[0.1], members=[member], **SHORT)
        assert alone.figures[f"stands_{member.replace('-', '_')}"].sum() < 8, member


def test_float64_sees_what_float32_rounds_away(data, model):
    masked = Scaled(model, 300.0)  # gaps of 60 to 360; float32 ends at 104, float64 at 745
    alone = ensemble(masked, *data, norm="linf", epsilons=[0.1], members=["float64"], **SHORT)
    assert alone.figures["stands_float64"].float().mean() < 0.4 < 0.7 < plain(masked, data, 0.1)


@pytest.mark.parametrize("kind", [Rounded, Cut])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_gradient_that_is_nowhere_is_done_without(data, model, kind, norm):
    masked, epsilon = kind(model), {"linf": 0.15, "l2": 1.5}[norm]
    if kind is Rounded:
        assert plain(masked, data, 0.15) == accuracy(masked, *data) > 0.9
    made = ensemble(masked, *data, norm=norm, epsilons=[epsilon], steps=10, queries=500)
    assert stands(masked, data, made.images[0], norm, epsilon).mean() < 0.5
    assert made.zero_gradient.float().mean() > 0.9


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_no_factor_on_the_logits_matters(data, model, norm, scale):
    epsilon = BUDGETS[norm][0]
    for member in ("apgd-t", "fab-t", "margin", "unit_gap"):
        left = [
            ensemble(net, *data, norm=norm, epsilons=[epsilon], members=[member], **SHORT).images[0]
            for net in (model, Scaled(model, scale))
        ]
        counts = [stands(model, data, one, norm, epsilon).sum() for one in left]
        assert abs(counts[0] - counts[1]) <= 1, (member, counts)


def test_the_scaled_loss_has_no_scale(data, model):
    def gradient(scale: float, loss: str) -> Tensor:
        images = data[0].clone().requires_grad_(True)
        (found,) = torch.autograd.grad(LOSSES[loss](scale * model(images), data[1]).sum(), images)
        return found

    one, large = gradient(1.0, "unit_gap"), gradient(1e4, "unit_gap")
    torch.testing.assert_close(one, large, rtol=1e-3, atol=1e-3 * float(one.abs().max()))
    assert one.flatten(1).any(1).all() and not gradient(1e4, "ce").flatten(1).any(1).all()
    tie = torch.zeros(2, 3, requires_grad=True)
    (found,) = torch.autograd.grad(LOSSES["unit_gap"](tie, torch.tensor([0, 2])).sum(), tie)
    assert found.isfinite().all()


# The library's faults


class Broken(nn.Module):
    """A model whose logits are not finite on some images."""

    def __init__(self, model: nn.Module, value: float) -> None:
        super().__init__()
        self.model, self.value = model, value

    def forward(self, images: Tensor) -> Tensor:
        logits = self.model(images)
        dark = images.flatten(1).mean(1, keepdim=True) < 0.5
        others = torch.arange(logits.shape[1]) != 1
        return torch.where(dark & others, torch.full_like(logits, self.value), logits)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("value", [float("-inf"), float("nan")])
def test_logits_that_are_not_finite_stop_nothing(data, model, norm, value):
    made = ensemble(Broken(model, value), *data, norm=norm, epsilons=[BUDGETS[norm][0]], **SHORT)
    assert made.images.isfinite().all()


def test_the_library_is_silent(data, model, capfd, caplog):
    with warnings.catch_warnings(), caplog.at_level(0):
        warnings.simplefilter("error")
        ensemble(Rounded(model), *data, norm="linf", epsilons=[0.1], **SHORT)
    assert capfd.readouterr() == ("", "") and not caplog.records


def test_the_boundary_is_searched_once_for_all_budgets(data, model, monkeypatch):
    asked: Counter[tuple[bytes, int]] = Counter()
    search = parts._Fab.attack_single_run

    def noted(self, x, y=None, **how):
        asked.update((image.numpy().tobytes(), int(goal)) for image, goal in zip(x, self.goals, strict=True))
        return search(self, x, y, **how)

    monkeypatch.setattr(parts._Fab, "attack_single_run", noted)
    epsilons = [0.03, 0.05, 0.08, 0.12]
    made = ensemble(model, *data, norm="linf", epsilons=epsilons, members=["fab-t"], steps=20)
    assert set(asked.values()) == {1}
    assert len({image for image, _ in asked}) == len(data[0])
    # And finds what a search at that budget alone finds.
    for at, epsilon in enumerate(epsilons):
        alone = ensemble(model, *data, norm="linf", epsilons=[epsilon], members=["fab-t"], steps=20)
        assert abs(int((made.figures["stands_fab_t"][at] ^ alone.figures["stands_fab_t"][0]).sum())) <= 1


def test_a_run_ends_when_all_is_found(data, model):
    """At a budget at which the first step succeeds, the passes do not grow with the steps."""

    def asked(steps: int) -> int:
        count = 0

        def note(*_) -> None:
            nonlocal count
            count += 1

        hook = model.register_forward_hook(note)
        ensemble(model, *data, norm="linf", epsilons=[1.0], members=["apgd-ce", "apgd-t", "fab-t"], steps=steps)
        hook.remove()
        return count

    assert asked(100) == asked(20) < 30


# Models that draw at each pass


def test_a_model_that_draws_is_judged_on_its_mean():
    torch.manual_seed(0)
    net = build("cnn2", num_classes=4, in_channels=1, image_size=32, transform=RandomResize(28))
    images = torch.rand(6, 1, 28, 28)
    labels = net.eval()(images).argmax(1)
    given = {"norm": "linf", "epsilons": [0.02, 0.3], "draws": 4, "steps": 5, "queries": 10}
    made, again = (ensemble(net, images, labels, **given) for _ in range(2))
    assert torch.equal(made.images, again.images)
    assert made.figures["stands_square"][1].sum() <= made.figures["stands_square"][0].sum()
    assert judge(net, images, made.images[1], norm="linf", epsilon=0.3).valid.all()


# Records


def bundle(model: nn.Module, twin: nn.Module | None, more: dict | None = None) -> dict:
    images, labels = blobs()
    feed = Resident((255 * images[:16]).round().byte().numpy(), labels[:16].numpy(), torch.device("cpu"))
    plans = {
        **(more or {}),
        "jury": {"method": "ensemble", "epsilon": ["0.05", "0.1"], "substitute": "twin", **SHORT},
    }
    given = {"jury": twin} if twin else {}
    return run_bundle(
        model, {"test": AttackData(feed, np.arange(16))}, plans, run_name="x", seed=0, substitutes=given
    )  # fmt: skip


def test_a_record_shows_whether_there_was_a_twin(model, twin):
    for given, last in ((twin, "stands_transfer"), (None, "stands_square")):
        record, arrays = bundle(model, given)["test", "jury"]
        for row, predictions in zip(record["results"], arrays["adversarial"], strict=True):
            figures = [name for name in row if name.startswith("stands_")]
            assert figures[-1] == last and len(figures) == 7 + (given is not None)
            assert [row[name] for name in figures] == sorted((row[name] for name in figures), reverse=True)
            assert row[last] == row["accuracy"] == 100 * (predictions == arrays["label"]).mean()
            assert row["invalid"] == row["unmoved"] == 0
        assert record["attack"]["substitute"] == "twin"


def test_a_record_does_not_hang_on_other_attacks(model):
    more = {"pgd": {"method": "pgd", "epsilon": "0.1", "steps": 3}}
    alone, beside = bundle(model, None)["test", "jury"], bundle(model, None, more)["test", "jury"]
    assert alone[0] == beside[0] and np.array_equal(alone[1]["adversarial"], beside[1]["adversarial"])


def test_the_plan_counts_each_member():
    entry = catalogue("attacks")["ensemble"]
    plan = {"method": "ensemble", **entry.defaults(), "epsilon": ["0.1", "0.2"], "steps": 10, "queries": 100}
    white = cost.passes(plan | {"members": ["apgd-ce", "apgd-t"], "targets": 3})
    assert white == (2 * 10 * 4, 1 + 2 * 2)
    assert cost.passes(plan | {"members": ["square"]}) == (0, 1 + 2 * 102 + 20)
