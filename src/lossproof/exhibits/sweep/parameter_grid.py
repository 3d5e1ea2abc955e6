"""Accuracy over a sweep of two settings of one recipe, with and without attack."""

from __future__ import annotations

from typing import Any

from lossproof.exhibits.by_dataset import LISTS, of
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns
from lossproof.exhibits.sweep.swept import swept

CATALOGUE = {
    "parameter_grid": {
        "build": "ParameterGrid",
        "outputs": ["figure", "table"],
        "swept": 2,
        "parameters": {
            "sweep": {"type": "string", "description": "a sweep of two settings"},
            "datasets": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "arch": {"type": "string"},
            "attacks": LISTS,
        },
        "required": ["sweep", "datasets", "arch", "attacks"],
    }
}


class ParameterGrid:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        needs = Needs()
        for dataset in declaration["datasets"]:
            runs = swept.runs(stand_ins, dataset, declaration["arch"], declaration["points"])
            needs.models += runs
            needs.attacks += [(run, attack) for run in runs for attack in of(declaration, "attacks", dataset)]
        return needs

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        arch, points = declaration["arch"], declaration["points"]
        rows = [
            row
            for dataset in declaration["datasets"]
            for row in swept.rows(context, dataset, arch, points, of(declaration, "attacks", dataset))
        ]
        return Tidy(swept.COLUMNS, rows)
