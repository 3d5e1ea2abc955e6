"""The settings of the benchmarks' runs: the embedded edition's, with what a benchmark changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lossproof.settings.config import load_config
from lossproof.settings.resolved import run_settings

ROOT = Path(__file__).resolve().parents[1]


def one_run(dataset: str, arch: str, *, epochs: int, width: float, **training: object) -> dict[str, Any]:
    """A run with cross entropy that keeps the last weights; ``training``: other keys of ``training``."""
    given = {"epochs": {"default": epochs}, "selection": "last", **training}
    config = load_config(ROOT, given={"training": given, "models": {"width": {arch: width}}})
    return run_settings(config, dataset, arch, "ce")
