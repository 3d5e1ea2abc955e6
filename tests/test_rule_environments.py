"""Every rule that runs a script names the environment that the script needs."""

from __future__ import annotations

import pytest
from rules import steps

from editions import ROOT, edition

EDITIONS = {"embedded": (), "test": (edition("test"),), "paper": (edition("paper"),)}
# Not of a rule: warm.py starts the others, publish.py is called by hand.
APART = {"warm.py", "publish.py"}


@pytest.fixture(scope="module", params=EDITIONS)
def found(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield steps(*EDITIONS[request.param])


def test_every_script_is_run_by_a_rule(found):
    scripts = {path.name for path in (ROOT / "workflow/scripts").glob("*.py")} - APART
    assert {step.script for step in found} - {""} == scripts


def test_every_rule_that_runs_a_script_has_a_known_environment(found):
    shipped = {path.name for path in (ROOT / "envs").glob("*.yaml")}
    assert {step.environment for step in found if step.script} == shipped


def test_a_rule_without_a_script_prints_what_snakemake_itself_worked_out(found):
    assert [step.rule for step in found if not step.script] == ["plan"]
