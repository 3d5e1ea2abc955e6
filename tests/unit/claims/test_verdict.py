"""The verdict rules, each reachable and each at its boundary."""

from __future__ import annotations

import math

import pytest

from lossproof.claims.verdict import Comparison, Verdict, judge
from lossproof.statistics.intervals import Estimate


def direction(value: float, low: float, high: float, printed: float | None = 20.0) -> Verdict:
    gap = Estimate(value, low, high)
    return judge(Comparison(50.0, Estimate(90.0, 85.0, 93.0), printed, gap, rival="ce"))[0]


@pytest.mark.parametrize(
    ("gap", "verdict"),
    [
        ((5.0, 1.0, 9.0), Verdict.DIRECTION_HOLDS),
        ((-5.0, -9.0, -1.0), Verdict.DIRECTION_FAILS),
        ((5.0, 0.0, 9.0), Verdict.UNDECIDED),  # touching zero does not exclude it
        ((-5.0, -9.0, 0.0), Verdict.UNDECIDED),
        ((5.0, 1e-9, 9.0), Verdict.DIRECTION_HOLDS),
        ((5.0, -1.0, 9.0), Verdict.UNDECIDED),
        ((0.0, 0.0, 0.0), Verdict.UNDECIDED),
        ((5.0, math.nan, math.nan), Verdict.UNDECIDED),  # one seed, or none: no interval
        ((5.0, 1.0, math.nan), Verdict.UNDECIDED),
    ],
)
def test_direction_follows_sign_and_interval(gap, verdict):
    assert direction(*gap) == verdict


@pytest.mark.parametrize("value", [0.0, 100.0])
def test_a_difference_where_both_hit_the_end_of_the_scale_says_so(value):
    end = Comparison(50.0, Estimate(value, value, value), 20.0, Estimate(0.0, 0.0, 0.0), rival="ce")
    assert "no difference can show" in judge(end)[1]
    between = Comparison(50.0, Estimate(40.0, 30.0, 50.0), 20.0, Estimate(0.0, 0.0, 0.0), rival="ce")
    assert "no difference can show" not in judge(between)[1]
    apart = Comparison(0.0, Estimate(value, value, value), 20.0, Estimate(100.0, 100.0, 100.0), rival="ce")
    assert judge(apart)[0] == Verdict.DIRECTION_HOLDS


def test_a_print_without_difference():
    assert direction(5.0, 1.0, 9.0, printed=0.0) == Verdict.DIRECTION_FAILS
    assert direction(0.2, -1.0, 1.4, printed=0.0) == Verdict.UNDECIDED


def test_a_printed_loss_is_a_direction_too():
    assert direction(-5.0, -9.0, -1.0, printed=-3.0) == Verdict.DIRECTION_HOLDS
    assert direction(5.0, 1.0, 9.0, printed=-3.0) == Verdict.DIRECTION_FAILS


def test_no_rival_and_no_difference_row_are_undecided():
    measured = Estimate(90.0)
    assert judge(Comparison(50.0, measured, None, Estimate(5.0, 1.0, 9.0)))[0] == Verdict.UNDECIDED
    verdict, reason = judge(Comparison(50.0, measured, 20.0, None, rival="ce"))
    assert verdict == Verdict.UNDECIDED
    assert "ce" in reason


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (Estimate(52.0, 51.9, 52.1), Verdict.REPRODUCED),  # exactly the tolerance
        (Estimate(48.0, 47.9, 48.1), Verdict.REPRODUCED),
        (Estimate(52.01, 51.9, 52.1), Verdict.NOT_REPRODUCED),
        (Estimate(56.0, 50.0, 62.0), Verdict.REPRODUCED),  # the interval is the larger one
        (Estimate(56.0, 50.1, 62.0), Verdict.NOT_REPRODUCED),
        (Estimate(56.0), Verdict.NOT_REPRODUCED),
    ],
)
def test_values_are_compared_at_full_protocol_only(measured, verdict):
    assert judge(Comparison(50.0, measured, same_protocol=True))[0] == verdict
    assert judge(Comparison(50.0, measured, same_protocol=False))[0] == Verdict.UNDECIDED


def test_full_protocol_judges_baselines_by_value():
    assert judge(Comparison(50.0, Estimate(50.5), baseline=True, same_protocol=True))[0] == Verdict.REPRODUCED
    assert judge(Comparison(50.0, Estimate(50.5), baseline=True))[0] == Verdict.BASELINE


def test_at_least_is_one_sided():
    assert judge(Comparison(20.0, Estimate(35.0), same_protocol=True, at_least=True))[0] == Verdict.REPRODUCED
    assert judge(Comparison(20.0, Estimate(17.9), same_protocol=True, at_least=True))[0] == Verdict.NOT_REPRODUCED


def test_a_value_out_of_tolerance_still_tells_its_direction():
    case = Comparison(50.0, Estimate(70.0), 20.0, Estimate(5.0, 1.0, 9.0), rival="ce", same_protocol=True)
    assert "signs agree" in judge(case)[1]


def test_order_of_the_exceptions():
    measured = Estimate(50.0)
    full = {"same_protocol": True}
    assert judge(Comparison(None, measured))[0] == Verdict.LOST
    assert judge(Comparison(50.0, measured, lost="gone", missing="x", failed="y", **full)) == (Verdict.LOST, "gone")
    assert judge(Comparison(50.0, measured, missing="x", failed="y", **full)) == (Verdict.NOT_RUN, "x")
    assert judge(Comparison(50.0, None, failed="y"))[0] == Verdict.NOT_RUN
    assert judge(Comparison(50.0, measured, failed="y", **full)) == (Verdict.FAILED_TO_TRAIN, "y")


def test_every_verdict_gives_a_sentence():
    gap = Estimate(5.0, 1.0, 9.0)
    cases = [
        Comparison(50.0, Estimate(90.0), 20.0, gap),
        Comparison(50.0, Estimate(90.0), -20.0, gap),
        Comparison(50.0, Estimate(90.0), 20.0, None),
        Comparison(50.0, Estimate(50.0), baseline=True),
        Comparison(50.0, Estimate(50.0), same_protocol=True),
        Comparison(50.0, Estimate(90.0), same_protocol=True),
        Comparison(50.0, Estimate(90.0), failed="It failed."),
        Comparison(50.0, None),
        Comparison(None, None),
    ]
    verdicts = [judge(case) for case in cases]
    assert {verdict for verdict, _ in verdicts} == set(Verdict)
    assert all(reason.endswith(".") for _, reason in verdicts)
