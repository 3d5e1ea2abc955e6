"""Drawing an exhibit of a kind as its step does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lossproof.catalogue import catalogue


def draw(kind: str, exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw a figure of a kind from its tidy table (and grids) to ``<out_stem>.png`` and ``.pdf``."""
    catalogue("exhibits")[kind].load_part("figure")(exhibit, csv_path, npz_path, out_stem)
