"""What steps are given: by id, complete, and the same for the rules and in the plan file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from steps import run_step

from editions import ROOT, edition, plan
from lossproof.paths import Run
from lossproof.plan_file import PlanFile
from lossproof.planning import exhibit_specs, handover, plan_store
from lossproof.planning.plan import Plan
from lossproof.settings.resolved import run_settings

TEST = plan(edition("test"))


@cache
def content() -> dict:
    return handover.contents(TEST, ROOT)


def test_every_network_of_the_edition_is_there_with_those_beside_it():
    networks = content()["networks"]
    assert {str(run) for run in TEST.runs} <= set(networks)
    for entry in networks.values():
        settings = entry["settings"]
        assert settings == run_settings(TEST.config, settings["dataset"], settings["arch"], settings["training"])
    for run in TEST.runs:
        entry = networks[str(run)]
        assert {*entry["substitutes"].values()} <= set(networks)
        assert entry.get("baseline") == (str(TEST.twin(run)) if TEST.twin(run) else None)
    assert networks["digits_gray/lenet5/ce_isce"]["epsilon"] == "0.1"
    assert networks["digits_gray/lenet5/ce_like_isce"]["match"] == "digits_gray/lenet5/isce"
    assert "match" not in networks["digits_gray/lenet5/ce_x100"]


def test_the_substitutes_of_every_attack_are_those_of_the_plan():
    for run, attack in TEST.attacks:
        found = content()["networks"][str(run)]["substitutes"].get(attack)
        assert found == (str(TEST.substitute(run, attack)) if TEST.substitute(run, attack) else None)


def test_what_is_asked_for_by_path_is_added():
    run = Run("digits_gray", "lenet5", "ce@last")
    assert run not in TEST.runs and "gce" not in handover.toy_trainings(TEST)
    more = handover.contents(TEST, ROOT, runs=[run], trainings=["gce"])
    assert more["networks"].keys() - content()["networks"].keys() == {str(run)}
    assert {bundle: toys.keys() - content()["toys"][bundle].keys() for bundle, toys in more["toys"].items()} == {
        bundle: {"gce"} for bundle in more["toys"]
    }
    same = {"networks", "toys"}
    assert {key: more[key] for key in more.keys() - same} == {key: content()[key] for key in more.keys() - same}


def test_statements_and_curves_have_checks_of_their_own():
    assert exhibit_specs.checks(TEST, "sp", "curve") == ["loss_curves"]
    statements = exhibit_specs.checks(TEST, "sp", "statement")
    assert "theorem_1" in statements and "loss_curves" not in statements
    assert "sp_focal" in content()["curves"]["sp"] and content()["curves"]["jury"] == {}


def renamed(changes: dict[str, str]) -> Plan:
    """The test edition whose exhibits have other names."""
    return Plan(TEST.config, [replace(one, name=changes.get(one.id, one.name)) for one in TEST.exhibits])


def test_any_exhibit_of_the_kind_gives_the_audits_tables():
    assert exhibit_specs.audit_tables(TEST) == {
        "verdicts": TEST.paths.tidy("jury", "verdicts"),
        "diagnostics": TEST.paths.tidy("jury", "diagnostics"),
    }
    other = exhibit_specs.audit_tables(renamed({"jury/verdicts": "gains", "jury/diagnostics": "map"}))
    assert other == {"verdicts": TEST.paths.tidy("jury", "gains"), "diagnostics": TEST.paths.tidy("jury", "map")}
    assert exhibit_specs.audit_tables(plan(edition("test"), cli={"papers": ["sp"]})) == {}


def test_papers_that_report_numbers_have_summaries():
    assert exhibit_specs.reporting_papers(TEST) == [paper for paper in TEST.config["papers"] if paper != "jury"]
    assert set(content()["summaries"]) == set(content()["claims"]["papers"])


def test_the_ledger_knows_exhibits_by_their_aliases_and_why_some_are_missing():
    told = content()["claims"]
    assert set(told["exhibits"].values()) == {one.id for one in exhibit_specs.answering(TEST)}
    assert all(told["exhibits"][alias] == one for alias, one in TEST.aliases.items() if one in told["exhibits"])
    assert "cinic10" in told["missing"]["sp/table_4"]
    assert not told["full_protocol"]


def test_exhibits_have_their_words_and_settings():
    assert set(content()["collect"]) == set(content()["draw"]) == {one.id for one in TEST.made}
    collected = content()["collect"]["sp/table_1"]
    assert collected["declaration"] and collected["seeds"] == 2 and collected["splits"]
    assert content()["draw"]["sp/table_1"]["title"] == TEST.exhibit("sp", "table_1").title
    told = content()["report"]
    assert [entry["name"] for entry in told["papers"]["sp"]] == [one.name for one in TEST.made if one.paper == "sp"]
    entry = next(one for one in told["papers"]["sp"] if one["name"] == "table_1")
    assert set(entry["settings"]["runs"]) == {str(run) for run in TEST.needs["sp/table_1"].runs}


def test_a_plan_file_is_written_once_per_content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = plan_store.store({"edition": "e", "a": 1})
    written = Path(first).stat().st_ino
    assert plan_store.store({"a": 1, "edition": "e"}) == first and Path(first).stat().st_ino == written
    other = plan_store.store({"edition": "e", "a": 2})
    assert other != first and json.loads(Path(first).read_text()) == {"edition": "e", "a": 1}
    assert sorted(path.name for path in Path(".cache/e").iterdir()) == sorted(map(os.path.basename, (first, other)))


def test_only_plan_files_that_were_unused_for_a_month_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept, old, used = (Path(plan_store.store({"edition": "e", "a": at})) for at in range(3))
    long_ago = time.time() - plan_store.KEPT_SECONDS - 60
    for path in (old, used):
        os.utime(path, (long_ago, long_ago))
    plan_store.store({"edition": "e", "a": 2})
    plan_store.sweep("e")
    assert kept.exists() and used.exists() and not old.exists()
    plan_store.sweep("never made")


def test_an_unknown_id_is_named_in_one_line(capsys):
    told = PlanFile(Path("plan.json"), {"edition": "e", "networks": {"a/b/ce": {}}})
    with pytest.raises(SystemExit) as stopped:
        told.network("a/b/cee")
    assert str(stopped.value) == ("lossproof: plan.json: networks a/b/cee settings: no 'a/b/cee'; nearest: a/b/ce")


def test_a_file_that_is_no_plan_is_named(tmp_path):
    done = run_step(tmp_path, "claims", {}, "--plan", "none.json")
    assert done.returncode == 2 and "none.json is no plan" in done.stderr and "Traceback" not in done.stderr


SCRIPTS = sorted(path.stem for path in (ROOT / "workflow/scripts").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_says_how_to_use_it(script):
    command = [sys.executable, str(ROOT / f"workflow/scripts/{script}.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "src")})
    assert done.returncode == 0 and ".py" in done.stdout and "Traceback" not in done.stderr
