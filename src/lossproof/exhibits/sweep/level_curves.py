"""Accuracy against one swept setting of training, such as the level of adversarial training: a curve per attack."""

from __future__ import annotations

from typing import Any

from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns
from lossproof.exhibits.sweep.swept import swept

CATALOGUE = {
    "level_curves": {
        "build": "LevelCurves",
        "outputs": ["figure", "table"],
        "swept": 1,
        "parameters": {
            "sweep": {"type": "string", "description": "a sweep of one setting"},
            "dataset": {"type": "string"},
            "arch": {"type": "string"},
            "attacks": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["sweep", "dataset", "arch", "attacks"],
    }
}


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
