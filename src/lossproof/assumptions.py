"""The unspecified settings of the papers and what we assume for them, from ``reference/assumptions.csv``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from lossproof.records import read_csv, write_text

COLUMNS = ("id", "paper", "unspecified", "default", "alternatives", "config_key", "value")
INTRODUCTION = """\
# Assumptions

Settings that a paper leaves unspecified, and the default that we take for each. To change one, override its key
in an overlay or with `--config`. Values are those of the paper edition (`config/`); smaller editions run smaller
budgets.

Written by `make docs` from `reference/assumptions.csv`; edit that file, not this one.
"""


@dataclass(frozen=True)
class Assumption:
    """One unspecified setting: ``settings`` holds the paper edition's value by dotted configuration key.

    ``settings`` is empty where no key exists; then ``default`` names the file that fixes it.
    """

    id: str
    paper: str
    unspecified: str
    default: str
    alternatives: tuple[str, ...]
    settings: Mapping[str, str]


def read_assumptions(path: Path | str) -> list[Assumption]:
    """The rows of the file, in its order.

    Raises ValueError, with file and row, for other columns, an id given twice, or keys without a value each.
    """
    found: dict[str, Assumption] = {}
    for row in read_csv(path):
        if tuple(row) != COLUMNS:
            raise ValueError(f"{path}: found columns {', '.join(map(str, row))}; expected {', '.join(COLUMNS)}")
        if row["id"] in found:
            raise ValueError(f"{path}: {row['id']} is given twice; expected one row per id")
        keys, values = _parts(row["config_key"]), _parts(row["value"])
        if len(keys) != len(values):
            raise ValueError(f"{path}: {row['id']} has {len(keys)} keys and {len(values)} values; expected as many")
        found[row["id"]] = Assumption(
            id=row["id"],
            paper=row["paper"],
            unspecified=row["unspecified"],
            default=row["default"],
            alternatives=_parts(row["alternatives"]),
            settings=dict(zip(keys, values, strict=True)),
        )
    return list(found.values())


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def markdown(assumptions: Sequence[Assumption]) -> str:
    """The page ``docs/assumptions.md``: a table per paper."""
    lines = [INTRODUCTION]
    for paper, rows in groupby(assumptions, key=lambda one: one.paper):
        lines += [
            f"## {paper}",
            "",
            "| id | unspecified | default | alternatives | key: value |",
            "|---|---|---|---|---|",
        ]
        for one in rows:
            settings = "<br>".join(f"`{key}: {value}`" for key, value in one.settings.items())
            cells = (
                f'<a id="{one.id}"></a>{one.id}',
                one.unspecified,
                one.default,
                "; ".join(one.alternatives),
                settings,
            )
            lines.append("| " + " | ".join(cell.replace("|", r"\|") or "–" for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write docs/assumptions.md.")
    parser.add_argument("--assumptions", required=True, type=Path, help="reference/assumptions.csv")
    parser.add_argument("--out", required=True, type=Path)
    arguments = parser.parse_args()
    write_text(arguments.out, markdown(read_assumptions(arguments.assumptions)))


if __name__ == "__main__":
    main()
