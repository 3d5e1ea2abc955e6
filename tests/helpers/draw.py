"""Drawing an exhibit of a kind as its step does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from lossproof.catalogue import catalogue
from lossproof.drawing import style


def draw(kind: str, exhibit: dict[str, Any], csv_path: Path, npz_path: Path | None, out_stem: Path) -> None:
    """Draw a figure of a kind from its tidy table (and grids) to ``<out_stem>.png`` and ``.pdf``."""
    catalogue("exhibits")[kind].load_part("figure")(exhibit, csv_path, npz_path, out_stem)


def watched_page(seen: list[Figure]) -> Callable[..., AbstractContextManager[Figure]]:
    """``style.page`` that keeps its figures."""
    real = style.page

    @contextmanager
    def page(*given: object) -> Iterator[Figure]:
        with real(*given) as figure:  # type: ignore[arg-type]
            yield figure
            seen.append(figure)

    return page
