"""The networks that the jury judges, and what its diagnostics say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lossproof.exhibits.context import Context
from lossproof.paths import Run
from lossproof.records import read_json

PANELS = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["dataset", "arch", "trainings"],
        "properties": {
            "dataset": {"type": "string"},
            "arch": {"type": "string"},
            "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
    },
    "minItems": 1,
    "description": "networks by a paper's data set and architecture; without panels: every network of the edition",
}


class Judged(NamedTuple):
    """A run under its own names (not those of the paper's data set); ``control`` says what kind of control it is."""

    run: Run
    twin: str = ""
    control: str = ""

    @property
    def rival(self) -> Run | None:
        """The run of the training that it is compared with."""
        return Run(self.run.dataset, self.run.arch, self.twin) if self.twin else None


def judged(declaration: Mapping[str, Any]) -> list[Judged]:
    """The runs of a declaration in which the plan has put ``judged``."""
    return [
        Judged(Run(one["dataset"], one["arch"], one["training"]), one.get("twin") or "", one.get("control") or "")
        for one in declaration["judged"]
    ]


def number_of(diagnostic: str) -> int:
    """The place of a diagnostic's id: 'D13' -> 13."""
    return int(diagnostic.removeprefix("D"))


def diagnosed(context: Context, run: Run) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Seed, record's path and record of each diagnosed seed of a run."""
    for seed in range(min(context.diagnosed, context.seeds)):
        path = context.paths.diagnosis(run, seed)
        yield seed, path, read_json(context.root / path)


def diagnostics(record: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Names and findings of a record's diagnostics that have an id, D1 first."""
    found = [(name, one) for name, one in record["diagnostics"].items() if one["id"]]
    return sorted(found, key=lambda pair: number_of(pair[1]["id"]))
