"""Properties that the losses have for any logits."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lossproof.criteria.cross_entropy import CrossEntropy
from lossproof.criteria.focal import Focal
from lossproof.criteria.gradient_starvation import GradientStarvation
from lossproof.criteria.stationary_point_ce import StationaryPointCE
from lossproof.criteria.stationary_point_focal import StationaryPointFocal

CRITERIA = {
    "ce": CrossEntropy(),
    "focal": Focal(),
    "sp_ce_a": StationaryPointCE(form="A"),
    "sp_ce_b": StationaryPointCE(form="B"),
    "sp_ce_c": StationaryPointCE(),
    "sp_focal": StationaryPointFocal(),
    "sp_focal_whole_vector": StationaryPointFocal(regulariser="whole_vector"),
    "starvation": GradientStarvation(),
    "starvation_on_logits": GradientStarvation(on="logits"),
}
every_criterion = pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA.keys())
quick = settings(max_examples=40, deadline=None)


@st.composite
def samples(draw: st.DrawFn, smallest: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits [1, K] in float64 and a target [1]."""
    number = st.floats(-30, 30, allow_nan=False, width=32)
    logits = draw(st.lists(number, min_size=smallest, max_size=12))
    target = draw(st.integers(0, len(logits) - 1))
    return torch.tensor([logits], dtype=torch.float64), torch.tensor([target])


@every_criterion
@quick
@given(sample=samples(), shift=st.floats(-100, 100))
def test_a_common_shift_of_the_logits_changes_nothing(
    criterion: torch.nn.Module, sample: tuple[torch.Tensor, torch.Tensor], shift: float
) -> None:
    logits, target = sample
    torch.testing.assert_close(criterion(logits + shift, target), criterion(logits, target), rtol=1e-9, atol=1e-9)


@every_criterion
@quick
@given(sample=samples(smallest=3), data=st.data())
def test_the_names_of_the_classes_do_not_matter(
    criterion: torch.nn.Module, sample: tuple[torch.Tensor, torch.Tensor], data: st.DataObject
) -> None:
    logits, target = sample
    order = torch.tensor(data.draw(st.permutations(range(logits.shape[1]))))
    moved = torch.nonzero(order == target)[0]
    torch.testing.assert_close(criterion(logits[:, order], moved), criterion(logits, target))


@every_criterion
@quick
@given(sample=samples())
def test_losses_are_not_negative_and_gradients_sum_to_zero(
    criterion: torch.nn.Module, sample: tuple[torch.Tensor, torch.Tensor]
) -> None:
    logits, target = sample
    logits.requires_grad_()
    loss = criterion(logits, target)
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    assert loss.item() >= 0
    assert gradient.sum().item() == pytest.approx(0, abs=1e-9)


@quick
@given(sample=samples(), alpha=st.floats(0.01, 4), gamma=st.floats(0, 5))
def test_sp_focal_without_weight_is_focal(
    sample: tuple[torch.Tensor, torch.Tensor], alpha: float, gamma: float
) -> None:
    focal = Focal(alpha=alpha, gamma=gamma)(*sample)
    for regulariser in ("true_class", "whole_vector"):
        almost = StationaryPointFocal(alpha=alpha, gamma=gamma, eta=1e-12, regulariser=regulariser)(*sample)
        torch.testing.assert_close(almost, focal, rtol=0, atol=1e-11)


@quick
@given(sample=samples())
def test_focal_without_exponent_is_cross_entropy(sample: tuple[torch.Tensor, torch.Tensor]) -> None:
    torch.testing.assert_close(Focal(alpha=1, gamma=0)(*sample), CrossEntropy()(*sample))


@quick
@given(sample=samples(), eta=st.floats(0.01, 5))
def test_the_whole_vector_adds_the_squares_of_the_false_probabilities(
    sample: tuple[torch.Tensor, torch.Tensor], eta: float
) -> None:
    logits, target = sample
    false = logits.softmax(1).square().sum(1) - logits.softmax(1)[0, target].square()
    whole = StationaryPointFocal(eta=eta, regulariser="whole_vector")(logits, target)
    true = StationaryPointFocal(eta=eta)(logits, target)
    torch.testing.assert_close(whole - true, eta * false, rtol=1e-9, atol=1e-9)


@quick
@given(sample=samples(), eta=st.floats(0.01, 5))
def test_the_three_forms_of_sp_ce_are_related(sample: tuple[torch.Tensor, torch.Tensor], eta: float) -> None:
    logits, target = sample
    form_a, form_b, form_c = (StationaryPointCE(eta=eta, form=form)(logits, target) for form in "ABC")
    false = 1 - logits.softmax(1)[0, target]
    torch.testing.assert_close(form_c - form_b, eta * false.square(), rtol=1e-9, atol=1e-9)
    if logits.shape[1] == 2:
        doubled = StationaryPointCE(eta=2 * eta)(logits, target)
        torch.testing.assert_close(form_a, doubled, rtol=1e-9, atol=1e-9)


@quick
@given(sample=samples(), eta=st.floats(0.3, 5))
def test_no_value_lies_below_the_value_at_the_stationary_point(
    sample: tuple[torch.Tensor, torch.Tensor], eta: float
) -> None:
    logits, target = sample
    num_classes = logits.shape[1]
    for criterion in (StationaryPointFocal(eta=eta, regulariser="whole_vector"), StationaryPointCE(eta=eta, form="A")):
        probability = criterion.stationary_probability(num_classes)
        assert probability is not None
        best = torch.full((1, num_classes), (1 - probability) / (num_classes - 1), dtype=torch.float64)
        best[0, target] = probability
        assert criterion(logits, target).item() >= criterion(best.log(), target).item() - 1e-12
