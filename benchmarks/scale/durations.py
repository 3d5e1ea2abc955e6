"""How long each job takes: as it was measured, at a measured or assumed rate, or as jobs of its rule took elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from scale.jobs import Job
from scale.measured import Span
from scale.rates import Rates, Timed
from scale.steps import Step

# What a duration rests on.
OWN = "measured"
RATE = "at a measured rate"
ASSUMED = "at the assumed rate"
RULE = "the median of its rule, measured"
UNKNOWN = "not known, counted as 0 s"
NOTHING = "a name only, 0 s"
BASES = (OWN, RATE, ASSUMED, RULE, UNKNOWN)


class Duration(NamedTuple):
    """Seconds of a job and what they rest on."""

    seconds: float
    basis: str


class Durations:
    """Seconds of the jobs of one edition on one kind of device.

    ``timed``, ``spans``: what was measured, on that kind of device, and from where rates and medians come.
    ``own``: jobs of this very edition that were measured and are taken as they were, by the files that they made.
    ``assumed``: FLOP/s where no step was measured. ``start_up``: seconds of a job beside the work of its steps.
    """

    def __init__(
        self,
        steps: Iterable[Step],
        *,
        timed: Iterable[Timed],
        spans: Sequence[Span],
        assumed: float,
        start_up: float,
        own: Iterable[Span] = (),
    ) -> None:
        self._step_of = {step.output: step for step in steps}
        self._own = {path: span for span in own for path in span.outputs}
        found = list(timed)
        self.rates, self.devices = Rates(found), {one.device for one in found}
        self.assumed, self.start_up = assumed, start_up
        self._by_rule: dict[str, list[float]] = defaultdict(list)
        for span in spans:
            for name in {span.rule, _family(span.rule)}:
                self._by_rule[name].append(span.seconds)

    def of(self, job: Job) -> Duration:
        """The duration of a job of the edition."""
        if not job.outputs:
            return Duration(0.0, NOTHING)
        if span := self._own.get(job.outputs[0]):
            return Duration(span.seconds, OWN)
        if steps := [self._step_of[path] for path in job.outputs if path in self._step_of]:
            return self._at_a_rate(steps)
        for name in (job.rule, _family(job.rule)):
            if name in self._by_rule:
                return Duration(median(self._by_rule[name]), RULE)
        return Duration(0.0, UNKNOWN)

    def _at_a_rate(self, steps: Sequence[Step]) -> Duration:
        if any(step.flop is None for step in steps):
            return Duration(0.0, UNKNOWN)
        rates = [self.rates.of(step) for step in steps]
        work = sum((step.flop or 0.0) / (rate or self.assumed) for step, rate in zip(steps, rates, strict=True))
        return Duration(self.start_up + work, RATE if all(rates) else ASSUMED)


def _family(rule: str) -> str:
    """What rules that are made in a loop share: cards of one data set, toys of one bundle."""
    return rule.split("_")[0]
