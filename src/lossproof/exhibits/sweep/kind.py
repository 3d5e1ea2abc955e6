"""Accuracy over a sweep of settings of one recipe: a grid of two, or a curve per attack over one."""

from __future__ import annotations

from typing import Any

from lossproof.exhibits.by_dataset import LISTS, of
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns
from lossproof.exhibits.sweep import swept

CATALOGUE = {
    "parameter_grid": {
        "build": "ParameterGrid",
        "figure": "grid_figure:draw",
        "table": "table:grid_table",
        "swept": 2,
        "parameters": {
            "sweep": {"type": "string", "description": "a sweep of two settings"},
            "datasets": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "arch": {"type": "string"},
            "attacks": LISTS,
        },
        "required": ["sweep", "datasets", "arch", "attacks"],
    },
    "level_curves": {
        "build": "LevelCurves",
        "figure": "level_figure:draw",
        "table": "table:level_table",
        "swept": 1,
        "parameters": {
            "sweep": {"type": "string", "description": "a sweep of one setting"},
            "dataset": {"type": "string"},
            "arch": {"type": "string"},
            "attacks": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["sweep", "dataset", "arch", "attacks"],
    },
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


class LevelCurves:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        runs = swept.runs(stand_ins, declaration["dataset"], declaration["arch"], declaration["points"])
        return Needs(models=runs, attacks=[(run, attack) for run in runs for attack in declaration["attacks"]])

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        told = [declaration[key] for key in ("dataset", "arch", "points", "attacks")]
        return Tidy(swept.COLUMNS, list(swept.rows(context, *told)))
