"""Fields over a plane that a formula gives: no data, no network. One way to collect them, several to draw them."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns
from lossproof.records import read_json

CHECK = {"type": "string", "description": "an entry in src/lossproof/theory that gives fields and measures"}

CATALOGUE = {
    "surface": {
        "build": "ComputedField",
        "figure": "surface:draw",
        "grids": True,
        "parameters": {"check": CHECK},
        "required": ["check"],
    },
    "descent": {
        "build": "ComputedField",
        "figure": "descent:draw",
        "grids": True,
        "parameters": {"check": CHECK},
        "required": ["check"],
    },
}


class ComputedField:
    """``needs`` and ``collect`` of the kinds."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        return Needs(theory=[declaration["check"]])

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        record = read_json(context.root / context.paths.theory(context.paper, declaration["check"]))
        rows = [context.named(**measure) for measure in record["measures"]]
        columns = list(dict.fromkeys(key for row in rows for key in row))
        return Tidy(columns, rows, {name: np.array(values) for name, values in record["fields"].items()})
