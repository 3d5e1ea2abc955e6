"""The Kubernetes executor with the shipped profile runs targets of the test edition in pods of a stand-in cluster."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import executor_plugins
import pytest
import yaml
from checkout import new_checkout
from needed import out_of_reach
from stand_in_cluster import Cluster

from editions import ROOT
from lossproof.records import sha256

SHIPPED = yaml.safe_load((ROOT / "profiles/kubernetes/profile.yaml").read_text(encoding="utf-8"))
RUN = "results/test/models/digits_gray/cnn2/ce"
TRAINING = f"{RUN}/seed0/record.json"
TARGETS = ("sp_theorem_1", "isce_fig_3", TRAINING)
EPOCHS = 40
STORAGE = "snakemake-storage-plugin-fs"
MORE = f"seeds: 1\ntraining: {{epochs: {{digits_gray/cnn2: {EPOCHS}}}, resume_every_seconds: 1}}\n"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("rsync"), reason="the storage plugin for folders needs rsync"),
]


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    """The executor and storage plugins, for the Snakemake that submits."""
    return executor_plugins.install(tmp_path_factory.mktemp("plugins"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster whose image has this environment's packages, and pip with the settings of this machine."""
    # Snakemake has each pod install the storage plugin.
    tried = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed", STORAGE]
    if subprocess.run(tried, capture_output=True).returncode != 0:
        out_of_reach(f"pip reaches no {STORAGE}")
    kept = {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
    image = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", **kept}
    with Cluster(tmp_path_factory.mktemp("cluster"), image) as started:
        yield started


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, cluster):
    """A clone that has the cluster's volume as its .cache."""
    options = ["--workflow-profile", "profiles/kubernetes", "--kubernetes-namespace", "lab"]
    options += ["--seconds-between-status-checks", "1", "--configfile", "editions/test.yaml", "more.yaml"]
    made = new_checkout(tmp_path_factory.mktemp("submits") / "lossproof", *options)
    (made.folder / "more.yaml").write_text(MORE)
    # Sources go to pods as git lists them.
    for command in (["git", "init", "--quiet"], ["git", "add", "--all"]):
        subprocess.run(command, cwd=made.folder, check=True)
    (made.folder / ".cache").symlink_to(cluster.volume("lossproof"))
    return made


def environment(cluster, plugins):
    return {"KUBECONFIG": str(cluster.kubeconfig()), "PYTHONPATH": str(plugins)}


@pytest.fixture(scope="module")
def lost(checkout, cluster, plugins):
    """The pod of a training that is killed at its first resume point, the point, and what Snakemake said of it."""
    point = cluster.volume("lossproof") / "test/models/digits_gray/cnn2/ce/seed0.safetensors"
    running = subprocess.Popen(
        checkout.command(TRAINING),
        cwd=checkout.folder,
        env=checkout.environment(**environment(cluster, plugins)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    end = time.monotonic() + 180
    while not point.exists() and running.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    cluster.every_pod[-1].kill()
    text, _ = running.communicate(timeout=60)
    assert running.returncode != 0 and point.exists(), text[-3000:]
    return cluster.every_pod[-1], point, text


@pytest.fixture(scope="module")
def said(lost, checkout, cluster, plugins):
    """What Snakemake said of a run of the targets, after the lost pod."""
    return checkout.succeed(*TARGETS, **environment(cluster, plugins))


@pytest.fixture(scope="module")
def storage(cluster):
    """Where results lie."""
    return cluster.volume("lossproof") / "storage"


def jobs_of(pod):
    """Rules of a pod's jobs."""
    return set(re.findall(r"(\w+):", re.search(r"--target-jobs (.+?) --", pod.container["args"][1])[1]))


def test_every_step_ran_in_a_pod(said, lost, cluster):
    assert {pod.exit_code for pod in cluster.every_pod if pod is not lost[0]} == {0}
    ran = set().union(*map(jobs_of, cluster.every_pod))
    assert ran == {
        "prepare",
        "train",
        "theory_isce_curve",
        "theory_sp_statement",
        "collect",
        "collect_grids",
        "figure",
        "table",
    }
    # Small jobs share one: here the theory checks, then everything that is made of tidy tables.
    assert sum("--local-groupid" in pod.container["args"][1] for pod in cluster.every_pod) == 2
    assert sorted(re.findall(r"^localrule (\w+):$", said, re.MULTILINE)) == ["isce_fig_3", "sp_theorem_1"]


def test_each_pod_asks_for_what_its_jobs_need(said, cluster):
    for pod in cluster.every_pod:
        asked = pod.container["resources"]
        assert pod.container["image"] == SHIPPED["container-image"]
        assert asked["limits"]["cpu"] in ("1000m", "2000m", "3000m", "4000m")
        assert int(asked["limits"]["memory"].removesuffix("M")) >= 1500
        assert {key: asked["limits"][key] for key in asked["requests"] if key != "cpu"} == {
            key: value for key, value in asked["requests"].items() if key != "cpu"
        }
        assert asked["limits"].get("nvidia.com/gpu") == ("1" if "train" in jobs_of(pod) else None)
        assert {"name": "lossproof", "mountPath": "/workdir/.cache"} in pod.container["volumeMounts"]


def test_after_a_lost_pod_the_same_command_goes_on(said, lost, storage):
    """The plugin ends the run then (profile.yaml says why); the training resumes from the volume."""
    pod, point, text = lost
    assert jobs_of(pod) == {"train"} and pod.exit_code == 137
    assert "previous terminated container" in text
    log = (storage / "logs/test/train/digits_gray/cnn2/ce/seeds.log").read_text()
    left = {int(epochs) for epochs in re.findall(r"^digits_gray/cnn2/ce/0: \d+/(\d+),", log, re.MULTILINE)}
    assert left and max(left) < EPOCHS, log[-2000:]
    assert not point.exists()


def test_results_are_those_of_a_local_run(said, storage, tmp_path):
    here = new_checkout(tmp_path / "lossproof", "--cores", "2", "--configfile", "editions/test.yaml", "more.yaml")
    (here.folder / "more.yaml").write_text(MORE)
    here.succeed(*TARGETS)
    made = [path for folder in ("results", "figures") for path in here.folder.glob(f"{folder}/test/**/*.*")]
    # What is no output of a rule stays in the pod.
    kept = [path.relative_to(here.folder) for path in made if "provenance" not in path.name]
    assert len(kept) > 15
    assert {str(path): sha256(storage / path) for path in kept} == {
        str(path): sha256(here.folder / path) for path in kept
    }


def test_nothing_is_stale_afterwards(said, checkout, cluster, plugins):
    assert "Nothing to be done" in checkout.succeed(*TARGETS, "-n", **environment(cluster, plugins))
