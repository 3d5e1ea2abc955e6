"""A run that was made: seconds of its jobs from Snakemake's own records, seconds of its steps from provenance."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import NamedTuple

from lossproof.planning.forecast import Forecast
from lossproof.records import read_json
from scale.editions import forecast_of
from scale.rates import Timed
from scale.steps import steps_of


class Span(NamedTuple):
    """A job that was run: its rule, the files that it made, its start and end in seconds of the clock."""

    rule: str
    outputs: frozenset[str]
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Measured:
    """What a run left. ``root``: the checkout that it was made in; ``forecast``: that of its edition."""

    root: Path
    forecast: Forecast

    @cached_property
    def timed(self) -> list[Timed]:
        """Every step whose provenance is there."""
        return list(self._timed())

    def _timed(self) -> Iterator[Timed]:
        for step in steps_of(self.forecast):
            if (path := self.root / step.provenance).is_file():
                told = read_json(path)
                if not {"wall_seconds", "device"} <= told.keys():
                    raise ValueError(f"{path} tells no wall_seconds or no device")
                yield Timed(step, told["wall_seconds"], told["device"])

    @cached_property
    def spans(self) -> list[Span]:
        """Every job that Snakemake has a record of; [] where only the results folder was handed on."""
        paths = self.forecast.plan.paths
        home = self.root / ".snakemake/metadata"
        found: dict[tuple[str, ...], list[tuple[str, float, float]]] = defaultdict(list)
        for file in home.rglob("*") if home.is_dir() else ():
            # The name is the output's in base 64, long ones over several folders that begin with @.
            name = "".join(part.removeprefix("@") for part in file.relative_to(home).parts)
            if file.is_dir():
                continue
            output = urlsafe_b64decode(name).decode()
            if not output.startswith((f"{paths.results}/", f"{paths.figures}/")):
                continue
            record = json.loads(file.read_text(encoding="utf-8"))
            if None not in (record["starttime"], record["endtime"]):
                found[record["rule"], *record["log"]].append((output, record["starttime"], record["endtime"]))
        return [
            Span(rule, frozenset(outputs), min(starts), max(ends))
            for (rule, *_), files in found.items()
            for outputs, starts, ends in [zip(*files, strict=True)]
        ]

    def of(self, edition: str) -> bool:
        """Whether this is a run of an edition."""
        return bool(self.forecast.plan.config["edition"] == edition)

    def timed_on(self, device: str) -> list[Timed]:
        """The steps that ran on a CPU (``device`` cpu) or on a GPU (cuda)."""
        return [one for one in self.timed if (one.device == "cpu") == (device == "cpu")]

    def spans_on(self, device: str) -> list[Span]:
        """The jobs without those whose networks ran elsewhere than on a CPU (``device`` cpu) or a GPU (cuda)."""
        elsewhere = {one.step.output for one in self.timed} - {one.step.output for one in self.timed_on(device)}
        return [span for span in self.spans if not span.outputs & elsewhere]


def start_ups(spans: Iterable[Span], timed: Iterable[Timed]) -> dict[str, float]:
    """By device, median seconds of a job beside the work of its steps: its start, reading, what comes after."""
    job_of = {path: span for span in spans for path in span.outputs}
    worked: dict[Span, float] = defaultdict(float)
    where: dict[Span, str] = {}
    for step, seconds, device in timed:
        if span := job_of.get(step.output):
            worked[span] += seconds
            where[span] = device
    beside: dict[str, list[float]] = defaultdict(list)
    for span, seconds in worked.items():
        beside[where[span]].append(span.seconds - seconds)
    return {device: median(values) for device, values in beside.items()}


def read_run(folder: Path, overlays: Sequence[Path] = ()) -> Measured:
    """What a results folder tells, given its edition's overlays; ValueError where there is none or it is another's."""
    if not folder.is_dir():
        raise ValueError(f"no folder {folder}")
    root = folder.resolve().parents[1]
    measured = Measured(root, forecast_of(overlays, root))
    edition = measured.forecast.plan.config["edition"]
    if folder.resolve().name != edition:
        raise ValueError(f"{folder} holds no results of the edition '{edition}': name its overlays after the folder")
    if not measured.timed and not measured.spans:
        raise ValueError(f"{folder} tells no times: no provenance of this edition's steps")
    return measured
