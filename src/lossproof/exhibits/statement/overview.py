"""All checkable statements of a paper in one table: which hold, where, and to how many digits."""

from __future__ import annotations

from typing import Any

from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns
from lossproof.exhibits.statement.kind import COLUMNS, Statement

CATALOGUE = {
    "statement_overview": {
        "build": "StatementOverview",
        "outputs": ["table"],
        "parameters": {
            "checks": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "description": "entries in src/lossproof/theory",
            }
        },
        "required": ["checks"],
    }
}


class StatementOverview:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        return Needs(theory=list(declaration["checks"]))

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        rows = [row for check in declaration["checks"] for row in Statement.collect({"check": check}, context).rows]
        return Tidy(COLUMNS, rows)
