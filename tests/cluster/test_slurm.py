"""A real SLURM runs the test edition through the shipped profile: submissions, devices, retries, logs.

`tests/cluster/single_node.sh` installs and starts it, which changes the machine: only where LOSSPROOF_SLURM=1 asks for
it.
"""

from __future__ import annotations

import contextlib
import csv
import os
import re
import subprocess
import time
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import executor_plugins
import psutil
import pytest
from checkout import Checkout, new_checkout

from editions import ROOT
from lossproof.records import read_json, sha256

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("LOSSPROOF_SLURM") != "1",
        reason="LOSSPROOF_SLURM=1 installs a SLURM on this machine (Debian, root) and tries the profile on it",
    ),
]

NODE = ROOT / "tests/cluster/single_node.sh"
# The node has two CPUs, and polls may come sooner than on a cluster that others use.
OPTIONS = ["--workflow-profile", "profiles/slurm", "--cores", "2", "--slurm-init-seconds-before-status-checks", "2"]
OPTIONS += ["--seconds-between-status-checks", "1"]
SUBMITTED = re.compile(r"has been submitted with SLURM jobid (\d+) \(log: (.+?)\)")
TARGETS = ("pc_fig_1", "sp_fig_3", "sp_theorem_1")
RULES = {"prepare", "train", "attack_sweep", "embed", "theory_sp_statement", "toy_separate", "figure", "table"}
RUN = "digits_gray/cnn2/ce"
TARGET = f"results/test/models/{RUN}/seed0/record.json"
ATTACKED = f"results/test/attacks/{RUN}/seed0/test/pgd_sweep.json"
# Enough for an interruption in the middle on a fast machine too.
EPOCHS = 200


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    return executor_plugins.install(tmp_path_factory.mktemp("plugins"))


@pytest.fixture(scope="module")
def slurm():
    """A SLURM of one node with two pretend GPUs."""
    started = subprocess.run(["bash", NODE, "start"], capture_output=True, text=True)
    assert started.returncode == 0, started.stderr
    yield
    subprocess.run(["bash", NODE, "stop"], check=True)


def accounted(*ids):
    """What SLURM's accounting says of submissions, by id: state, limit in minutes, requested, comment, start, end."""
    fields = "JobIDRaw,State,TimelimitRaw,ReqTRES,Comment,Start,End"
    command = ["sacct", "--allocations", "--noheader", "--parsable2", f"--format={fields}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [dict(zip(fields.split(","), line.split("|"), strict=True)) for line in done.stdout.splitlines()]
    return {row["JobIDRaw"]: row for row in rows if row["JobIDRaw"] in ids}


class Running:
    """A Snakemake that submits in a checkout, while the test goes on."""

    def __init__(self, checkout, plugins, *arguments):
        self.checkout, self.said = checkout, checkout.folder / "said.log"
        self.file = self.said.open("w")
        self.process = subprocess.Popen(
            checkout.command(*arguments),
            cwd=checkout.folder,
            env=checkout.environment(PYTHONPATH=str(plugins)),
            stdout=self.file,
            stderr=subprocess.STDOUT,
        )

    def submissions(self):
        """Ids and logs of everything that was submitted, in order."""
        return SUBMITTED.findall(self.said.read_text())

    def until(self, what, condition, seconds=300):
        """Wait for something to be true; its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := condition():
                return found
            assert self.process.poll() is None, f"ended before {what}:\n{self.said.read_text()[-3000:]}"
            time.sleep(0.2)
        raise AssertionError(f"no {what} in {seconds} s:\n{self.said.read_text()[-3000:]}")

    def end(self, seconds=480):
        """Wait for the end; what was said."""
        status = self.process.wait(seconds)
        said = self.said.read_text()
        assert status == 0, said[-4000:]
        return said


@contextlib.contextmanager
def submitting(checkout, plugins, *arguments):
    """Snakemake with the shipped profile; killed where the test fails before its end."""
    running = Running(checkout, plugins, *arguments)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        running.file.close()


@pytest.fixture(scope="module")
def finished(tmp_path_factory, slurm, plugins):
    """A checkout in which some targets of the test edition went through SLURM, and what Snakemake said."""
    options = (*OPTIONS, "--configfile", "editions/test.yaml")
    checkout = new_checkout(tmp_path_factory.mktemp("finished") / "lossproof", *options)
    with submitting(checkout, plugins, *TARGETS, ATTACKED) as running:
        return checkout, running.end(), running.submissions()


def training_in(checkout):
    """The process that trains in a checkout."""

    def trains(process):
        with contextlib.suppress(psutil.Error):
            return process.cwd() == str(checkout.folder) and "workflow/scripts/train.py" in process.cmdline()

    (found,) = filter(trains, psutil.process_iter())
    return found


def provenance(checkout: Checkout, *patterns):
    return [read_json(path) for pattern in patterns for path in sorted(checkout.folder.glob(pattern))]


def test_all_jobs_went_through_sbatch(finished):
    _, said, submissions = finished
    submitted = accounted(*(number for number, _ in submissions))
    assert len(submitted) == len(submissions) >= 8
    assert {row["State"] for row in submitted.values()} == {"COMPLETED"}
    # Each job of the dry run is in a submission, but for the targets themselves.
    jobs = re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)$", said, re.MULTILINE)
    local = re.findall(r"^localrule (\w+):$", said, re.MULTILINE)
    assert sorted(local) == sorted(TARGETS)
    assert set(jobs) >= RULES
    # Several small jobs share one.
    assert len(jobs) - len(local) > len(submissions)
    shared = [row["Comment"] for row in submitted.values() if "collect" in row["Comment"]]
    assert any("figure" in comment and "table" in comment for comment in shared)


def test_each_submission_asks_for_what_its_jobs_need(finished):
    _, _, submissions = finished
    for row in accounted(*(number for number, _ in submissions)).values():
        network = any(step in row["Comment"] for step in ("train", "attack"))
        assert ("gres/gpu=1" in row["ReqTRES"]) == network, row
        assert "mem=" in row["ReqTRES"] and int(row["TimelimitRaw"]) >= 15, row


def test_two_jobs_at_once_had_different_devices(finished):
    checkout, _, submissions = finished
    # By SLURM's accounting: on a busy machine the work itself is a small part of a submission.
    rows = accounted(*(number for number, _ in submissions)).values()
    held = sorted((row["Start"], row["End"]) for row in rows if "gres/gpu=1" in row["ReqTRES"])
    assert any(later[0] < one[1] for one, later in pairwise(held)), "no two jobs ran at once"
    told = provenance(checkout, "results/test/models/**/provenance.json", "results/test/attacks/**/*provenance.json")
    assert {one["visible_devices"] for one in told} == {"0", "1"}
    begin = [datetime.fromisoformat(one["started"]) for one in told]
    spans = [
        (start, start + timedelta(seconds=one["wall_seconds"]), one["visible_devices"])
        for start, one in zip(begin, told, strict=True)
    ]
    pairs = [(a, b) for a in spans for b in spans if a is not b and a[0] <= b[0] < a[1]]
    assert [(a, b) for a, b in pairs if a[2] == b[2]] == []


def test_logs_and_efficiency_lie_where_the_readme_says(finished):
    checkout, _, submissions = finished
    for number, path in submissions:
        # The plugin removes the logs of submissions that ended well.
        assert Path(path).is_relative_to(checkout.folder / "logs/slurm"), path
        assert not Path(path).exists(), number
    assert (checkout.folder / f"logs/test/train/{RUN}/seeds.log").is_file()
    (report,) = checkout.folder.glob("logs/slurm/efficiency_report_*.csv")
    rows = list(csv.DictReader(report.open()))
    assert {row["MainJobID"] for row in rows} == {number for number, _ in submissions}
    trained = [row for row in rows if row["RuleName"].startswith("rule_train")]
    assert trained
    assert all(300 < float(row["MaxRSS_MB"]) < float(row["RequestedMem_MB"]) for row in trained)
    assert all(float(row["CPU Efficiency (%)"]) > 0 for row in trained)


def test_cancelled_and_overdue_trainings_resume_on_their_next_attempt(slurm, plugins, tmp_path):
    """The same training twice, at once: one is cancelled in the middle, one hangs there until its limit of a minute."""
    overlay = f"seeds: 1\ntraining: {{epochs: {{default: {EPOCHS}}}, resume_every_seconds: 1}}\n"
    checkouts = {}
    for name in ("cancelled", "overdue"):
        checkouts[name] = new_checkout(tmp_path / name, *OPTIONS, "--configfile", "editions/test.yaml", "longer.yaml")
        (checkouts[name].folder / "longer.yaml").write_text(overlay)
    points = {
        name: checkout.folder / f".cache/test/models/{RUN}/seed0.safetensors" for name, checkout in checkouts.items()
    }
    with (
        # A minute for the first attempt, two for the second, three for the third.
        submitting(checkouts["overdue"], plugins, TARGET, "--set-resources", "train:runtime=attempt") as overdue,
        submitting(checkouts["cancelled"], plugins, TARGET) as cancelled,
    ):
        overdue.until("resume point", points["overdue"].exists)
        training_in(checkouts["overdue"]).suspend()
        cancelled.until("resume point", points["cancelled"].exists)
        subprocess.run(["scancel", cancelled.submissions()[-1][0]], check=True)
        texts = {"cancelled": cancelled.end(), "overdue": overdue.end()}
        runs = {"cancelled": cancelled.submissions(), "overdue": overdue.submissions()}
    trained = {
        name: [row for row in accounted(*(n for n, _ in rows)).values() if "train" in row["Comment"]]
        for name, rows in runs.items()
    }
    assert [row["State"].split()[0] for row in trained["cancelled"]] == ["CANCELLED", "COMPLETED"]
    states = [row["State"] for row in trained["overdue"]]
    assert states[0] == "TIMEOUT" and states[-1] == "COMPLETED", states
    limits = [int(row["TimelimitRaw"]) for row in trained["overdue"]]
    assert limits == [1, 2, 3][: len(limits)]
    # Memory grows too, by the rule itself.
    asked = [int(re.search(r"mem=(\d+)M", row["ReqTRES"]).group(1)) for row in trained["overdue"]]
    assert asked == sorted(set(asked)) and len(asked) > 1
    # The failed submissions left their logs.
    assert all(Path(rows[-len(trained[name])][1]).is_file() for name, rows in runs.items()), runs
    for name, checkout in checkouts.items():
        log = (checkout.folder / f"logs/test/train/{RUN}/seeds.log").read_text()
        assert f"/{EPOCHS}," not in log, f"{name}: the training started anew\n{texts[name][-2000:]}"
    made = [
        {
            path.name: sha256(path)
            for path in (checkout.folder / TARGET).parent.iterdir()
            if path.name != "provenance.json"
        }
        for checkout in checkouts.values()
    ]
    assert made[0] == made[1]
    assert "model.safetensors" in made[0]
