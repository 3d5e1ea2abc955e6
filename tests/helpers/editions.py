"""Editions as the workflow loads them, for the tests of settings and plans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lossproof.planning.declare import load_exhibits
from lossproof.planning.plan import Plan
from lossproof.settings.config import load_config

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "config.yaml"
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
EXHIBITS = ROOT / "exhibits"


def edition(name: str) -> Path:
    """The file of a shipped edition."""
    return ROOT / "editions" / f"{name}.yaml"


def load(*overlays: Path, base: Path = BASE, cli: dict[str, Any] | None = None) -> dict[str, Any]:
    """The checked configuration of a ``config.yaml``, overlays and ``--config``."""
    return load_config(ROOT, overlays, cli, base)


def plan(*overlays: Path, cli: dict[str, Any] | None = None) -> Plan:
    """What an edition makes."""
    config = load(*overlays, cli=cli)
    return Plan(config, load_exhibits(EXHIBITS, config["papers"], config))
