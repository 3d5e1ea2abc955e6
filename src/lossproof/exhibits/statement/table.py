"""Tables of the numerical checks behind theorems, lemmas and gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lossproof.drawing.cells import Cell, Number
from lossproof.drawing.typeset import Line, Section, Table
from lossproof.tidy import Row, number

ROLES = {"check": "Checks", "counterexample": "Counterexamples", "control": "Controls"}
OVERVIEW_COLUMNS = ("statement", "title", "holds", "condition", "checks", "digits", "counterexamples", "controls")


def _short(text: str) -> Cell:
    value = number(text)
    return text if value is None else Number(value, form=".6g")


def statement_table(tidy: Sequence[Row], title: str) -> Table:
    """Every case of one statement: expected beside computed, and to how many digits they agree."""
    sections = []
    for role, heading in ROLES.items():
        lines = tuple(
            Line(
                (row["case"], row["quantity"]),
                (
                    _short(row["expected"]),
                    _short(row["measured"]),
                    Number(number(row["residual"]) or 0.0, form=".1e"),
                    row["digits"],
                    "yes" if _true(row["case_holds"]) else "no",
                ),
            )
            for row in tidy
            if row["role"] == role
        )
        if lines:
            sections.append(Section(heading, lines))
    notes = [f"Holds: {tidy[0]['holds']}."] if tidy else []
    if tidy and tidy[0]["condition"]:
        notes.append(f"Condition: {tidy[0]['condition']}")
    notes += dict.fromkeys(row["note"] for row in tidy if row["note"])
    columns = tuple(("", head) for head in ("expected", "computed", "residual", "digits", "holds"))
    return Table(title, ("case", "quantity"), columns, tuple(sections), tuple(notes), list(tidy))


def _true(text: str) -> bool:
    return text.strip().lower() in ("true", "yes", "1")


def overview(statements: Mapping[str, Sequence[Row]], titles: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """One row (``OVERVIEW_COLUMNS``) per statement: does it hold, where, to how many digits.

    ``statements``: tidy rows by exhibit id; ``digits`` is the smallest over its checks.
    """
    rows = []
    for exhibit, tidy in statements.items():
        by_role = {role: [row for row in tidy if row["role"] == role] for role in ROLES}
        checks = by_role["check"]
        digits = [value for row in checks if (value := number(row["digits"])) is not None]
        rows.append(
            {
                "statement": exhibit,
                "title": (titles or {}).get(exhibit) or (tidy[0].get("claim", "") if tidy else ""),
                "holds": tidy[0]["holds"] if tidy else "",
                "condition": tidy[0]["condition"] if tidy else "",
                "checks": f"{sum(_true(row['case_holds']) for row in checks)} of {len(checks)}",
                "digits": f"{min(digits):g}" if digits else "",
                "counterexamples": str(len(by_role["counterexample"])),
                "controls": str(len(by_role["control"])),
            }
        )
    return rows


def overview_table(tidy: Sequence[Row], title: str) -> Table:
    """The overview of all statements of a paper as a table."""
    checks = dict.fromkeys(row["statement"] for row in tidy)
    rows = overview({check: [row for row in tidy if row["statement"] == check] for check in checks})
    lines = tuple(
        Line((row["statement"], row["title"]), tuple(row[column] for column in OVERVIEW_COLUMNS[2:])) for row in rows
    )
    columns = tuple(("", column) for column in OVERVIEW_COLUMNS[2:])
    note = "Digits: the smallest number of decimal places to which a check of the statement agrees (15 at the most)."
    return Table(title, ("statement", "in short"), columns, (Section("", lines),), (note,), rows)
