"""The plan of an edition, merged as the workflow does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from lossproof.planning.declare import load_exhibits
from lossproof.planning.forecast import Forecast
from lossproof.planning.plan import Plan
from lossproof.settings.config import load_config

ROOT = Path(__file__).resolve().parents[2]


def forecast_of(overlays: Sequence[Path], root: Path = ROOT) -> Forecast:
    """The forecast of an edition; ``root``: the checkout whose results/ tells of prepared data sets.

    SettingsError or OSError where an overlay is wrong or absent.
    """
    config = load_config(ROOT, overlays)
    return Forecast(Plan(config, load_exhibits(ROOT / "exhibits", config["papers"], config)), root)


def looked_at() -> int:
    """How many ready jobs the project's profile lets Snakemake look at for a decision."""
    profile = yaml.safe_load((ROOT / "profiles/default/profile.yaml").read_text(encoding="utf-8"))
    return int(profile["scheduler-subsample"])
