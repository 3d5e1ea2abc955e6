"""The probabilistically compact loss, its halves, and guided complement entropy."""

from __future__ import annotations

import math

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional

from lossproof.catalogue import catalogue
from lossproof.criteria.guided_complement_entropy import GuidedComplementEntropy
from lossproof.criteria.probabilistically_compact import (
    CompactOnly,
    ConstrainedCrossEntropy,
    ProbabilisticallyCompact,
    constraint,
)

CRITERIA = [
    *[
        ProbabilisticallyCompact(false_classes=sums, rival=rival)
        for sums in ("mean", "sum")
        for rival in ("soft", "hard")
    ],
    CompactOnly(),
    ConstrainedCrossEntropy(),
    ConstrainedCrossEntropy(rival="hard"),
    GuidedComplementEntropy(),
]
NAMES = ["mean-soft", "mean-hard", "sum-soft", "sum-hard", "pc_only", "lc_only", "lc_only-hard", "gce"]
every = pytest.mark.parametrize("criterion", CRITERIA, ids=NAMES)


def draws(classes: int, batch: int = 6, scale: float = 2.0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    logits = scale * torch.randn(batch, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(classes, (batch,), generator=generator)


def released(logits: torch.Tensor, targets: torch.Tensor, xi: float, weight: float) -> torch.Tensor:
    """The form of the authors' code, written again with loops."""
    found = []
    for row, y in zip(logits, targets.tolist(), strict=True):
        p = row.softmax(0)
        false = [k for k in range(len(row)) if k != y]
        hinge = sum(max(0.0, float(p[k] + xi - p[y])) for k in false) / len(false)
        share = row[false].softmax(0)
        pull = sum(float(share[at]) * max(0.0, float(row[y] - row[k])) for at, k in enumerate(false))
        found.append(hinge + weight * pull)
    return torch.tensor(found, dtype=torch.float64)


def test_the_default_is_the_released_form() -> None:
    logits, targets = draws(5)
    torch.testing.assert_close(ProbabilisticallyCompact()(logits, targets), released(logits, targets, 0.995, 0.05))


def test_the_printed_form_sums_and_takes_the_likeliest_rival() -> None:
    logits, targets = draws(5)
    printed = ProbabilisticallyCompact(false_classes="sum", rival="hard")(logits, targets)
    p = logits.softmax(1)
    for at, y in enumerate(targets.tolist()):
        false = [k for k in range(5) if k != y]
        hinge = sum(max(0.0, float(p[at, k] + 0.995 - p[at, y])) for k in false)
        gap = float(logits[at, y] - max(logits[at, k] for k in false))
        assert float(printed[at]) == pytest.approx(hinge + 0.05 * max(0.0, gap))


def test_soft_and_hard_rivals_agree_where_one_false_class_dominates() -> None:
    logits = torch.tensor([[9.0, 5.0, -30.0, -30.0]])
    soft, hard = (constraint(logits, torch.tensor([0]), rival) for rival in ("soft", "hard"))
    assert soft.item() == pytest.approx(hard.item()) == pytest.approx(4.0)
    logits = torch.tensor([[4.0, 3.0, 2.0]])
    assert constraint(logits, torch.tensor([0]), "soft").item() > constraint(logits, torch.tensor([0]), "hard").item()


def test_an_image_that_is_wrong_feels_no_constraint_under_the_hard_rival() -> None:
    assert constraint(torch.tensor([[1.0, 2.0, 0.0]]), torch.tensor([0]), "hard").item() == 0


@every
@pytest.mark.parametrize("classes", [3, 10])
def test_gradients_are_those_of_finite_differences(criterion: torch.nn.Module, classes: int) -> None:
    logits, targets = draws(classes)
    # Away from the kinks of the hinges.
    assert gradcheck(lambda z: criterion(z, targets), logits.requires_grad_(True))


def test_the_gradient_of_one_active_term_is_equation_7() -> None:
    logits, targets = draws(2)
    logits = logits.requires_grad_(True)
    (gradient,) = torch.autograd.grad(CompactOnly()(logits, targets).sum(), logits)
    p = logits.softmax(1)
    own, other = (p.gather(1, index[:, None])[:, 0] for index in (targets, 1 - targets))
    active = other + 0.995 - own > 0
    assert bool(active.any())
    torch.testing.assert_close(
        gradient.gather(1, targets[:, None])[:, 0], torch.where(active, -own * (1 - own + other), 0.0)
    )


def best_gap(criterion: torch.nn.Module, classes: int) -> float:
    """The gap with the least loss when all false logits are equal, to 0.0005."""
    gaps = torch.arange(0.0, 15.0, 0.0005, dtype=torch.float64)
    logits = torch.zeros(len(gaps), classes, dtype=torch.float64)
    logits[:, 0] = gaps
    return float(gaps[criterion(logits, torch.zeros(len(gaps), dtype=torch.long)).argmin()])


@pytest.mark.parametrize(
    ("classes", "printed", "released"), [(10, 7.486, 5.202), (100, 9.899, 7.494), (200, 10.592, 8.186)]
)
def test_the_two_readings_have_their_own_best_gap(classes: int, printed: float, released: float) -> None:
    assert best_gap(ProbabilisticallyCompact(false_classes="sum", rival="hard"), classes) == pytest.approx(
        printed, abs=1e-3
    )
    assert best_gap(ProbabilisticallyCompact(), classes) == pytest.approx(released, abs=1e-3)


@every
def test_extreme_logits_give_finite_values_and_gradients(criterion: torch.nn.Module) -> None:
    logits = torch.tensor([[1e4, 0.0, -1e4], [-1e4, 1e4, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
    losses = criterion(logits, torch.tensor([0, 0, 1]))
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert losses.isfinite().all() and gradient.isfinite().all()


@pytest.mark.parametrize("criterion", [CompactOnly(), GuidedComplementEntropy()], ids=["pc_only", "gce"])
def test_what_is_confidently_wrong_is_not_moved(criterion: torch.nn.Module) -> None:
    """Why both cannot start from anywhere: the gradient has the true class's probability as a factor."""
    logits = torch.tensor([[-60.0, 60.0, 0.0]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(criterion(logits, torch.tensor([0])).sum(), logits)
    assert gradient.abs().max() < 1e-15
    (gradient,) = torch.autograd.grad(functional.cross_entropy(logits, torch.tensor([0])), logits)
    assert gradient.abs().max() > 0.9


def test_gce_is_the_formula_of_its_paper() -> None:
    logits, targets = draws(4)
    p = logits.softmax(1)
    for at, y in enumerate(targets.tolist()):
        q = torch.stack([p[at, k] for k in range(4) if k != y]) / (1 - p[at, y])
        expected = p[at, y] ** 0.333 * (q * q.log()).sum() / math.log(4)
        assert float(GuidedComplementEntropy()(logits, targets)[at]) == pytest.approx(float(expected))


def test_gce_lies_between_minus_one_and_zero_and_prefers_equal_false_classes() -> None:
    target = torch.tensor([0])
    sure = torch.tensor([[30.0, 0.0, 0.0, 0.0]])
    uneven = torch.tensor([[30.0, 5.0, 0.0, 0.0]])
    even, odd = (GuidedComplementEntropy()(one, target).item() for one in (sure, uneven))
    assert -1 <= even < odd <= 0
    assert even == pytest.approx(-math.log(3) / math.log(4), rel=1e-5)


def test_controls_are_halves_of_the_whole() -> None:
    logits, targets = draws(6)
    whole, half = ProbabilisticallyCompact()(logits, targets), CompactOnly()(logits, targets)
    pull = ConstrainedCrossEntropy()(logits, targets) - functional.cross_entropy(logits, targets, reduction="none")
    torch.testing.assert_close(whole - half, pull)
    torch.testing.assert_close(ProbabilisticallyCompact(weight=0)(logits, targets), half)


@pytest.mark.parametrize("name", ["pc", "pc_only", "lc_only", "gce"])
def test_catalogue_defaults_are_the_class_defaults(name: str) -> None:
    entry = catalogue("criteria")[name]
    built, told = entry.load()(), entry.load()(**entry.defaults())
    assert {key: value for key, value in vars(built).items() if not key.startswith("_")} == {
        key: value for key, value in vars(told).items() if not key.startswith("_")
    }


def test_unknown_choices_and_two_classes_for_gce_are_refused() -> None:
    for build in (lambda: ProbabilisticallyCompact(rival="both"), lambda: CompactOnly(false_classes="max"),
                  lambda: ConstrainedCrossEntropy(rival="x")):  # fmt: skip
        with pytest.raises(ValueError, match="not"):
            build()
    with pytest.raises(ValueError, match="3 classes"):
        GuidedComplementEntropy()(torch.zeros(1, 2), torch.tensor([0]))
