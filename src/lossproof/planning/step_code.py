"""The code of each step: what ``sources`` finds behind its script and the components that its settings name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lossproof import sources
from lossproof.catalogue import catalogue
from lossproof.heads.choice import head_of
from lossproof.paths import Run
from lossproof.settings.resolved import phases, run_settings


def step_code(script: Path, **components: Iterable[str]) -> list[str]:
    """Name and content hash of every module that a step uses: changed code makes its results stale.

    ``components`` are loaded by name: step_code(path, models=["resnet18"], criteria=["ce"]).
    """
    modules = [catalogue(kind)[name].module for kind, names in components.items() for name in names]
    return sources.fingerprint(script, modules)


def part_code(scripts: Path, part: str, kind: str) -> list[str]:
    """The code of the step that makes the ``part`` (figure or table) of an exhibit, with that of its kind."""
    return sources.fingerprint(scripts / f"{part}.py", [catalogue("exhibits")[kind].module_of(part)])


def run_code(script: Path, config: dict[str, Any], runs: Iterable[Run], **components: Iterable[str]) -> list[str]:
    """The code of a step that builds the networks of ``runs``, each with its criterion and that criterion's head."""
    settings = [run_settings(config, *run) for run in runs]
    criteria = [(one["criterion"]["name"], one["criterion"]["parameters"]) for one in settings]
    parts = [part for one in settings for part in phases(one)]
    return step_code(
        script,
        models=sorted({one["arch"] for one in settings}),
        criteria=sorted({part["criterion"]["name"] for part in parts}),
        heads=sorted({head_of(*criterion) for criterion in criteria}),
        defences=sorted({part["defence"]["name"] for part in parts if "defence" in part}),
        **components,
    )
