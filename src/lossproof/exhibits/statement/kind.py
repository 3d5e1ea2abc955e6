"""Checkable statements of a paper: the numerical check of one, case by case, or all of them in one table."""

from __future__ import annotations

from typing import Any

from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns
from lossproof.records import read_json

CATALOGUE = {
    "statement": {
        "build": "Statement",
        "table": "table:statement_table",
        "states": True,  # its checks are those of a statement, not curves
        "parameters": {"check": {"type": "string", "description": "an entry in src/lossproof/theory"}},
        "required": ["check"],
    },
    "statement_overview": {
        "build": "StatementOverview",
        "table": "table:overview_table",
        "states": True,
        "parameters": {
            "checks": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "description": "entries in src/lossproof/theory",
            }
        },
        "required": ["checks"],
    },
}
COLUMNS = [
    "paper",
    "exhibit",
    "statement",
    "holds",
    "condition",
    "case",
    "role",
    "quantity",
    "expected",
    "measured",
    "residual",
    "digits",
    "case_holds",
    "note",
    "claim",
]


class Statement:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        return Needs(theory=[declaration["check"]])

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        record = read_json(context.root / context.paths.theory(context.paper, declaration["check"]))
        shared = {key: record[key] for key in ("statement", "holds", "condition", "claim")}
        found = [
            context.named(**shared)
            | {key: case.get(key) for key in ("case", "role", "quantity", "expected", "measured", "residual", "digits")}
            | {"case_holds": "yes" if case["holds"] else "no", "note": case.get("note", "")}
            for case in record["cases"]
        ]
        return Tidy(COLUMNS, found)


class StatementOverview:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        return Needs(theory=list(declaration["checks"]))

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        rows = [row for check in declaration["checks"] for row in Statement.collect({"check": check}, context).rows]
        return Tidy(COLUMNS, rows)
