"""Tables of clean and attacked accuracy: data sets x architectures x trainings x attacks."""

from __future__ import annotations

from typing import Any

from lossproof.exhibits.accuracy import COLUMNS, block, block_runs
from lossproof.exhibits.by_dataset import LISTS, of
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns

CATALOGUE = {
    "accuracy_table": {
        "build": "AccuracyTable",
        "outputs": ["figure", "table"],
        "parameters": {
            "datasets": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "archs": LISTS,
            "trainings": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "rival": {"type": "string", "description": "the training that the others are measured against"},
            "subject": {"type": "string", "description": "the training that is measured against every other too"},
            "attacks": LISTS,
        },
        "required": ["datasets", "archs", "trainings", "rival", "attacks"],
    }
}


class AccuracyTable:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        needs = Needs()
        for dataset in declaration["datasets"]:
            archs = of(declaration, "archs", dataset)
            runs = block_runs(stand_ins, dataset, archs, declaration["trainings"], declaration["rival"])
            needs.models += runs
            needs.attacks += [(run, attack) for run in runs for attack in of(declaration, "attacks", dataset)]
        return needs

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        rows = []
        for dataset in declaration["datasets"]:
            archs, attacks = (of(declaration, key, dataset) for key in ("archs", "attacks"))
            trainings, rival = declaration["trainings"], declaration["rival"]
            rows += block(context, dataset, archs, trainings, rival, attacks, declaration.get("subject"))
        return Tidy(COLUMNS, rows)
