"""Accuracy against the radius of an attack: one attack with a list of epsilons, panel by panel."""

from __future__ import annotations

from typing import Any

from lossproof.exhibits.accuracy import COLUMNS, block, block_runs
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns

CATALOGUE = {
    "epsilon_curves": {
        "build": "EpsilonCurves",
        "figure": "figure:draw",
        "answers": True,  # its tidy table answers reported numbers
        "parameters": {
            "panels": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["dataset", "archs", "trainings"],
                    "properties": {
                        "dataset": {"type": "string"},
                        "archs": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                        "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    },
                },
            },
            "rival": {"type": "string"},
            "attack": {"type": "string", "description": "an attack with a list of epsilons"},
        },
        "required": ["panels", "rival", "attack"],
    }
}


class EpsilonCurves:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        runs = [
            run
            for panel in declaration["panels"]
            for run in block_runs(stand_ins, panel["dataset"], panel["archs"], panel["trainings"], declaration["rival"])
        ]
        return Needs(models=runs, attacks=[(run, declaration["attack"]) for run in runs])

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        rival, attacks = declaration["rival"], [declaration["attack"]]
        rows = [
            row
            for panel in declaration["panels"]
            for row in block(context, panel["dataset"], panel["archs"], panel["trainings"], rival, attacks)
        ]
        return Tidy(COLUMNS, rows)
