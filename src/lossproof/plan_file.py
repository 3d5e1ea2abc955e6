"""The plan file: the settings of every step of an edition, by the id of a network, an attack, an exhibit, ...

``planning.handover`` decides what it holds. A step reads from it what its arguments name, and knows no more of the
plan: a step's code holds this module and none of the planner.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PlanFile:
    """``content`` as in ``planning.handover.contents``; ``path`` is for messages."""

    path: Path
    content: dict[str, Any]

    def get(self, *keys: str) -> Any:
        """What the plan holds under the keys; ends the step with one line that names an unknown one."""
        found = self.content
        for key in keys:
            if key not in found:
                near = difflib.get_close_matches(key, found, 3, 0.0)
                sys.exit(f"lossproof: {self.path}: {' '.join(keys)}: no '{key}'; nearest: {', '.join(near) or 'none'}")
            found = found[key]
        return found

    def network(self, run: str) -> dict[str, Any]:
        """The resolved settings of a run's networks, ``run`` as 'data set/architecture/training'."""
        return dict(self.get("networks", run, "settings"))

    @property
    def results(self) -> Path:
        return Path("results", self.get("edition"))

    @property
    def figures(self) -> Path:
        return Path("figures", self.get("edition"))

    def data(self, dataset: str) -> Path:
        """The folder of a prepared data set."""
        return self.results / "datasets" / dataset

    def resume_point(self, run: str, seed: int) -> Path:
        """What an interrupted training goes on from: kept outside the outputs, as in ``paths.Paths.resume_point``."""
        return Path(".cache", self.get("edition"), "models", run, f"seed{seed}.safetensors")


def read(path: str) -> PlanFile:
    """A plan file, as the type of an argument."""
    try:
        return PlanFile(Path(path), json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{path} is no plan ({error}); a dry run writes the current one") from error


def step_parser(description: str | None) -> argparse.ArgumentParser:
    """The argument that all steps with settings share; a step adds its own."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--plan", required=True, type=read, help="plan file, .cache/<edition>/plan-<hash>.json")
    return parser
