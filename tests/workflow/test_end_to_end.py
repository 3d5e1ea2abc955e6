"""The test edition from raw data to the report, and what a change then makes again."""

from __future__ import annotations

import base64
import contextlib
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from checkout import Checkout, new_checkout
from commands import fault_of

from editions import edition, plan
from lossproof.paths import MODEL_FILES
from lossproof.records import sha256
from lossproof.report.build import ASSETS

pytestmark = pytest.mark.slow

OVERLAY = "editions/test.yaml"
PLAN = plan(edition("test"))
VOID = {"meta", "img", "input", "br", "hr", "link", "wbr"}
IMPORTED = re.compile(r"^import time:.*\|\s+(lossproof[\w.]*)$", re.MULTILINE)
USED = re.compile(r"([\w.]+)@[0-9a-f]{12}")
EPOCHS = 60
# The first check of each paper's job that traces curves; it names the job's provenance.
CURVES = ("loss_curves", "isce_regression")
RUN = "digits_gray/cnn2/ce"


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Checkout:
    """A checkout in which the test edition was made once; whoever changes a file puts it back."""
    checkout = new_checkout(tmp_path_factory.mktemp("finished") / "lossproof", "--configfile", OVERLAY)
    # Python then notes every import of a step in the step's log.
    said = checkout.succeed("all", "--cores", "2", timeout=900, PYTHONPROFILEIMPORTTIME="1")
    assert "(100%) done" in said
    return checkout


@contextlib.contextmanager
def edited(checkout, name, change):
    """A file of the checkout with other content, for a while."""
    path = checkout.folder / name
    before = path.read_text(encoding="utf-8")
    assert change(before) != before
    path.write_text(change(before), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


def comment(text):
    """The same code with other bytes."""
    return text + "\n# changed\n"


def stage(path):
    """models, attacks, toys, exhibits, ... for a file of results."""
    return path.split("/")[2] if path.startswith("results/") else "figures"


def digests(folder, *patterns):
    """Hash by path of a run's files, but for those that tell of time and machine."""
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    kept = sorted(path for path in found if not path.name.endswith("provenance.json"))
    return {str(path.relative_to(folder)): sha256(path) for path in kept}


# What comes out


def test_every_declared_output_is_there(finished):
    wanted = [path for exhibit in PLAN.made for path in (*PLAN.outputs(exhibit), *PLAN.tidy(exhibit))]
    assert len(wanted) > 80
    there = [path for path in wanted if (finished.folder / path).is_file()]
    assert there == wanted
    assert all((finished.folder / path).stat().st_size for path in there)


def test_no_unfinished_file_is_left(finished):
    left = [path for folder in ("results", "figures", ".cache") for path in finished.folder.glob(f"{folder}/**/.*")]
    assert not left
    assert not list(finished.folder.glob(".cache/*/models/**/*.safetensors")), "a resume point outlived its training"


def test_every_claim_has_a_verdict_and_a_reason(finished):
    with (finished.folder / "results/test/claims.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 262 + 126 + 411
    assert all(row["verdict"] and row["reason"].strip() for row in rows)
    # What this edition leaves out is said to be missing; what it ran has a measurement.
    by_exhibit = {name: [row for row in rows if f"{row['paper']}/{row['exhibit']}" == name] for name in PLAN.missing}
    assert set(by_exhibit) == {"sp/table_4", "sp/table_5", "sp/table_6"}
    assert all(row["verdict"] == "not run" and not row["measured"] for part in by_exhibit.values() for row in part)
    assert any(row["measured"] for row in rows if row["exhibit"] == "table_1")
    cited = {path.replace("seed*", "seed0") for row in rows for path in row["record"].split(";") if path}
    assert cited
    assert all((finished.folder / path).is_file() for path in cited)


class Page(HTMLParser):
    """Links, words and nesting of a page."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.ids, self.commands = [], [], set(), []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.links += [given[key] for key in ("src", "href", "srcset") if given.get(key)]
        if "id" in given:
            self.ids.add(given["id"])
        if tag not in VOID:
            self.open.append((tag, given.get("class")))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == ("code", "command"):
            self.commands.append(data)


def test_the_report_is_whole_in_itself(finished, monkeypatch):
    path = finished.folder / "results/test/report.html"
    text = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open
    inside = [link for link in page.links if link.startswith("#")]
    assert {link[1:] for link in inside} <= page.ids
    outside = [link for link in page.links if not link.startswith(("#", "data:"))]
    assert outside
    assert [link for link in outside if not (path.parent / link).is_file()] == []
    own = text.replace(ASSETS["library"].read_text(encoding="utf-8"), "")
    assert not re.search(r"@import|url\((?!['\"]?(data:|#))", own)
    assert {exhibit.id.replace("/", "-") for exhibit in PLAN.made} <= page.ids
    assert all(name in text for name in PLAN.missing)
    # Each exhibit's command makes this exhibit, in this edition.
    monkeypatch.chdir(finished.folder)
    assert len(page.commands) == len(PLAN.made)
    for command, exhibit in zip(page.commands, PLAN.made, strict=True):
        assert f" {exhibit.target} " in command
        assert not fault_of(command)


# What is made again, and what is not


def test_a_second_run_does_nothing(finished):
    assert "Nothing to be done" in finished.succeed("all", "--cores", "2")


def test_new_times_on_the_sources_make_nothing_stale(finished):
    for path in finished.folder.rglob("*"):
        parts = path.relative_to(finished.folder).parts
        if path.is_file() and parts[0] not in ("results", "figures", ".snakemake", ".cache"):
            path.touch()
    assert finished.pending("all") == {}


def test_a_copy_elsewhere_with_scrambled_times_is_not_stale(finished, tmp_path):
    copy = Checkout(shutil.copytree(finished.folder, tmp_path / "another place"), finished.options)
    now = time.time()
    for age, path in enumerate(sorted(file.path for file in copy.files("all"))):
        # Results first and raw data last: every input is newer than what was made from it.
        os.utime(copy.folder / path, (now, now - age - (0 if stage(path) == "datasets" else 10_000)))
    assert copy.pending("all") == {}


def test_a_plot_style_changes_figures_only(finished):
    with edited(finished, "src/lossproof/drawing/style.py", comment):
        pending = finished.pending("all")
    drawn = {path for exhibit in PLAN.made for path in PLAN.outputs(exhibit) if path.startswith("figures/")}
    drawn |= {PLAN.paths.card(run) for run in PLAN.diagnosed}
    assert set(pending) == drawn | {"results/test/report.html"}


def test_a_loss_changes_what_was_trained_with_it(finished):
    files = finished.files("all")
    with edited(finished, "src/lossproof/criteria/stationary_point_focal.py", comment):
        pending = finished.pending("all")
    own = {"models", "attacks", "toys", "landscapes"}
    # With the networks of the loss the control that takes over their confidence.
    networks = re.compile("/(ce_like_)?sp_focal/")
    wanted = {file.path for file in files if stage(file.path) in own and networks.search(file.path)}
    assert {stage(path) for path in wanted} == own
    assert {path for path in pending if stage(path) in own} == wanted
    assert {"theory_sp_statement", "theory_sp_curve", "collect", "collect_grids", "figure", "claims", "report"} <= set(
        pending.values()
    )
    assert "prepare" not in pending.values()


# One key of the edition: which stages it makes stale, and which it must not.
KEYS = {
    "grid": ("landscape: {grid: 3,", "landscape: {grid: 5,", {"landscapes"}),
    "attacked images": ("{train: 10, test: 10}", "{train: 10, test: 11}", {"attacks"}),
    "toy epochs": ("hidden: 8, epochs: 200", "hidden: 8, epochs: 150", {"toys"}),
    "one attack": ("  upgd: {steps: 2}", "  upgd: {steps: 3}", {"attacks"}),
    "one epoch more": ("{default: 1, digits", "{default: 2, digits", {"models", "attacks", "landscapes"}),
    "seeds": ("seeds: 2\nstand_ins", "seeds: 3\nstand_ins", {"models", "attacks", "landscapes"}),
}
MEASURED = {"datasets", "models", "attacks", "landscapes", "toys", "theory"}


@pytest.mark.parametrize("key", KEYS)
def test_a_key_changes_what_it_reaches(finished, key):
    before, after, stages = KEYS[key]
    with edited(finished, OVERLAY, lambda text: text.replace(before, after)):
        pending = finished.pending("all")
    assert {stage(path) for path in pending} & MEASURED == stages
    assert "report" in pending.values()
    drawn = {Path(path).stem for path in pending if stage(path) == "figures"}
    if key == "grid":
        assert drawn == {"fig_4"}
        assert {Path(path).stem for path in pending if stage(path) == "exhibits"} == {"fig_4"}
    if key == "one attack":
        assert {rule for rule in pending.values() if rule.startswith("attack_")} == {"attack_tables"}
    if key == "one epoch more":
        assert not any("/models/digits_gray/lenet5/" in path for path in pending)


def test_what_a_step_imported_is_what_makes_it_stale(finished):
    """The modules in a job's parameters cover those that it really imported."""
    for file in finished.files("all"):
        name = base64.b64encode(file.path.encode()).decode()
        noted = json.loads((finished.folder / ".snakemake/metadata" / name).read_text())
        used = set(USED.findall(" ".join(noted["params"])))
        imported = set(IMPORTED.findall((finished.folder / file.log).read_text()))
        for told in (finished.folder / file.path).parent.glob("*provenance.json"):
            # Clean and attacked images of a run are placed by two steps, side by side.
            if file.rule.startswith("embed") and told.name != f"{Path(file.path).stem}.provenance.json":
                continue
            if file.rule.startswith("theory") and told.name.startswith(CURVES) != file.rule.endswith("curve"):
                continue
            imported |= set(json.loads(told.read_text())["modules"])
        assert len(imported) > 1, file
        assert imported <= used, f"{file.rule}: {sorted(imported - used)}"


# Equal runs, and interrupted ones


def test_the_same_bytes_elsewhere(finished, tmp_path):
    """Another folder, one core, and a fresh process per step instead of a warm one."""
    other = new_checkout(tmp_path / "elsewhere", *finished.options)
    attacked = "results/test/attacks/digits_gray/resnet18/sp_focal/seed0/test/pgd_sweep.json"
    other.succeed("sp_fig_7", attacked, "--cores", "1", LOSSPROOF_WARM="0")
    patterns = ("results/test/**/*", "figures/test/**/*.png")
    made = digests(other.folder, *patterns)
    assert {"history.csv", "model.safetensors", "record.json", "pgd_sweep.npz", "fig_7.csv"} <= {
        Path(path).name for path in made
    }
    before = digests(finished.folder, *patterns)
    assert {path for path, digest in made.items() if before[path] != digest} == set()


def test_a_killed_training_goes_on_to_the_same_bytes(finished):
    """Of two seeds in one job, the kill comes in the second: the first is not trained anew, though its outputs go."""

    def overlay(name):
        path = finished.folder / f"{name}.yaml"
        path.write_text(
            f"edition: {name}\nseeds: 2\ntraining: {{epochs: {{default: {EPOCHS}}}, resume_every_seconds: 0}}\n"
        )
        return Checkout(finished.folder, (*finished.options, path.name))

    killed, whole = overlay("killed"), overlay("whole")
    target = f"results/killed/models/{RUN}/seed0/record.json"
    first, resume = (finished.folder / f".cache/killed/models/{RUN}/seed{seed}.safetensors" for seed in (0, 1))
    models = finished.folder / f"results/killed/models/{RUN}"
    process = subprocess.Popen(
        killed.command(target, "--cores", "1"),
        cwd=killed.folder,
        env=killed.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 90
        while not resume.exists():
            assert process.poll() is None, "the training ended before it wrote a resume point"
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    time.sleep(1)
    assert not [path for path in models.glob("seed1/*") if path.name[0] != "."], "a final name for unfinished training"
    still = resume.stat().st_mtime_ns
    time.sleep(1)
    assert resume.stat().st_mtime_ns == still, "the step outlived the command"

    said = killed.snakemake(target, "--cores", "1")
    assert said.returncode != 0
    assert "--unlock" in said.stdout + said.stderr
    killed.succeed(target, "--unlock")
    killed.succeed(target, "--cores", "1", "--rerun-incomplete")
    assert not resume.exists() and not first.exists(), "a resume point outlived its training"
    log = (finished.folder / f"logs/killed/train/{RUN}/seeds.log").read_text()
    assert f"{EPOCHS}/{EPOCHS}," not in log, "a training started anew"
    assert not re.search(f"{RUN}/0: ", log), "the first seed was trained again"
    whole.succeed(target.replace("killed", "whole"), "--cores", "1")
    went_on = digests(models, "*/*")
    assert went_on == digests(finished.folder / f"results/whole/models/{RUN}", "*/*")
    assert {Path(path).name for path in went_on} == set(MODEL_FILES)
    assert len(went_on) == 2 * len(MODEL_FILES)
