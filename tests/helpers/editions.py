"""Editions as Snakemake would merge them, for the tests of settings and plans."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

from lossproof.planning.declare import load_exhibits
from lossproof.planning.plan import Plan
from lossproof.settings.config import load_config

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "config.yaml"
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
EXHIBITS = ROOT / "exhibits"


def edition(name: str) -> Path:
    """The overlay of a shipped edition."""
    return ROOT / "editions" / f"{name}.yaml"


def load(*overlays: Path, base: Path = BASE, cli: dict[str, Any] | None = None) -> dict[str, Any]:
    """The checked configuration of config.yaml, overlays and ``--config``."""
    files = [base, *overlays]
    merged: dict[str, Any] = {}
    for path in files:
        update_config(merged, yaml.safe_load(path.read_text(encoding="utf-8")))
    update_config(merged, copy.deepcopy(cli or {}))
    return load_config(merged, files, SCHEMA)


def plan(*overlays: Path, cli: dict[str, Any] | None = None) -> Plan:
    """What an edition makes."""
    config = load(*overlays, cli=cli)
    return Plan(config, load_exhibits(EXHIBITS, config["papers"], config))
