"""What every diagnostic of masked gradients says of every judged network."""

from __future__ import annotations

from typing import Any

from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.judged import PANELS, diagnosed, diagnostics, judged
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import StandIns

CATALOGUE = {
    "diagnostics_map": {
        "build": "DiagnosticsMap",
        "figure": "figure:draw",
        "table": "table:diagnostics_table",
        "judges": True,  # the plan puts in the networks
        "audit_table": "diagnostics",  # what summaries and cards read in its tidy table
        "parameters": {"panels": PANELS},
    }
}
SAID = ("id", "of", "title", "value", "unit", "threshold", "flag", "n_images", "says", "source")
COLUMNS = [
    *("paper", "exhibit", "dataset", "arch", "training", "control", "seed", "norm", "epsilon", "epsilon_printed"),
    *("diagnostic", *SAID, "record"),
]


class DiagnosticsMap:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        return Needs(diagnoses=[one.run for one in judged(declaration)])

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        rows = []
        for one in judged(declaration):
            named = context.named(**one.run._asdict(), control=one.control)
            for seed, path, record in diagnosed(context, one.run):
                shared = named | {"seed": seed, "record": path, "norm": record["norm"]}
                shared |= {"epsilon": record["epsilon_value"], "epsilon_printed": record["epsilon"]}
                rows += [
                    shared | {"diagnostic": name} | {key: found[key] for key in SAID}
                    for name, found in diagnostics(record)
                ]
        return Tidy(COLUMNS, rows)
