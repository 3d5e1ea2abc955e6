"""What the plan hands to each step: settings by the id of a network, an attack, a data set, a toy, ...

The same values are the ``params`` of the rules, by which Snakemake knows what is stale, and the content of the plan
file, from which the steps read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lossproof.paths import Run
from lossproof.planning import exhibit_specs
from lossproof.planning.plan import Plan
from lossproof.settings.faults import SettingsError
from lossproof.settings.resolved import per_dataset, run_settings, toy_settings


def as_json(value: Any) -> str:
    """Settings as one line, the same for equal settings."""
    return json.dumps(value, sort_keys=True)


def substitutes(plan: Plan, run: Run, attacks: Iterable[str]) -> dict[str, Run]:
    """By attack, the run on which it is made, of the attacks that are not made on the attacked run itself.

    SettingsError where an attack has no substitute for the run's architecture.
    """
    return {name: found for name in attacks if (found := plan.substitute(run, name))}


def baselines(plan: Plan, run: Run) -> list[Run]:
    """The network that a run is compared with, as a list of none or one."""
    return [baseline] if (baseline := plan.twin(run)) else []


def matched(plan: Plan, run: Run) -> Run | None:
    """The run whose confidence a control takes over; None where the control has a scale, and for trained runs."""
    match = plan.config["controls"].get(run.training, {}).get("match")
    return run._replace(training=match) if match else None


def audit_epsilon(plan: Plan, run: Run) -> str:
    """The L-infinity radius, in pixels, of a run's diagnostics."""
    return str(per_dataset(plan.config["jury"]["epsilon"], run.dataset, run.arch))


def network(plan: Plan, run: Run) -> dict[str, Any]:
    """A run's resolved settings and the runs that its steps load beside it; keys without a run are left out."""
    made_on: dict[str, Run] = {}
    for attack in plan.config["attacks"]:
        try:
            made_on |= substitutes(plan, run, [attack])
        except SettingsError:
            # Snakemake refuses this attack on this run, and the attack itself would.
            continue
    related = {"match": matched(plan, run), "baseline": next(iter(baselines(plan, run)), None)}
    return {
        "settings": run_settings(plan.config, *run),
        "epsilon": audit_epsilon(plan, run),
        "substitutes": {attack: str(found) for attack, found in made_on.items()},
        **{name: str(found) for name, found in related.items() if found},
    }


def networks(plan: Plan, more: Iterable[Run] = ()) -> dict[str, dict[str, Any]]:
    """``network`` of every run of the edition, of ``more`` and of the runs beside these, by run."""
    found = {str(run): network(plan, run) for run in {*plan.runs, *more}}
    for entry in list(found.values()):
        beside = {*entry["substitutes"].values(), *(entry[key] for key in ("match", "baseline") if key in entry)}
        for name in beside - set(found):
            found[name] = network(plan, Run(*name.split("/")))
    return found


def toy_trainings(plan: Plan) -> set[str]:
    """The trainings whose toy networks exhibits show."""
    return {training for needs in plan.needs.values() for _, training in needs.toys}


def toys(plan: Plan, more: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """Settings of toy jobs by bundle and training: of the trainings that exhibits show, and of ``more``."""
    trainings = toy_trainings(plan) | {*more}
    return {
        bundle: {training: toy_settings(plan.config, training, list(members)) for training in sorted(trainings)}
        for bundle, members in plan.config["toys"]["bundles"].items()
    }


def contents(
    plan: Plan, root: Path, overlays: Iterable[str] = (), runs: Iterable[Run] = (), trainings: Iterable[str] = ()
) -> dict[str, Any]:
    """All that a plan file holds.

    Parameters
    ----------
    plan : the edition
    root : the project's folder
    overlays : files of ``--configfile``, for the commands that the report shows
    runs, trainings : networks and toys that somebody asked for by path though no exhibit needs them
    """
    config = plan.config
    return {
        "edition": config["edition"],
        "networks": networks(plan, runs),
        "toys": toys(plan, trainings),
        **{key: config[key] for key in ("attacks", "bundles", "datasets", "diagnostics", "landscape")},
        **{key: config[key] for key in ("attack_images", "attack_batch_size", "embedding_images")},
        "audit": {key: config["jury"][key] for key in ("images", "draws")},
        "curves": {paper: exhibit_specs.curves(plan, paper) for paper in config["papers"]},
        "collect": {one.id: exhibit_specs.collect(plan, one) for one in plan.made},
        "draw": {one.id: exhibit_specs.draw(plan, one) for one in plan.made},
        "cards": {dataset: exhibit_specs.cards(plan, shown) for dataset, shown in plan.carded.items()},
        "claims": exhibit_specs.claims(plan, root),
        "summaries": {
            paper: exhibit_specs.summary(plan, root, paper) for paper in exhibit_specs.reporting_papers(plan)
        },
        "report": exhibit_specs.report(plan, root, overlays),
    }
