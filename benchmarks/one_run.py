"""The settings of the benchmarks' runs: config.yaml's, resolved as the workflow does, with what a benchmark changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from lossproof.settings.config import load_config
from lossproof.settings.resolved import run_settings

ROOT = Path(__file__).resolve().parents[1]


def one_run(dataset: str, arch: str, *, epochs: int, width: float, **training: object) -> dict[str, Any]:
    """A run with cross entropy that keeps the last weights; ``training``: other keys of config.yaml's ``training``."""
    path = ROOT / "config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["training"] |= {"epochs": {"default": epochs}, "selection": "last", **training}
    config["models"]["width"] = {arch: width}
    return run_settings(load_config(config, [path], ROOT / "workflow/schemas/config.schema.yaml"), dataset, arch, "ce")
