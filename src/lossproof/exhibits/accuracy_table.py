"""Tables of clean and attacked accuracy: data sets x architectures x trainings x attacks."""

from __future__ import annotations

from typing import Any

from lossproof.exhibits.accuracy import COLUMNS, block, block_runs
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs

CATALOGUE = {
    "accuracy_table": {
        "build": "AccuracyTable",
        "outputs": ["figure", "table"],
        "parameters": {
            "datasets": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "archs": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "rival": {"type": "string", "description": "the training that the others are measured against"},
            "attacks": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
        "required": ["datasets", "archs", "trainings", "rival", "attacks"],
    }
}


class AccuracyTable:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: dict[str, str | None]) -> Needs:
        runs = [
            run
            for dataset in declaration["datasets"]
            for run in block_runs(
                str(stand_ins[dataset]), declaration["archs"], declaration["trainings"], declaration["rival"]
            )
        ]
        return Needs(models=runs, attacks=[(run, attack) for run in runs for attack in declaration["attacks"]])

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        shared = [declaration[key] for key in ("archs", "trainings", "rival", "attacks")]
        rows = [row for dataset in declaration["datasets"] for row in block(context, dataset, *shared)]
        return Tidy(COLUMNS, rows)
