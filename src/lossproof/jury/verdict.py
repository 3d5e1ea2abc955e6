"""When a gain of robustness over the twin is real: the words of the audit's verdicts, and the rule behind them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lossproof.display_names import attack, budget
from lossproof.statistics.intervals import Estimate
from lossproof.verdict_word import VerdictWord


class Verdict(VerdictWord):
    """What the audit says of a network; the order is that of the report."""

    REAL = "real gain", "good", "✓"
    VANISHES = "gain vanishes", "bad", "✗"
    WORSE = "worse", "bad", "▼"
    NO_GAIN = "no gain", "grey", "–"
    UNDECIDED = "undecided", "open", "?"
    REFERENCE = "reference", "plain"
    CONTROL = "control", "plain", "◇"


REAL, VANISHES, WORSE, NO_GAIN, UNDECIDED, REFERENCE, CONTROL = Verdict
MASKING = ("D1", "D2", "D8", "D11", "D12", "D13")
"""Diagnostics that forbid to call a gain real: the attacks' gradients are no measure of such a network.

D12 among them: what a network that draws at each pass keeps may be the attack's bad luck with the draw.
"""
LEAST_SEEDS = 3
LEVEL = 0.05


@dataclass(frozen=True)
class Gain:
    """Accuracy over the twin's under one attack and budget, in points; ``p`` corrected for all comparisons.

    joint: the gain with an interval that holds for all budgets of its track together.
    """

    attack: str
    track: str  # printed: what a paper would have reported; honest: the worst case
    norm: str
    printed: str  # the budget
    epsilon: float
    gain: Estimate
    p: float
    joint: Estimate

    def __str__(self) -> str:
        value, low, high = (f"{part:.1f}".replace("-", "−") for part in self.gain)
        sign = "+" if self.gain.value > 0 else ""
        return f"{sign}{value} points [{low}, {high}] under {attack(self.attack)}, {budget(self.printed)}"

    def same_budget(self, other: Gain) -> bool:
        """Whether the two attacks stay in the same ball."""
        return (self.norm, self.epsilon) == (other.norm, other.epsilon)


def verdict(gains: Sequence[Gain], seeds: int, flags: Collection[str]) -> tuple[Verdict, str]:
    """The verdict on a network that has a twin, and why in one sentence with the numbers.

    A gain is claimed where it shows under the printed attack. It is real where the worst case shows it too at any
    budget, beyond chance in every seed, with enough seeds and no sign of masked gradients (``flags``: those that are
    raised); its joint interval must exclude 0, as three seeds that are lucky at one of several budgets are no rarity.
    It vanishes where the worst case shows none at the budgets at which it is claimed, and in one of them not as much
    as is claimed (its interval lies below the claim). A network is worse where the worst case says so beyond chance.
    """
    claimed = [one for one in gains if one.track == "printed" and one.gain.low > 0]
    worst = [one for one in gains if one.track == "honest"]
    above = [one for one in worst if one.gain.low > 0]
    masked = [flag for flag in MASKING if flag in flags]
    likely = [one for one in above if one.p < LEVEL]
    sure = [one for one in likely if one.joint.low > 0]
    if sure and seeds >= LEAST_SEEDS and not masked:
        best = max(sure, key=lambda one: one.gain.low)
        return (
            REAL,
            f"{best}, corrected p = {best.p:.2g}, {seeds} seeds, no indicator of gradient masking is triggered.",
        )
    there = [(one, other) for one in claimed for other in worst if one.same_budget(other)]
    gone = [(one, other) for one, other in there if other.gain.high < one.gain.value]
    if gone and not any(other in above for _, other in there):
        one, other = max(gone, key=lambda pair: pair[0].gain.low)
        return VANISHES, f"{one}, but {other}."
    below = [one for one in worst if one.joint.high < 0 and one.p < LEVEL]
    if below and not above:
        least = min(below, key=lambda one: one.gain.high)
        return WORSE, f"{least}, corrected p = {least.p:.2g}."
    if not claimed and not above:
        most = max(gains, key=lambda one: one.gain.value, default=None)
        return NO_GAIN, f"{most}: no interval lies above 0." if most else "Nothing was compared."
    if not above and not there:
        return UNDECIDED, f"{_largest(claimed)}, and no worst case was measured in that ball."
    if not above:
        one, other = max(there, key=lambda pair: pair[0].gain.low)
        return UNDECIDED, f"{one}; {other}: neither 0 nor the claim is excluded."
    lacks = [] if likely else [f"corrected p = {min(one.p for one in above):.2g}"]
    lacks += ["not with all budgets taken together"] if likely and not sure else []
    lacks += [] if seeds >= LEAST_SEEDS else [f"{seeds} of at least {LEAST_SEEDS} seeds"]
    lacks += [f"triggered: {', '.join(masked)}"] if masked else []
    return UNDECIDED, f"{_largest(above)}, but {'; '.join(lacks)}."


def _largest(gains: Sequence[Gain]) -> Gain:
    return max(gains, key=lambda one: one.gain.low)
