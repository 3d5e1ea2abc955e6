"""Jobs, rates and durations behind the simulated grids, and what the two scripts tell."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from argparse import Namespace
from base64 import urlsafe_b64encode
from dataclasses import replace

import makespan
import makespan_check
import pytest
from checkout import MINUTE
from scale.durations import ASSUMED, NOTHING, OWN, RATE, RULE, UNKNOWN, Durations
from scale.editions import forecast_of
from scale.jobs import Job, job_of, jobs_of, waits_for
from scale.measured import Span, read_run, start_ups
from scale.rates import Rates, Timed
from scale.steps import Step, steps_of

from editions import ROOT, edition
from lossproof.paths import Run

TEST = [edition("test")]
PER_JOB = 2  # seeds of a job there
RUN = Run("digits", "lenet5", "ce")


def step(rule="train", arch="lenet5", flop=1e12, output="model"):
    return Step(rule, RUN._replace(arch=arch), 0, output, f"{output}.provenance.json", flop)


def job(rule="train", outputs=("model",), number=0):
    return Job(number, rule, (), outputs, 1, 0, 0)


def durations(**given):
    return Durations(**{"steps": [step()], "timed": [], "spans": [], "assumed": 1e9, "start_up": 2.0} | given)


@pytest.fixture(scope="module")
def planned():
    """The jobs of the test edition as Snakemake plans them for GPUs."""
    return jobs_of(ROOT, ["sp", "jury", "all"], TEST, "cuda")


def test_snakemake_tells_its_jobs(planned):
    ids = [one.id for one in planned]
    assert len(ids) == len(set(ids)) > 50
    training = next(one for one in planned if one.rule == "train")
    assert (training.gpus, training.threads, training.priority) == (1, 1, 20)
    assert any(path.endswith("/record.json") for path in training.outputs)
    assert [(one.rule, one.outputs) for one in planned] == sorted((one.rule, one.outputs) for one in planned)
    drawn = next(one for one in planned if one.rule == "figure")
    assert (drawn.gpus, drawn.priority) == (0, 0)
    after = waits_for(planned)
    prepared = {one.id for one in planned if one.rule == "prepare"}
    assert after[training.id] and after[training.id] <= prepared
    report = job_of(planned, "results/test/report.html")
    assert report.rule == "report" and after[job_of(planned, "all").id] >= {report.id}


def test_the_jobs_do_what_the_forecast_counts(planned):
    forecast = forecast_of(TEST)
    steps = {one.output: one for one in steps_of(forecast)}
    made = [path for one in planned for path in one.outputs]
    assert steps.keys() <= set(made)
    # Every job on a GPU is known, under the name of its rule.
    for one in planned:
        assert {steps[path].rule for path in one.outputs if path in steps} == ({one.rule} if one.gpus else set())
    whole = forecast.amount(forecast.whole)
    assert whole.attack_flop > 0
    counted = sum(one.flop for one in steps.values())
    assert counted == pytest.approx(whole.training_flop + whole.attack_flop)


def test_a_target_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"^[^\n]*nonsense[^\n]*$"):
        jobs_of(ROOT, ["nonsense"], TEST, "cpu")


def test_rates_are_those_of_the_steps_most_alike():
    rates = Rates(
        [
            Timed(step(flop=2e12), 1.0, "cpu"),
            Timed(step(flop=4e12), 2.0, "cpu"),
            Timed(step(arch="cnn2", flop=9e12), 1.0, "cpu"),
            Timed(step("attack_l2", flop=1e12), 4.0, "cpu"),
            Timed(step("attack_jury", "cnn2", flop=3e12), 1.0, "cpu"),
            Timed(step("diagnose", flop=None), 50.0, "cpu"),
        ]
    )
    assert rates.of(step()) == 2e12
    assert rates.of(step(arch="cnn2")) == 9e12
    assert rates.of(step(arch="resnet18")) == pytest.approx(15e12 / 4)
    assert rates.of(step("attack_cw")) == 0.25e12  # attacks on this network
    assert rates.of(step("attack_cw", "vgg13")) == pytest.approx(4e12 / 5)
    assert rates.of(step("embed")) == pytest.approx(19e12 / 9)
    assert rates.by_kind() == {"attack": pytest.approx(4e12 / 5), "train": pytest.approx(15e12 / 4)}
    assert Rates([]).of(step()) is None


def test_what_a_duration_rests_on():
    spans = [Span("figure", frozenset([f"f{at}"]), 10.0, 10.0 + at) for at in (1, 2, 6)]
    spans += [Span("cards_digits", frozenset(["c"]), 0.0, 9.0)]
    assert durations().of(job()) == (2.0 + 1000, ASSUMED)
    timed = [Timed(step(flop=1e12), 10.0, "cuda: one")]
    assert durations(timed=timed).of(job()) == (2.0 + 10, RATE)
    own = [Span("train", frozenset(["model"]), 5.0, 9.0)]
    assert durations(timed=timed, own=own).of(job()) == (4.0, OWN)
    assert durations(spans=spans).of(job("figure", ("new",))) == (2.0, RULE)
    assert durations(spans=spans).of(job("cards_mnist", ("new",))) == (9.0, RULE)
    assert durations(spans=spans).of(job("download", ("new",))) == (0.0, UNKNOWN)
    assert durations(steps=[step(flop=None)]).of(job()) == (0.0, UNKNOWN)
    assert durations().of(job("all", ())) == (0.0, NOTHING)


def test_all_seeds_of_a_job_count():
    two = durations(steps=[step(output="a"), step(output="b", flop=3e12)])
    assert two.of(job(outputs=("a", "b"))) == (2.0 + 4000, ASSUMED)


@pytest.fixture
def checkout(tmp_path):
    """A run of the test edition: provenance of every step, on a CPU, and Snakemake's records of two jobs."""
    steps = list(steps_of(forecast_of(TEST)))
    for one in steps:
        path = tmp_path / one.provenance
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"wall_seconds": one.flop / 1e9, "device": "cpu"}))
    trained = next(one for one in steps if one.rule == "train")
    remember(tmp_path, "train", trained.output, 100.0, 103.0 + trained.flop / 1e9)
    remember(tmp_path, "figure", "figures/test/sp/fig_3.png", 200.0, 201.5)
    remember(tmp_path, "figure", "figures/embedded/sp/fig_3.png", 200.0, 299.0)
    return tmp_path


def remember(root, rule, output, start, end, log=""):
    """A record as Snakemake keeps it."""
    name = urlsafe_b64encode(output.encode()).decode()
    parts = [name[at : at + 254] for at in range(0, len(name), 254)]
    path = root.joinpath(".snakemake/metadata", *(f"@{part}" for part in parts[:-1]), parts[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"rule": rule, "log": [log or f"{output}.log"], "starttime": start, "endtime": end}))


def test_a_run_tells_its_times(checkout):
    run = read_run(checkout / "results/test", TEST)
    assert len(run.timed_on("cpu")) == len(list(steps_of(run.forecast))) and not run.timed_on("cuda")
    assert sorted(span.rule for span in run.spans) == ["figure", "train"]
    assert next(span.seconds for span in run.spans if span.rule == "figure") == 1.5
    assert start_ups(run.spans, run.timed) == {"cpu": pytest.approx(3.0)}
    assert Rates(run.timed).of(run.timed[0].step) == pytest.approx(1e9)
    # What ran on a CPU says nothing of the same job on a GPU.
    assert [span.rule for span in run.spans_on("cuda")] == ["figure"]


def test_long_names_of_outputs_are_read(checkout):
    name = f"results/test/{'x' * 300}.csv"
    remember(checkout, "collect", name, 0.0, 1.0)
    assert {name} in [span.outputs for span in read_run(checkout / "results/test", TEST).spans]


@pytest.mark.parametrize(
    ("folder", "overlays", "said"),
    [
        ("results/none", TEST, "no folder"),
        ("results/test", [], "holds no results of the edition 'embedded'"),
        ("results/empty/test", TEST, "tells no times"),
    ],
)
def test_a_folder_that_tells_nothing_is_named(checkout, folder, overlays, said):
    (checkout / "results/empty/test").mkdir(parents=True)
    with pytest.raises(ValueError, match=rf"^[^\n]*{said}[^\n]*$"):
        read_run(checkout / folder, overlays)


def test_provenance_without_seconds_is_named(checkout):
    file = next((checkout / "results/test").rglob("diagnostics.provenance.json"))
    file.write_text(json.dumps({"device": "cpu"}))
    with pytest.raises(ValueError, match=rf"^{re.escape(str(file))} tells no wall_seconds or no device$"):
        read_run(checkout / "results/test", TEST)


def script(name, *arguments):
    return subprocess.run(
        [sys.executable, f"benchmarks/{name}.py", *map(str, arguments)],
        cwd=ROOT,
        env={"PYTHONPATH": "src", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=2 * MINUTE,
    )


def test_the_table_follows_measured_seconds(checkout):
    measured = ["--measured", checkout / "results/test", *TEST]
    given = ["--configfile", *TEST, "--targets", "sp", "all", "--cores", "1", "2", *measured]
    done = script("makespan", *given)
    assert done.returncode == 0, done.stderr
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines() if line[:1] == "|"
    ]
    assert [row[0] for row in rows] == ["target", "---", "sp", "all"]
    sp, everything = ([float(re.match(r"[\d.e-]+", cell)[0]) for cell in row[1:]] for row in rows[2:])
    jobs, work, chain, one, two = everything
    assert jobs > sp[0] and work > sp[1]
    assert one == pytest.approx(work, rel=0.01) and max(chain, work / 2) <= two * 1.01 < one
    assert "measured rate of train steps: 1 GFLOP/s (cpu)" in done.stdout
    assert re.search(r"not known, counted as 0 s \(.*report.*\)", done.stdout)


def test_seconds_on_a_gpu_take_the_place_of_the_assumed_rate(checkout, planned, monkeypatch):
    monkeypatch.setattr(makespan, "jobs_of", lambda *_: planned)
    given = ["--configfile", *map(str, TEST), "--targets", "all", "--gpus", "1", "4", "--start-up", "0"]
    given += ["--measured", str(checkout / "results/test"), *map(str, TEST)]

    def told():
        return "\n".join(makespan.table(makespan.parser().parse_args(given)))

    def hours():
        return float(re.search(r"^\| all \| \d+ \| (\S+) ", told(), re.MULTILINE)[1])

    # Seconds of a CPU say nothing of a GPU.
    assert "at the assumed rate" in told() and "at a measured rate" not in told()
    assumed = hours()
    for file in (checkout / "results/test").rglob("*provenance.json"):
        file.write_text(file.read_text().replace('"cpu"', '"cuda: one"'))
    assert "at a measured rate" in told() and "at the assumed rate" not in told()
    assert "measured rate of train steps: 1 GFLOP/s (cuda: one)" in told()
    # All ran at 1 GFLOP/s instead of the assumed 20 TFLOP/s.
    assert hours() / assumed == pytest.approx(20e12 / 1e9, rel=0.05)


def test_a_run_on_one_core_is_simulated_to_the_second(checkout, planned, monkeypatch):
    jobs = [replace(one, gpus=0) for one in planned if one.rule in ("train", "figure", "prepare")]
    monkeypatch.setattr(makespan_check, "jobs_of", lambda *_: jobs)
    for at, one in enumerate(jobs):
        for path in one.outputs:
            remember(checkout, one.rule, path, 1000.0 + 2 * at, 1000.0 + 2 * at + 2, log=str(at))
    flop = {one.output: one.flop for one in steps_of(forecast_of(TEST)) if one.rule == "train"}
    for file in (checkout / "results/test/models").rglob("provenance.json"):
        file.write_text(json.dumps({"wall_seconds": 1.5 / PER_JOB, "device": "cpu"}))
    given = Namespace(
        results=checkout / "results/test", configfile=TEST, target="all", cores=1, other=checkout / "results/test"
    )
    took = 2 * len(jobs)
    said = "\n".join(makespan_check.check(given))
    assert f"{len(jobs)} jobs, cores: 1, real: {took} s, between jobs: 0.0% of" in said
    exact = rf"\| {took} \| {took} \({took} to {took}\) \| [+-]0\.0% \|"
    assert re.search(rf"its own, measured {exact}", said) and re.search(rf"in another run {exact}", said)
    # Each training started for 0.5 s; 1.5 s of work become what the forecast counts, at plan.cpu_gflops.
    trainings = [one for one in jobs if one.rule == "train"]
    trained = sum(0.5 + sum(flop.get(path, 0) for path in one.outputs) / 1e11 for one in trainings)
    others = 2 * (len(jobs) - len(trainings))
    assert re.search(rf"at the assumed rate \| {trained + others:.0f} \| {trained + others:.0f} ", said)
    # Of two cores one was not used in this run: its simulation uses both.
    given.cores = 2
    said = "\n".join(makespan_check.check(given))
    assert "between jobs: 50.0% of" in said and re.search(r"its own, measured .*\| -[45]\d\.\d% \|", said)
    jobs.append(replace(jobs[0], id=10_000, outputs=("results/test/never.csv",)))
    with pytest.raises(ValueError, match=rf"^no times of 1 of {len(jobs)} jobs, e.g. of results/test/never.csv$"):
        "".join(makespan_check.check(given))


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("makespan", ["--measured", "no/folder"], "lossproof: no folder no/folder"),
        ("makespan", ["--configfile", "editions/none.yaml"], "No such file"),
        ("makespan_check", ["no/folder", "--cores", "2"], "lossproof: no folder no/folder"),
    ],
)
def test_bad_input_gets_one_line(name, arguments, said):
    done = script(name, *arguments)
    assert done.returncode == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1
