"""What a GPU is for: one network's work in a job, its floating-point operations and where its seconds are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from lossproof.paths import Run
from lossproof.planning.forecast import Forecast, Model, Record, Work


@dataclass(frozen=True)
class Step:
    """One network in one job of a rule. A job handles one seed or all, so one step or several.

    ``output``: a file that the step makes. ``provenance``: where its seconds are written. ``flop``: None where the
    cost of its network is not known.
    """

    rule: str
    run: Run
    seed: int
    output: str
    provenance: str
    flop: float | None


def steps_of(forecast: Forecast) -> Iterator[Step]:
    """Every step of an edition."""
    plan, whole = forecast.plan, forecast.whole
    paths = plan.paths
    bundle_of = {attack: bundle for bundle, members in plan.config["bundles"].items() for attack in members}

    def step(rule: str, run: Run, seed: int, output: str, provenance: str, **work: frozenset[Any]) -> Step:
        amount = forecast.amount(Work(**work))
        flop = None if amount.uncounted else amount.training_flop + amount.attack_flop
        return Step(rule, run, seed, output, provenance, flop)

    for model in sorted(whole.models):
        rule = "rescale" if "logits" in forecast.settings[model.run] else "train"
        files = (paths.model(*model, name) for name in ("record.json", "provenance.json"))
        yield step(rule, *model, *files, models=frozenset([model]))

    def owner(record: Record) -> tuple[Model, str]:
        return record.model, bundle_of[record.attack]

    for (model, bundle), records in groupby(sorted(whole.records, key=owner), owner):
        made = sorted(records)
        output = paths.attack(model.run, model.seed, made[0].split, made[0].attack)
        told = Path(output).parents[1] / f"{bundle}.provenance.json"
        yield step(f"attack_{bundle}", *model, output, str(told), records=frozenset(made))
    for run in sorted({run for run, _ in whole.landscapes}):
        surfaces = sorted(one for one in whole.landscapes if one[0] == run)
        output = paths.landscape(run, 0, surfaces[0][1])
        told = Path(output).with_name("provenance.json")
        yield step("landscape", run, 0, output, str(told), landscapes=frozenset(surfaces))
    for model in sorted(whole.embeddings):
        files = (paths.embedding(*model, suffix) for suffix in ("json", "provenance.json"))
        yield step("embed", *model, *files, embeddings=frozenset([model]))
    for model, attack in sorted(whole.attacked_embeddings):
        files = (paths.embedding(*model, f"{attack}.{suffix}") for suffix in ("json", "provenance.json"))
        yield step("embed_attacked", *model, *files, attacked_embeddings=frozenset([(model, attack)]))
    for model in sorted(whole.sensitivities):
        files = (paths.sensitivity(*model, suffix) for suffix in ("json", "provenance.json"))
        yield step("sensitivity", *model, *files, sensitivities=frozenset([model]))
    for model in sorted(whole.diagnoses):
        output = paths.diagnosis(*model)
        told = Path(output).with_suffix(".provenance.json")
        yield step("diagnose", *model, output, str(told), diagnoses=frozenset([model]))
