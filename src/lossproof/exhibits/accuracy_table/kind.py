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
        "figure": "figure:draw",
        "table": "table:accuracy_table",
        "answers": True,  # its tidy table answers reported numbers
        "parameters": {
            "datasets": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "archs": LISTS,
            "trainings": LISTS,
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
            archs, trainings = (of(declaration, key, dataset) for key in ("archs", "trainings"))
            runs = block_runs(stand_ins, dataset, archs, trainings, declaration["rival"])
            needs.models += runs
            needs.attacks += [(run, attack) for run in runs for attack in of(declaration, "attacks", dataset)]
        return needs

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        rows = []
        for dataset in declaration["datasets"]:
            archs, trainings, attacks = (of(declaration, key, dataset) for key in ("archs", "trainings", "attacks"))
            rival, subject = declaration["rival"], declaration.get("subject")
            rows += block(context, dataset, archs, trainings, rival, attacks, subject)
        return Tidy(COLUMNS, rows)
