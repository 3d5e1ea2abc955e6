"""The rules of the workflow as Snakemake reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from editions import ROOT

SCRIPT = re.compile(r"workflow/scripts/(\w+\.py)")
# Not of a rule: warm.py and lease.py start the others, publish.py is called by hand.
APART = {"warm.py", "lease.py", "publish.py"}


class Step(NamedTuple):
    """A rule with a command: the script that it runs, and its environment's file ('' for none)."""

    rule: str
    script: str
    environment: str


def steps(*overlays: Path) -> list[Step]:
    """Every rule that runs a command; targets, which run none, are left out. To be called in the project's folder."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        read = api.workflow(
            resource_settings=ResourceSettings(),
            config_settings=ConfigSettings(configfiles=overlays),
            snakefile=ROOT / "Snakefile",
        )
        rules = list(read._workflow.rules)  # its public face only prints names
    assert not [rule.name for rule in rules if rule.script or rule.notebook or rule.wrapper or rule.is_run]
    return [
        Step(rule.name, script_of(rule.shellcmd), Path(rule.conda_env or "").name) for rule in rules if rule.shellcmd
    ]


def script_of(command: str) -> str:
    """The script of workflow/scripts that a command runs, '' for none."""
    found = SCRIPT.search(command)
    return found[1] if found else ""


def scripts() -> set[str]:
    """The scripts that rules are to run."""
    return {path.name for path in (ROOT / "workflow/scripts").glob("*.py")} - APART
