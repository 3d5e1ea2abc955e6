"""How fast a machine works through what the forecast counts: floating-point operations over measured seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from scale.steps import Step


class Timed(NamedTuple):
    """A step that was run: wall seconds of its work, without its job's start, and on what ('cpu', 'cuda: ...')."""

    step: Step
    seconds: float
    device: str


class Rates:
    """Effective rates from steps that were run, by rule and network, or by less where those were not run.

    A rate is the sum of operations over the sum of seconds, so that the steps it comes from take as long as they did
    together.
    """

    def __init__(self, timed: Iterable[Timed]) -> None:
        self._sums: dict[tuple[str, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for step, seconds, _ in timed:
            if step.flop:
                for key in _keys(step):
                    self._sums[key][0] += step.flop
                    self._sums[key][1] += seconds

    def of(self, step: Step) -> float | None:
        """FLOP/s of the steps most like this one, None where none was run."""
        for key in _keys(step):
            flop, seconds = self._sums.get(key, (0.0, 0.0))
            if seconds > 0:
                return flop / seconds
        return None

    def by_kind(self) -> dict[str, float]:
        """FLOP/s by kind of step."""
        return {key[1]: flop / seconds for key, (flop, seconds) in sorted(self._sums.items())
                if key[0] == "kind" and len(key) == 2 and seconds > 0}  # fmt: skip


def _keys(step: Step) -> Iterator[tuple[str, ...]]:
    """From the closest likeness to the widest."""
    yield "rule", step.rule, step.run.arch
    yield "rule", step.rule
    kind = step.rule.split("_")[0]
    yield "kind", kind, step.run.arch
    yield "kind", kind
    yield ("any",)
