"""The losses: printed formulas, gradients, stationary points, extreme logits."""

from __future__ import annotations

import math

import pytest
import torch

from lossproof.catalogue import catalogue
from lossproof.criteria.cross_entropy import CrossEntropy
from lossproof.criteria.focal import Focal
from lossproof.criteria.gradient_starvation import GradientStarvation
from lossproof.criteria.stationary_point_ce import StationaryPointCE
from lossproof.criteria.stationary_point_focal import StationaryPointFocal
from lossproof.heads.choice import head_of
from lossproof.theory.true_logit import stationary_points

CRITERIA = {
    "ce": CrossEntropy(),
    "focal": Focal(),
    "focal_gamma_half": Focal(alpha=1, gamma=0.5),
    "focal_gamma_zero": Focal(alpha=1, gamma=0),
    "sp_ce_a": StationaryPointCE(form="A"),
    "sp_ce_b": StationaryPointCE(form="B"),
    "sp_ce_c": StationaryPointCE(),
    "sp_focal": StationaryPointFocal(),
    "sp_focal_gamma_half": StationaryPointFocal(gamma=0.5),
    "sp_focal_whole_vector": StationaryPointFocal(regulariser="whole_vector"),
    "starvation": GradientStarvation(),
    "starvation_on_logits": GradientStarvation(on="logits"),
}
every_criterion = pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA.keys())
FAMILIES = ("ce", "focal", "sp_ce", "sp_focal", "gradient_starvation")


def batch(num_classes: int, size: int = 16, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(num_classes)
    logits = 3 * torch.randn(size, num_classes, generator=generator, dtype=dtype)
    return logits, torch.randint(num_classes, (size,), generator=generator)


@pytest.mark.parametrize("name", FAMILIES)
def test_catalogue_defaults_are_the_class_defaults(name: str) -> None:
    entry = catalogue("criteria")[name]
    bare, configured = entry.load()(), entry.load()(**entry.defaults())
    assert head_of(name) == "linear"
    settings = {key: value for key, value in vars(bare).items() if not key.startswith("_") and key != "training"}
    assert settings == {
        key: value for key, value in vars(configured).items() if not key.startswith("_") and key != "training"
    }
    assert set(settings) == set(entry.parameters)


def test_values_are_the_printed_formulas() -> None:
    # Three classes with probabilities 0.5, 0.3, 0.2; the true class has 0.3.
    logits = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64).log()
    target, log_p = torch.tensor([1]), math.log(0.3)
    whole = 0.25 + 0.09 + 0.04
    expected = {
        CrossEntropy(): -log_p,
        Focal(): -0.25 * 0.49 * log_p,
        Focal(alpha=2, gamma=3): -2 * 0.343 * log_p,
        StationaryPointCE(eta=0.8, form="A"): -log_p + 0.8 * (whole + 0.25 + 0.49 + 0.64),
        StationaryPointCE(eta=0.8, form="B"): -log_p + 0.8 * 0.09,
        StationaryPointCE(eta=0.8, form="C"): -log_p + 0.8 * (0.09 + 0.49),
        StationaryPointFocal(): -0.25 * 0.49 * log_p + 0.03 * 0.09,
        StationaryPointFocal(regulariser="whole_vector"): -0.25 * 0.49 * log_p + 0.03 * whole,
        GradientStarvation(eta=0.4): (
            math.log1p(math.exp(0.5)) + math.log1p(math.exp(-0.3)) + math.log1p(math.exp(0.2)) + 0.2 * whole
        )
        / 3,
    }
    for criterion, value in expected.items():
        assert criterion(logits, target).item() == pytest.approx(value, rel=1e-12), criterion


@pytest.mark.parametrize("label", [0, 1])
def test_gradient_starvation_is_the_printed_binary_loss(label: int) -> None:
    logits = torch.tensor([[0.7, -0.4]], dtype=torch.float64)
    sign, target = 2 * label - 1, torch.tensor([label])
    probability, logit = 1 / (1 + math.exp(1.1)), -1.1
    on_probability = math.log1p(math.exp(-sign * probability)) + 0.15 * probability**2
    assert GradientStarvation(eta=0.3)(logits, target).item() == pytest.approx(on_probability, rel=1e-12)
    cited = math.log1p(math.exp(-sign * logit)) + 0.15 * logit**2
    assert GradientStarvation(eta=0.3, on="logits")(logits, target).item() == pytest.approx(cited, rel=1e-12)


def test_binary_starvation_on_logits_is_the_mean_over_both_classes() -> None:
    logits, targets = batch(2)
    swapped = GradientStarvation(on="logits")(logits.flip(1), 1 - targets)
    torch.testing.assert_close(GradientStarvation(on="logits")(logits, targets), swapped)


@pytest.mark.parametrize("num_classes", [2, 3, 10, 200])
@pytest.mark.parametrize(("alpha", "gamma", "eta"), [(0.25, 2, 0.03), (1, 0.5, 0.4), (0.5, 3, 1)])
def test_equation_11(num_classes: int, alpha: float, gamma: float, eta: float) -> None:
    logits, targets = batch(num_classes)
    logits.requires_grad_()
    criterion = StationaryPointFocal(alpha=alpha, gamma=gamma, eta=eta)
    (gradient,) = torch.autograd.grad(criterion(logits, targets).sum(), logits)
    x = logits.detach().softmax(1).gather(1, targets[:, None])
    printed = alpha * (1 - x) ** gamma * (gamma * x * x.log() - 1 + x) + 2 * eta * x**2 * (1 - x)
    torch.testing.assert_close(gradient.gather(1, targets[:, None]), printed)


@every_criterion
@pytest.mark.parametrize("num_classes", [2, 5])
def test_gradients_are_those_of_finite_differences(criterion: torch.nn.Module, num_classes: int) -> None:
    logits, targets = batch(num_classes, size=4)
    assert torch.autograd.gradcheck(lambda z: criterion(z, targets), logits.requires_grad_())


@every_criterion
@pytest.mark.parametrize("num_classes", [2, 3, 10, 200])
@pytest.mark.parametrize("size", [1e4, 100.0, 17.0, 0.0])
def test_value_and_gradient_are_finite_at_extreme_logits(
    criterion: torch.nn.Module, num_classes: int, size: float
) -> None:
    rows = [torch.full((num_classes,), value) for value in (size, -size)]
    rows += [torch.where(torch.arange(num_classes) == 0, value, -value) for value in (size, -size)]
    logits = torch.stack(rows).repeat(2, 1).requires_grad_()
    targets = torch.tensor([0] * 4 + [num_classes - 1] * 4)
    losses = criterion(logits, targets)
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert losses.shape == (8,)
    assert losses.dtype == torch.float32
    assert losses.isfinite().all()
    assert gradient.isfinite().all()


@every_criterion
@pytest.mark.parametrize("num_classes", [2, 200])
def test_float32_agrees_with_float64(criterion: torch.nn.Module, num_classes: int) -> None:
    logits, targets = batch(num_classes)
    exact = criterion(logits, targets)
    torch.testing.assert_close(criterion(logits.float(), targets).double(), exact, rtol=1e-4, atol=1e-6)


@every_criterion
def test_a_sample_does_not_see_its_batch(criterion: torch.nn.Module) -> None:
    logits, targets = batch(4)
    logits.requires_grad_()
    alone = torch.cat([criterion(logits[i : i + 1], targets[i : i + 1]) for i in range(len(targets))])
    together = criterion(logits, targets)
    torch.testing.assert_close(together, alone)
    (gradient,) = torch.autograd.grad(together[3], logits)
    assert torch.count_nonzero(gradient[3]) > 0
    assert torch.count_nonzero(gradient) == torch.count_nonzero(gradient[3])


TRUE_CLASS_POINTS = {
    0.001: 0.95050,
    0.003: 0.91680,
    0.01: 0.85648,
    0.02: 0.80688,
    0.03: 0.77203,
    0.05: 0.72176,
    0.1: 0.64279,
    0.2: 0.55392,
    0.25: 0.52395,
    0.3: 0.49922,
    0.5: 0.42982,
    1: 0.33932,
}
POINTS = [(StationaryPointFocal(eta=eta), 10, x) for eta, x in TRUE_CLASS_POINTS.items()]
POINTS += [
    (StationaryPointFocal(eta=eta, regulariser="whole_vector"), num_classes, x)
    for eta, num_classes, x in [
        (0.03, 2, 0.79763),
        (0.03, 10, 0.77501),
        (0.1, 2, 0.70540),
        (0.1, 10, 0.65027),
        (0.3, 2, 0.62236),
        (0.3, 10, 0.51428),
    ]
]
POINTS += [
    (StationaryPointCE(eta=eta), 3, x)
    for eta, x in [(0.6, 0.94222), (0.75, 0.87915), (1, 0.80902), (2, 0.68301), (5, 0.58541)]
]
POINTS += [(StationaryPointCE(eta=eta, form="B"), 2, x) for eta, x in [(2, 0.5), (3, 0.40825), (8, 0.25)]]
POINTS += [
    (StationaryPointCE(eta=eta, form="A"), 10, x) for eta, x in [(0.3, 0.91747), (0.375, 0.82621), (0.5, 0.72268)]
]


@pytest.mark.parametrize(("criterion", "num_classes", "probability"), POINTS)
def test_stationary_points(
    criterion: StationaryPointCE | StationaryPointFocal, num_classes: int, probability: float
) -> None:
    assert criterion.stationary_probability(num_classes) == pytest.approx(probability, abs=6e-6)
    assert stationary_points(criterion, num_classes) == pytest.approx([probability], abs=6e-6)


@pytest.mark.parametrize(
    "criterion",
    [
        StationaryPointCE(eta=0.5),
        StationaryPointCE(eta=0.5, form="B"),
        StationaryPointCE(eta=0.25, form="A"),
        StationaryPointFocal(gamma=0, eta=0.1),
    ],
)
def test_no_stationary_point_at_small_eta(criterion: StationaryPointCE | StationaryPointFocal) -> None:
    assert criterion.stationary_probability(2) is None
    assert stationary_points(criterion) == []


@pytest.mark.parametrize("criterion", [CrossEntropy(), Focal()])
def test_cross_entropy_and_focal_have_no_stationary_point(criterion: torch.nn.Module) -> None:
    assert stationary_points(criterion) == []


def test_unknown_choices_are_refused() -> None:
    with pytest.raises(ValueError, match="forms A, B and C"):
        StationaryPointCE(form="D")
    with pytest.raises(ValueError, match="true_class or whole_vector"):
        StationaryPointFocal(regulariser="none")
    with pytest.raises(ValueError, match="probabilities or logits"):
        GradientStarvation(on="features")
