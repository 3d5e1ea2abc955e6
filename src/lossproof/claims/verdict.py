"""The one place that says what the comparison of a printed number with a measured one means.

Numbers are in the unit of the claim (accuracy in percent, differences in percentage points, or probability). All
intervals are 95 % intervals that the tidy tables already hold; nothing is estimated here.
"""

from __future__ import annotations

from dataclasses import dataclass

from lossproof.display_names import name
from lossproof.statistics.intervals import Estimate
from lossproof.verdict_word import VerdictWord

TOLERANCE_POINTS = 2.0
TOLERANCE_PROBABILITY = TOLERANCE_POINTS / 100
POINTS, PROBABILITY = "points", "of probability"
SIGN_ONLY = "sign"
# A network below this multiple of guessing has not learnt its task: no attack on it means anything.
FLOOR_TIMES_CHANCE = 2.0


class Verdict(VerdictWord):
    """What a comparison says; the order is that of the report."""

    REPRODUCED = "reproduced", "good"
    NOT_REPRODUCED = "not reproduced", "bad"
    DIRECTION_HOLDS = "direction holds", "good"
    DIRECTION_FAILS = "direction fails", "bad"
    UNDECIDED = "undecided", "open"
    BASELINE = "baseline", "plain"
    FAILED_TO_TRAIN = "failed to train", "open"
    NOT_RUN = "not run", "grey"
    LOST = "lost", "grey"


@dataclass(frozen=True)
class Comparison:
    """Everything that a verdict depends on.

    ``printed_difference`` and ``difference`` are this training minus its rival (the CE twin, or the
    rival that the claim states) under the same attack; None where there is none. ``at_least`` marks
    a claim printed as a lower bound. ``lost``, ``missing`` and ``failed`` are reasons, empty where
    they do not apply. ``subject`` names a measured quantity that is not simply the claim's cell.
    """

    printed: float | None
    measured: Estimate | None = None
    printed_difference: float | None = None
    difference: Estimate | None = None
    rival: str = ""
    baseline: bool = False
    same_protocol: bool = False
    at_least: bool = False
    tolerance: float = TOLERANCE_POINTS
    unit: str = POINTS
    subject: str = ""
    lost: str = ""
    missing: str = ""
    failed: str = ""

    @property
    def digits(self) -> int:
        """Decimals of differences and intervals in words."""
        return 4 if self.unit == PROBABILITY else 2

    @property
    def allowed(self) -> str:
        """How far off a measured value may be: a number in the claim's unit, ``sign`` where only the sign of the
        difference to the rival is compared, nothing where nothing is compared."""
        if self.printed is None or self.measured is None or self.lost or self.missing or self.failed:
            return ""
        if self.same_protocol:
            return f"{self.tolerance:g}"
        return "" if self.baseline else SIGN_ONLY


def sign(value: float) -> int:
    """-1, 0 or 1."""
    return (value > 0) - (value < 0)


def judge(case: Comparison) -> tuple[Verdict, str]:
    """The verdict and a sentence of reasons."""
    if case.lost or case.printed is None:
        return Verdict.LOST, case.lost or "The number is not in the sources."
    if case.missing or case.measured is None:
        return Verdict.NOT_RUN, case.missing or "The run is missing."
    subject = f"{case.subject} " if case.subject else ""
    if case.failed:
        return Verdict.FAILED_TO_TRAIN, f"{subject}{case.failed}"
    if case.same_protocol:
        verdict, reason = _judge_value(case, case.printed, case.measured)
    elif case.baseline:
        verdict = Verdict.BASELINE
        reason = "This is the baseline that others are compared with; only a full-protocol run could say more."
    else:
        verdict, reason = _judge_direction(case)
    return verdict, f"{subject}{reason}"


def _judge_value(case: Comparison, printed: float, measured: Estimate) -> tuple[Verdict, str]:
    """Same data set and protocol: the values themselves are compared."""
    gap = measured.value - printed
    inside = abs(gap) <= case.tolerance or (case.at_least and gap > 0) or measured.low <= printed <= measured.high
    bound = "at least " if case.at_least else ""
    reason = (
        f"Measured {measured.value:.6g} against {bound}{printed:g} reported, {abs(gap):.4g} {case.unit} apart "
        f"(tolerance {case.tolerance:g} {case.unit} or the interval; {measured.interval(case.digits)})."
    )
    if case.difference is not None and case.printed_difference is not None and not inside:
        reason += f" {_judge_direction(case)[1]}"
    return (Verdict.REPRODUCED if inside else Verdict.NOT_REPRODUCED), reason


def _judge_direction(case: Comparison) -> tuple[Verdict, str]:
    """Other data or another protocol: only the sign of the difference to the rival is compared."""
    rival = ", ".join(map(name, case.rival.split(", "))) if case.rival else "the baseline"
    if case.printed_difference is None:
        return Verdict.UNDECIDED, "No baseline is reported beside this number, so it has no direction to compare."
    if case.difference is None:
        return Verdict.UNDECIDED, f"No paired difference to {rival} is recorded under the same attack."
    reason = (
        f"Difference to {rival}: measured {case.difference.value:+.{case.digits}f} "
        f"({case.difference.interval(case.digits)}), reported {case.printed_difference:+.{case.digits}f} {case.unit}"
    )
    excludes = case.difference.excludes_zero()
    if excludes is None:
        return Verdict.UNDECIDED, f"{reason}; without an interval the sign is open."
    same = case.difference.low == case.difference.value == case.difference.high == 0
    if same and case.measured and case.measured.value in (0.0, 100.0):
        return (
            Verdict.UNDECIDED,
            f"{reason}; both are at {case.measured.value:g} percent on every image, where no difference can show.",
        )
    if not excludes:
        return Verdict.UNDECIDED, f"{reason}; the interval does not exclude zero."
    if sign(case.difference.value) == sign(case.printed_difference):
        return Verdict.DIRECTION_HOLDS, f"{reason}; the signs agree."
    if case.printed_difference == 0:
        return Verdict.DIRECTION_FAILS, f"{reason}; the paper shows no difference, the measurement does."
    return Verdict.DIRECTION_FAILS, f"{reason}; the signs disagree."
