"""Jobs that run at once on one machine get different GPUs. The devices are pretended: a lease never touches them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from checkout import new_checkout

from editions import ROOT
from lossproof.devices import gpus_wanted, visible_devices
from lossproof.leases import lease, locks

LEASE = ROOT / "workflow/scripts/lease.py"
# Holds its device for a while and writes down when; it does not end before it is told to where it is told nothing.
STEP = """
import json, os, sys, time
out, seconds = sys.argv[1], float(sys.argv[2])
start = time.monotonic()
with open(out + ".started", "w") as file:
    file.write(os.environ.get("CUDA_VISIBLE_DEVICES", "none"))
time.sleep(seconds)
with open(out, "w") as file:
    json.dump({"device": os.environ.get("CUDA_VISIBLE_DEVICES"), "from": start, "to": time.monotonic()}, file)
sys.exit(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
"""


@pytest.fixture
def start(tmp_path):
    """Start a step under a lease of the given devices; every one that is left is killed in the end."""
    (tmp_path / "step.py").write_text(STEP)
    (tmp_path / "tmp").mkdir()
    running = []

    def run(name, devices, *, seconds=0.3, jobs=1, status=0):
        environment = os.environ | {"TMPDIR": str(tmp_path / "tmp"), "PYTHONPATH": str(ROOT / "src")}
        environment |= {"CUDA_VISIBLE_DEVICES": devices}
        command = [sys.executable, LEASE, "--jobs-per-device", str(jobs), tmp_path / "step.py"]
        command += [tmp_path / name, str(seconds), str(status)]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.wait()
        process.stderr.close()


def started(folder, name, seconds=20.0):
    """The device that a step was given, as soon as it says so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        path = folder / f"{name}.started"
        if path.is_file() and (told := path.read_text()):
            return told
        time.sleep(0.02)
    raise AssertionError(f"{name} did not start")


def at_once(spans, moment):
    """How many of the spans hold a moment."""
    return sum(span["from"] <= moment < span["to"] for span in spans)


@pytest.mark.parametrize(
    ("given", "devices"),
    [
        ("0,1", ["0", "1"]),
        (" 3 , 1", ["3", "1"]),
        ("GPU-8a5f,MIG-77c1", ["GPU-8a5f", "MIG-77c1"]),
        ("", []),
        ("-1", []),
        ("2,-1,0", ["2"]),
    ],
)
def test_what_a_job_may_use_is_what_cuda_would_show(given, devices):
    assert visible_devices({"CUDA_VISIBLE_DEVICES": given}) == devices


def test_without_a_choice_every_device_of_the_driver_is_there(tmp_path):
    assert visible_devices({}, tmp_path) == []
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-caps", "tty0"):
        (tmp_path / name).touch()
    assert visible_devices({}, tmp_path) == ["0", "1"]
    # A container may be given the host's fourth device alone: CUDA calls it 0 there.
    (tmp_path / "nvidia0").rename(tmp_path / "nvidia3")
    (tmp_path / "nvidia1").unlink()
    assert visible_devices({}, tmp_path) == ["0"]


def test_the_nodes_of_a_cluster_have_gpus_that_this_machine_may_lack():
    assert (gpus_wanted("auto", elsewhere=True), gpus_wanted("cpu", elsewhere=True)) == (1, 0)
    assert (gpus_wanted("cuda"), gpus_wanted("mps"), gpus_wanted("mps", elsewhere=True)) == (1, 0, 0)


@pytest.mark.parametrize(("given", "wanted"), [("0", 1), ("0,1", 1), ("", 0), ("-1", 0)])
def test_hidden_gpus_are_not_asked_for(monkeypatch, given, wanted):
    monkeypatch.setattr("os.path.exists", lambda path: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert gpus_wanted("auto") == wanted


def test_an_allocation_of_slurm_numbers_its_own_devices(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    places = {locks()}
    for job in ("7", "8"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        places.add(locks())
    assert len(places) == 3 and all(place.is_dir() for place in places)


@pytest.mark.parametrize("jobs", [1, 2])
def test_jobs_that_run_at_once_never_share_more_than_they_may(tmp_path, start, jobs):
    processes = [start(f"job{number}", "4,6", jobs=jobs) for number in range(7)]
    assert [process.wait(60) for process in processes] == [0] * 7
    spans = [json.loads((tmp_path / f"job{number}").read_text()) for number in range(7)]
    assert {span["device"] for span in spans} == {"4", "6"}
    for device in ("4", "6"):
        own = [span for span in spans if span["device"] == device]
        assert max(at_once(own, span["from"]) for span in own) <= jobs
    assert max(at_once(spans, span["from"]) for span in spans) > 1, "the devices were used one after the other"


def test_an_idle_device_is_taken_before_a_shared_one(tmp_path):
    with (
        lease(["0", "1"], 2, tmp_path) as one,
        lease(["0", "1"], 2, tmp_path) as two,
        lease(["0", "1"], 2, tmp_path) as three,
    ):
        assert (one, two, three) == ("0", "1", "0")
    with lease(["0", "1"], 2, tmp_path) as free:
        assert free == "0"


def test_a_killed_jobs_device_comes_back(tmp_path, start):
    first = start("first", "5", seconds=60)
    assert started(tmp_path, "first") == "5"
    second = start("second", "5", seconds=0)
    assert "waiting for a GPU: 5 taken" in second.stderr.readline()
    assert second.poll() is None
    first.send_signal(signal.SIGKILL)
    assert second.wait(20) == 0
    assert json.loads((tmp_path / "second").read_text())["device"] == "5"


def test_a_step_ends_as_it_would_without_a_lease(tmp_path, start):
    assert start("failing", "0,1", seconds=0, status=3).wait(20) == 3
    assert start("after", "0", seconds=0).wait(20) == 0


def test_without_a_gpu_the_step_runs_and_finds_out_itself(tmp_path, start):
    assert start("none", "", seconds=0).wait(20) == 0
    assert json.loads((tmp_path / "none").read_text())["device"] == ""
    with pytest.raises(ValueError, match="no GPU is visible"), lease([], folder=tmp_path):
        pass


@pytest.mark.slow
def test_two_trainings_of_the_workflow_have_two_devices(tmp_path):
    """`--resources gpu=2`: three jobs, two at once, on different devices; one that asks for none sees none."""
    checkout = new_checkout(tmp_path / "lossproof", "--configfile", "editions/test.yaml", "longer.yaml")
    folder = "results/test/models/digits_gray/cnn2"
    runs = [f"{folder}/{training}/seed0/record.json" for training in ("ce", "sp_focal", "ce+l2")]
    # Trained long enough that the later start of one does not come after the other's end.
    (checkout.folder / "longer.yaml").write_text("training: {epochs: {default: 20}}\n")
    said = checkout.succeed(
        *runs,
        *("--resources", "gpu=2", "--cores", "3", "--set-resources", "train:gpu=1"),
        CUDA_VISIBLE_DEVICES="11,13",
        TMPDIR=str(tmp_path),
    )
    told = [json.loads((checkout.folder / run).with_name("provenance.json").read_text()) for run in runs]
    assert {one["visible_devices"] for one in told} == {"11", "13"}, said[-2000:]
    spans = [(datetime.fromisoformat(one["started"]), one["wall_seconds"], one["visible_devices"]) for one in told]
    # One job trains both seeds, and its clock runs anew for each.
    for begin, wall, device in spans:
        end = begin + timedelta(seconds=wall)
        assert [other for other, _, used in spans if used == device and begin < other < end] == []
    without = f"{folder}/focal/seed0/record.json"
    checkout.succeed(without, "--cores", "1", CUDA_VISIBLE_DEVICES="11,13")
    told = json.loads((checkout.folder / without).with_name("provenance.json").read_text())
    assert told["visible_devices"] == ""


def test_the_locks_are_the_users_alone():
    folder = Path(tempfile.gettempdir()) / f"lossproof-{os.getuid()}"
    with lease(["pretended-by-a-test"]) as device:
        assert device == "pretended-by-a-test"
        assert folder.stat().st_mode & 0o077 == 0
        assert list(folder.glob("gpu-pretended-by-a-test.*.lock"))
