"""What a collecting step is told besides its exhibit's declaration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lossproof.exhibits.stand_ins import StandIns
from lossproof.paths import Paths


@dataclass(frozen=True)
class Context:
    """One exhibit in one edition; ``root`` is where relative paths start."""

    root: Path
    paths: Paths
    paper: str
    exhibit: str
    stand_ins: StandIns
    seeds: int
    splits: dict[str, list[str]]
    diagnosed: int = 1  # seeds of a run that diagnostics are made of

    def named(self, **more: Any) -> dict[str, Any]:
        """The first columns of every tidy row."""
        return {"paper": self.paper, "exhibit": self.exhibit} | more


@dataclass(frozen=True)
class Tidy:
    """The tidy table of an exhibit, and its grids where it has some."""

    columns: tuple[str, ...] | list[str]
    rows: list[dict[str, Any]]
    arrays: dict[str, np.ndarray] | None = None
