"""The numbers behind the diagnostics, against direct computations; and when a number is a flag."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import planted
import pytest
import torch
from planted import digits, trained
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lossproof.attacks.gradient import attack
from lossproof.attacks.losses import ce, gap
from lossproof.attacks.methods.spsa import directions
from lossproof.jury import bench as module
from lossproof.jury.bench import Bench, Variant
from lossproof.jury.diagnostics.d01_gradients import gradient_size, zero_gradients
from lossproof.jury.diagnostics.d03_one_step import one_step
from lossproof.jury.diagnostics.d04_budgets import monotone, unbounded
from lossproof.jury.diagnostics.d06_trajectory import gains
from lossproof.jury.diagnostics.d08_without_gradients import black_box, noise
from lossproof.jury.diagnostics.d09_outputs import unstable
from lossproof.jury.diagnostics.d10_points import transfer_failure, unmoved
from lossproof.jury.diagnostics.d11_transfer import twin_transfer
from lossproof.jury.diagnostics.d13_logit_scale import logit_scale
from lossproof.jury.diagnostics.d14_loss_swap import Towards, loss_swap
from lossproof.jury.diagnostics.d15_effort import effort
from lossproof.jury.diagnostics.d18_simba import acceptance
from lossproof.jury.diagnostics.d19_minimal_norm import minimal_norm
from lossproof.jury.diagnostics.surface import surface
from lossproof.jury.finding import Finding, flag, oftener, paired, plain, sign_test
from lossproof.jury.subject import Subject

EPSILON = 0.15


def bench(model: nn.Module | None = None, count: int = 30, **more: Any) -> Bench:
    _, _, images, labels = digits()
    given = {"norm": "linf", "epsilon": "0.15", "epsilon_value": EPSILON, "names": ("numbers",), **more}
    return Bench(Subject(trained() if model is None else model, images[:count], labels[:count], **given))


def by_hand(one: Bench, model: nn.Module, scale: float = 1.0, steps: int = 10, factor: float = 1.0) -> np.ndarray:
    """Who is fooled, [N], at any iterate of PGD on cross entropy, each number of steps run anew."""
    fooled = np.zeros(len(one), bool)
    for count in range(1, steps + 1):
        made = attack(
            planted.Scaled(model, scale), one.images, one.labels, norm="linf", epsilon=EPSILON * factor, steps=count,
            step_size=EPSILON * factor * 2.5 / steps, random_start=True, plain=True,
            generator=one.generator("start", 0, 0),
        )  # fmt: skip
        fooled |= (model(made.images).argmax(1) != one.labels).numpy()
    return fooled


def test_only_right_images_are_on_the_bench():
    _, _, images, labels = digits()
    net = trained()
    one = bench(count=200)
    right = net(images).argmax(1) == labels
    assert 180 < len(one) == int(right.sum()) < 200 and one.clean_accuracy == 100 * len(one) / 200
    assert torch.equal(one.images, images[right]) and torch.equal(one.logits, net(images)[right])


def test_a_trace_is_pgd_as_printed():
    one = bench()
    (trace,) = one.pgd(steps=10)
    assert trace.ever.tolist() == by_hand(one, trained()).tolist() and 0 < trace.ever.sum() < len(one)
    assert trace.gaps.shape == trace.losses.shape == (11, len(one)) and trace.losses.dtype == torch.float64
    assert one.pgd(steps=10)[0] is trace
    points = one.trace("again", steps=10)[0].points
    assert points is not None and torch.allclose(gap(trained()(points), one.labels), trace.gaps[-1], atol=1e-4)
    assert torch.allclose(cross_entropy(trained()(points), one.labels, reduction="none").double(), trace.losses[-1],
                          atol=1e-4)  # fmt: skip
    assert (points - one.images).abs().max() <= EPSILON + 1e-6


def test_batches_of_any_size_find_the_same(monkeypatch):
    whole = bench(model=planted.Scaled(trained(), 10))
    first = whole.pgd(steps=10, factors=[1, 0.5])
    monkeypatch.setattr(module, "fitting", lambda *_: 20)
    parts = bench(model=planted.Scaled(trained(), 10))
    assert parts.size() == 20 and parts.size(2) == 10
    second = parts.pgd(steps=10, factors=[1, 0.5])
    for one, other in zip(first, second, strict=True):
        assert one.gaps.shape == other.gaps.shape
        # The first images draw the same numbers; later batches draw their own.
        assert torch.allclose(one.gaps[0, :10], other.gaps[0, :10], atol=1e-3)
    rows = np.arange(len(parts)) % 3 == 0
    assert parts.search("some", rows, losses=["ce"], steps=5)[~rows].sum() == 0


def test_zero_and_tiny_gradients_image_by_image():
    one = bench(model=planted.Scaled(trained(), 12))
    found, size = zero_gradients(one), gradient_size(one)
    zeros, norms = [], []
    for image, label in zip(one.images, one.labels, strict=True):
        point = image[None].clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(cross_entropy(12 * trained()(point), label[None]), point)
        zeros.append(not gradient.any())
        norms.append(float(gradient.double().norm()))
    assert found.curves["percent"][0] == pytest.approx(100 * np.mean(zeros)) and 0 < sum(zeros) < len(zeros)
    assert found.value == found.curves["percent"][0] and found.curves["percent"][1:] == [0, 0]
    assert size.value == pytest.approx(100 * np.mean(np.array(norms) < 1e-10))
    # Of an even number of images the median of logarithms is that of the middle two.
    assert 10 ** size.curves["median_log10"] == pytest.approx(
        np.prod(np.sort(norms)[[(len(norms) - 1) // 2, len(norms) // 2]]) ** 0.5, rel=1e-3
    )
    assert size.curves["gaps_above_17"] == pytest.approx(
        100 * float((gap(12 * trained()(one.images), one.labels) > 17).float().mean())
    )


def test_one_step_and_growth_by_hand():
    one = bench()
    found = one_step(one, steps=10)
    point = one.images.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(cross_entropy(trained()(point), one.labels), point)
    single = (one.images + EPSILON * gradient.sign()).clamp(0, 1)
    stands = 100 * float((trained()(single).argmax(1) == one.labels).float().mean())
    many = by_hand(one, trained())
    assert found.curves == {"fgsm": pytest.approx(stands), "pgd": pytest.approx(100 * np.mean(~many))}
    assert found.value == pytest.approx(stands - 100 * np.mean(~many))
    factors = [0.25, 1, 3]
    levels = monotone(one, steps=10, factors=factors).curves["accuracy"]
    assert levels == pytest.approx([100 * np.mean(~by_hand(one, trained(), factor=factor)) for factor in factors])
    assert unbounded(one, steps=10, restarts=1).value == 0


def test_scales_share_a_batch_and_change_nothing_else():
    one = bench(model=planted.Scaled(trained(), 30))
    found = logit_scale(one, steps=10, scales=[0.01, 1, 100])
    for scale, level in zip(found.curves["scale"], found.curves["accuracy"], strict=True):
        assert level == pytest.approx(100 * np.mean(~by_hand(one, trained(), scale=30 * scale))), scale
    small, usual, large = found.curves["accuracy"]
    assert found.value == pytest.approx(usual - min(small, large, found.curves["float64"]))
    # What float32 rounds away is there in float64.
    assert found.curves["float64"] < usual - 20
    twice = one.trace("two", [Variant(scale=0.5), Variant(factor=0.5)], steps=10)
    alone = [one.trace("one", [variant], steps=10)[0] for variant in (Variant(scale=0.5), Variant(factor=0.5))]
    assert all(torch.allclose(a.gaps, b.gaps, atol=1e-3) for a, b in zip(twice, alone, strict=True))


def test_what_the_last_steps_gain_is_the_published_arithmetic():
    losses = torch.rand(30, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    losses[:, 0] = 2.0  # no range
    losses[:, 1] = torch.arange(30) / 29
    for last in (2, 10, 40):
        expected = []
        for column in losses.T.numpy():
            left = -column
            left = left - left.min()
            left = left / left.max() if left.max() else left
            smallest = np.minimum.accumulate(left)
            tail = smallest[-min(last, len(smallest)) :]
            expected.append(tail.max() - tail.min())
        assert gains(losses, last).numpy() == pytest.approx(np.array(expected))
    assert float(gains(losses, 10)[1]) == pytest.approx(9 / 29) and float(gains(losses, 10)[0]) == 0


def test_square_is_asked_about_what_stands():
    robust = bench(model=trained("0.15"))
    found = black_box(robust, queries=200, steps=10, restarts=1)
    worst = robust.search("again", np.ones(len(robust), bool), losses=["ce", "margin"], steps=10)
    assert found.curves["white_box"] == pytest.approx(100 * np.mean(~worst)) and 20 < found.curves["white_box"] < 95
    notes = {note.attack: note for note in robust.notes}
    assert notes["square"].made == int((~worst).sum())
    assert found.value == pytest.approx(found.curves["white_box"] - found.curves["with_square"])
    blind = black_box(bench(model=planted.Reversed(trained())), queries=200, steps=10, restarts=1)
    assert blind.value is not None and blind.value > 25
    assert blind.p == pytest.approx(0.5 ** round(blind.value * blind.n_images / 100))


def test_changes_of_the_loss_offset_by_offset():
    one = bench(twin=trained(seed=1))
    found = unstable(one, offsets=7, radius=0.1)
    both = trained(seed=1)(one.images).argmax(1) == one.labels
    images, labels = one.images[both], one.labels[both]
    moves = 0.1 * (torch.rand(7, *images.shape, generator=one.generator("offsets")) - 0.5)
    for net, name in ((trained(), "own"), (trained(seed=1), "twin")):
        before = ce(net(images), labels)
        changes = torch.stack([(ce(net(images + move), labels) - before).abs() / before for move in moves])
        assert found.curves[name] == pytest.approx(float(changes.mean(0).clamp(max=1).mean()), rel=1e-3)
    assert found.value == pytest.approx(found.curves["own"] - found.curves["twin"], rel=1e-4)


def test_points_of_the_twin_are_judged_on_the_network():
    twin, one = trained(seed=1), bench(twin=trained(seed=1))
    found = twin_transfer(one, steps=10)
    made = attack(
        twin, one.images, one.labels, norm="linf", epsilon=EPSILON, steps=10, step_size=EPSILON / 4, random_start=True,
        plain=True, generator=one.generator("start", 0, 0),
    )  # fmt: skip
    stands = 100 * float((trained()(made.images).argmax(1) == one.labels).float().mean())
    assert found.curves["transferred"] == pytest.approx(stands)
    assert found.value == pytest.approx(stands - 100 * np.mean(~by_hand(one, trained())))
    # That a point of another network fails here is no fault of an attack.
    assert not transfer_failure(one).value and all(not note.mismatched for note in one.notes)


def test_the_targeted_loss_is_that_of_autoattack():
    from pyautoattack.autopgd_base import APGDAttack_targeted

    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(20, 6, generator=generator), torch.randint(6, (20,), generator=generator)
    targets = (labels + 1 + torch.randint(5, (20,), generator=generator)) % 6
    theirs = APGDAttack_targeted.dlr_loss_targeted(SimpleNamespace(y_target=targets), logits, labels)
    rows = torch.tensor([3, 1, 19])
    assert torch.allclose(Towards(targets).of(torch.arange(20))(logits, labels), theirs, atol=1e-6)
    assert torch.allclose(Towards(targets).of(rows)(logits[rows], labels[rows]), theirs[rows], atol=1e-6)
    few = Towards(torch.tensor([1])).of(torch.tensor([0]))(torch.tensor([[3.0, 1.0, 0.0]]), torch.tensor([0]))
    assert few.tolist() == [-2.0]


def test_losses_are_swapped_and_targets_tried_in_turn():
    seen: list[int] = []

    def own(logits: Tensor, labels: Tensor) -> Tensor:
        seen.append(len(labels))
        return cross_entropy(logits, labels, reduction="none")

    found = loss_swap(bench(criterion=own), steps=10, targets=9)
    levels = dict(zip(found.curves["loss"], found.curves["accuracy"], strict=True))
    assert seen and levels["own"] == levels["ce"]
    one = bench()
    first = loss_swap(one, steps=10, targets=1)
    assert first.curves["loss"] == ["ce", "margin", "dlr", "targeted dlr"]
    assert first.curves["accuracy"][3] >= levels["targeted dlr"] and first.curves["ce and margin"] <= levels["ce"]
    made = [note.made for note in one.notes if note.attack == "targets"]
    assert made == [len(one)]


def test_effort_is_spent_on_what_stands():
    one = bench(model=trained("0.15"))
    found = effort(one, steps=[2, 10], restarts=[1, 3], restart_steps=4)
    (short,), (few,) = one.pgd(steps=2), one.pgd(steps=4)
    assert found.curves["steps_accuracy"][0] == pytest.approx(100 * np.mean(~short.fooled))
    assert found.curves["restarts_accuracy"][0] == pytest.approx(100 * np.mean(~few.fooled))
    again = [note.made for note in one.notes if note.attack == "pgd again"]
    assert again[0] == int((~short.fooled).sum()) and again[1] == int((~few.fooled).sum()) >= again[2]
    assert found.value == pytest.approx(
        max(0, *(np.subtract(*found.curves[f"{name}_accuracy"]) for name in ("steps", "restarts")))
    )


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_noise_draw_by_draw(norm):
    size = {"linf": 0.4, "l2": 3.0}[norm]
    one = bench(norm=norm, epsilon=str(size), epsilon_value=size)
    found = noise(one, draws=30, steps=5)
    ways = torch.cat([*directions(one.images, 30, one.generator("noise"))])
    scale = size if norm == "linf" else size / 8
    stands = torch.stack([trained()((one.images + scale * way).clamp(0, 1)).argmax(1) == one.labels for way in ways])
    assert found.curves["accuracy"] == pytest.approx(100 * float(stands.all(0).float().mean()))
    assert 0 < found.curves["accuracy"] < 95


def test_distances_and_acceptance_by_their_attacks():
    one = bench(count=12)
    found = minimal_norm(one, steps=60, constants=4, first_constant=0.1, rate=0.03, deepfool_steps=50, images=8)
    assert found.n_images == 8 and found.curves["cw_fooled"] == 100
    assert 0.8 < found.curves["cw"] / found.curves["deepfool"] < 1.05 and 0.1 < found.curves["cw"] < 3
    told = acceptance(one, queries=50, step=0.2, images=8)
    assert told.n_images == 8 and told.value == pytest.approx(told.curves["probability"] / told.curves["margin"])


def test_points_that_are_no_numbers_or_no_points():
    one = bench(count=10)
    images, labels = one.images, one.labels
    broken = images.clone()
    broken[0, 0, 0, 0] = torch.nan
    broken[1:4] = images[1:4] + 0.01
    one.note("first", images, broken, labels, None)
    one.note("second", images, images, labels, torch.ones_like(labels, dtype=torch.bool), still=True)
    found = unmoved(one)
    assert found.value == pytest.approx(100 * (len(one) - 4 + 1) / (2 * len(one)))
    assert f"first {len(one) - 4}" in found.says and "1 are not finite: first 1" in found.says
    failed = transfer_failure(one)
    assert failed.value == 100 and "second" in failed.says
    assert transfer_failure(bench(count=10)).value is None


def test_the_surface_goes_through_the_images():
    one = bench()
    found = surface(one, points=5, images=None)
    assert found.curves["along"] == [-1, -0.5, 0, 0.5, 1] == found.curves["across"]
    net = trained()
    assert found.curves["gap"][2][2] == pytest.approx(float(gap(net(one.images), one.labels).mean()), rel=1e-4)
    assert found.curves["ce"][2][2] == pytest.approx(float(cross_entropy(net(one.images), one.labels)), rel=1e-3)
    row = [found.curves["gap"][at][2] for at in range(5)]
    assert row == sorted(row, reverse=True)


def test_flags():
    def of(threshold: float | None, side: str, **given: Any) -> str:
        return flag(Finding(**{"value": 2.0, "says": "", "n_images": 9, **given}), threshold, side)

    assert of(1, "above") == "raised" and of(2, "above") == "clear" and of(3, "below") == "raised"
    assert (
        of(1, "above", p=0.049) == "raised" and of(1, "above", p=0.05) == "undecided" and of(3, "above", p=0) == "clear"
    )
    assert of(None, "above") == of(1, "above", value=None) == of(1, "above", judged=False) == "not judged"
    assert of(3, "above", beyond=True) == "raised" and of(1, "above", beyond=False) == "clear"


def test_exact_tests():
    assert sign_test(5, 0) == pytest.approx(1 / 32) and sign_test(0, 0) == 1.0 and sign_test(0, 7) == 1.0
    assert sign_test(5, 0, among=3) == pytest.approx(3 / 32) and sign_test(1, 1, among=9) == 1.0
    first, second = np.array([1, 1, 1, 0, 0], bool), np.array([0, 0, 1, 1, 0], bool)
    assert paired(first, second) == pytest.approx(4 / 8)  # two against one
    assert oftener(1, 10, 0.01) == pytest.approx(1 - 0.99**10)
    assert plain({"a": np.array([1.0, np.nan]), "b": [np.float64(2), "x", 3], "c": -np.inf}) == {
        "a": [1.0, None], "b": [2.0, "x", 3], "c": None
    }  # fmt: skip
