"""The shipped profiles: what they must have in common, and that Snakemake takes them."""

from __future__ import annotations

import re

import pytest
import yaml
from checkout import new_checkout

from editions import ROOT

PROFILES = {path.parent.name: path for path in sorted((ROOT / "profiles").glob("*/profile.yaml"))}
# What every run wants, wherever its jobs go: each profile takes the place of the default one.
COMMON = ("scheduler", "scheduler-subsample", "rerun-incomplete", "show-failed-logs", "max-checksum-file-size")


def read(name):
    return yaml.safe_load(PROFILES[name].read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return new_checkout(tmp_path_factory.mktemp("profiles") / "lossproof", "--configfile", "editions/test.yaml")


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_keeps_what_every_run_wants(name):
    default = read("default")
    assert {key: read(name).get(key) for key in COMMON} == {key: default[key] for key in COMMON}


@pytest.mark.parametrize("name", PROFILES)
def test_gpu_jobs_are_limited_somewhere(name):
    """Without a limit Snakemake ignores the resource; on a cluster it is one for each submission."""
    profile = read(name)
    (limit,) = (entry for entry in profile["resources"] if entry.startswith("gpu="))
    elsewhere = profile.get("executor", "local") != "local"
    assert ("gpu=local" in profile.get("set-resource-scopes", [])) == elsewhere
    assert int(limit.removeprefix("gpu=")) == (2 if name == "gpu" else 1)


@pytest.mark.parametrize("name", [name for name in PROFILES if "executor" not in read(name)])
def test_snakemake_takes_the_profile(empty, name):
    jobs = empty.jobs("sp_table_3", "--cores", "1", "--workflow-profile", f"profiles/{name}")
    assert jobs["train"] == 5


def test_groups_of_a_profile_are_groups_of_rules():
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*.smk"))
    groups = set(re.findall(r'group:\n +"(.+)"', text))
    assert len(groups) >= 3
    for name in PROFILES:
        named = {entry.rpartition("=")[0] for entry in read(name).get("group-components", [])}
        assert named in (set(), groups), name
