"""Tidy tables: rows of text and named arrays, checked on the way in, and their cells as numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from lossproof.display_names import substituted
from lossproof.records import read_csv, read_npz
from lossproof.statistics.intervals import Estimate

Row = Mapping[str, str]


def rows(path: Path, columns: Sequence[str], networks: Mapping[str, str] | None = None) -> list[Row]:
    """All rows of a tidy table; ValueError names the file and what it lacks (rows or columns).

    ``networks``: what ran in place of the paper's architectures; their names then say so.
    """
    found = read_csv(path)
    if not found:
        raise ValueError(f"{path}: the table has no rows")
    for column in columns:
        if column not in found[0]:
            raise ValueError(f"{path}: column '{column}' is missing (found: {', '.join(found[0])})")
    if networks:
        found = [row | {"arch": substituted(row["arch"], networks.get(row["arch"], ""))} for row in found]
    return list(found)


def arrays(path: Path | None, names: Sequence[str]) -> dict[str, np.ndarray]:
    """All arrays of the file of grids; ValueError names the file and the array that it lacks."""
    if path is None:
        raise ValueError(f"this figure needs a file of arrays with {', '.join(names)}, and none was given")
    found = read_npz(path)
    for name in names:
        if name not in found:
            raise ValueError(f"{path}: array '{name}' is missing (found: {', '.join(found)})")
    return found


def number(cell: object) -> float | None:
    """A cell as a float ('0.0313', '8/255'), or None where it is empty or no finite number."""
    try:
        value = float(Fraction(str(cell).strip()))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def plotted(cell: str | None) -> float:
    """A cell as a number to draw; an empty one is NaN, which matplotlib leaves out."""
    return float(cell) if cell else math.nan


def estimate(row: Row | None) -> Estimate | None:
    """Value and interval of a row; None where there is no row or no value."""
    value = number(row["value"]) if row else None
    if row is None or value is None:
        return None
    return Estimate(
        value, *(math.nan if (bound := number(row[key])) is None else bound for key in ("ci_low", "ci_high"))
    )


def numbers(table: Iterable[Row], column: str) -> np.ndarray:
    """One column as float64 [rows]."""
    return np.array([plotted(row[column]) for row in table], dtype=float)


def select(table: Iterable[Row], **wanted: str) -> list[Row]:
    """The rows whose cells equal all the wanted ones."""
    return [row for row in table if all(row[key] == value for key, value in wanted.items())]


def distinct(table: Iterable[Row], *columns: str) -> list[tuple[str, ...]]:
    """The distinct combinations of some columns in the order of their first row."""
    return list(dict.fromkeys(tuple(row[column] for column in columns) for row in table))


def order(declared: Any, found: Iterable[str]) -> list[str]:
    """What was found, in the order in which the exhibit declares it; the undeclared rest comes last.

    Of lists by data set the longest comes first.
    """
    found = list(dict.fromkeys(found))
    if isinstance(declared, Mapping):
        declared = [name for part in sorted(declared.values(), key=len, reverse=True) for name in part]
    first = [name for name in dict.fromkeys(str(name) for name in declared or ()) if name in found]
    return first + [name for name in found if name not in first]


def trace(table: Iterable[Row], x: str) -> tuple[np.ndarray, np.ndarray]:
    """Sorted x [N] and the mean of the finite values at each x [N]; NaN where there is none."""
    at: dict[float, list[float]] = {}
    for row in table:
        at.setdefault(plotted(row[x]), []).append(plotted(row["value"]))
    points = sorted(point for point in at if math.isfinite(point))
    means = [np.mean([value for value in at[point] if math.isfinite(value)] or [math.nan]) for point in points]
    return np.array(points), np.array(means)
