"""What the grid of each paper takes on 1, 8 and 64 GPUs, on paper: GPU hours, longest chain, time and use of the GPUs.

    python benchmarks/makespan.py --configfile editions/paper.yaml
    python benchmarks/makespan.py --configfile editions/paper.yaml --measured results/embedded
    python benchmarks/makespan.py --configfile editions/paper.yaml --measured results/paper editions/paper.yaml
    python benchmarks/makespan.py --cores 1 2 --measured results/embedded            # jobs on cores, without a GPU

Snakemake itself plans the jobs (a dry run). A job on a GPU takes its start and the forecast's floating-point
operations at the rate of the steps that were measured on a GPU; where none was, at plan.gpu_tflops, which is assumed.
Small steps on a CPU take what the jobs of their rule took in the runs that are given. The schedule is simulated.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from scale.durations import BASES, UNKNOWN, Duration, Durations
from scale.editions import ROOT, forecast_of
from scale.jobs import Job, job_of, jobs_of
from scale.measured import read_run, start_ups
from scale.schedule import behind, busy, critical_path
from scale.steps import steps_of
from scale.tasks import simulated, tasks_of
from start_up import run as start_a_step

from lossproof.planning.cost import GIGA, SECONDS_PER_HOUR, TERA
from lossproof.settings.check import SettingsError


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--configfile", type=Path, nargs="+", default=[], help="overlays of the edition")
    found.add_argument("--targets", nargs="+", help="rows of the table; default: the papers, then all")
    machines = found.add_mutually_exclusive_group()
    machines.add_argument("--gpus", type=count, nargs="+", default=[1, 8, 64], help="columns of the table")
    machines.add_argument("--cores", type=count, nargs="+", help="columns of the table, for runs without a GPU")
    found.add_argument("--cores-per-gpu", type=count, default=8)
    found.add_argument(
        "--measured", type=Path, nargs="+", action="append", default=[], metavar=("RESULTS", "OVERLAY"),
        help="results folder of a run, then the overlays of its edition; may be repeated",
    )  # fmt: skip
    found.add_argument(
        "--start-up", type=float, help="seconds of a job's start; default: measured, on this CPU at least"
    )
    return found


def count(text: str) -> int:
    """A number of machines."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


def main() -> None:
    arguments = parser().parse_args()
    try:
        print("\n".join(table(arguments)))
    except (ValueError, SettingsError, OSError) as error:
        sys.exit(f"lossproof: {error}")


def table(arguments: argparse.Namespace) -> Iterator[str]:
    """The lines of the table and of what it rests on."""
    device = "cpu" if arguments.cores else "cuda"
    forecast = forecast_of(arguments.configfile)
    config = forecast.plan.config
    runs = [read_run(folder, overlays) for folder, *overlays in arguments.measured]
    targets = arguments.targets or [*config["papers"], "all"]
    jobs = jobs_of(ROOT, targets, arguments.configfile, device)
    timed = [one for run in runs for one in run.timed_on(device)]
    spans = [span for run in runs for span in run.spans]
    rates = config["plan"]
    durations = Durations(
        steps_of(forecast),
        timed=timed,
        spans=spans,
        assumed=rates["cpu_gflops"] * GIGA if device == "cpu" else rates["gpu_tflops"] * TERA,
        start_up=arguments.start_up if arguments.start_up is not None else start_up(start_ups(spans, timed)),
        own=[span for run in runs if run.of(config["edition"]) for span in run.spans_on(device)],
    )
    seconds = {job.id: durations.of(job) for job in jobs}
    machines = [{"cores": count, "gpus": 0} for count in arguments.cores or ()] or [
        {"cores": count * arguments.cores_per_gpu, "gpus": count} for count in arguments.gpus
    ]
    yield from rows(jobs, seconds, targets, machines)
    yield ""
    yield from reading(jobs, seconds, durations)


def start_up(measured: dict[str, float]) -> float:
    """Seconds of a job beside its work: of jobs that were measured, else how long a torch step takes to start here."""
    if measured:
        return median(measured.values())
    took = []
    for _ in range(3):
        start = time.perf_counter()
        start_a_step()
        took.append(time.perf_counter() - start)
    return median(took)


def rows(
    jobs: Sequence[Job], seconds: Mapping[int, Duration], targets: Sequence[str], machines: Sequence[Mapping[str, int]]
) -> Iterator[str]:
    """A Markdown table with a row per target."""
    kind = "gpus" if machines[0]["gpus"] else "cores"
    word = {"gpus": "GPU", "cores": "core"}[kind]
    heads = [f"{one[kind]:,} {word}{'s' if one[kind] > 1 else ''}" for one in machines]
    columns = ["target", "jobs", f"{word} h", "longest chain, h", *(f"{one}, h (busy)" for one in heads)]
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    every = tasks_of(jobs, seconds)
    for target in targets:
        tasks = behind(every, job_of(jobs, target).id)
        work = busy(tasks, kind)
        cells = [target, f"{len(tasks):,}", _hours(work), _hours(critical_path(tasks))]
        for machine in machines:
            took = median(simulated(tasks, **machine))
            cells.append(f"{_hours(took)} ({work / (took * machine[kind]) if took else 0:.0%})")
        yield f"| {' | '.join(cells)} |"


def reading(jobs: Sequence[Job], seconds: Mapping[int, Duration], durations: Durations) -> Iterator[str]:
    """What the seconds rest on."""
    counts = Counter(seconds[job.id].basis for job in jobs)
    sums = {basis: sum(one.seconds for one in seconds.values() if one.basis == basis) for basis in counts}
    for basis in BASES:
        if basis in counts:
            rules = sorted({job.rule for job in jobs if seconds[job.id].basis == basis})
            named = f" ({', '.join(rules)})" if basis == UNKNOWN else ""
            yield f"* {counts[basis]:,} jobs, {_hours(sums[basis])} h {basis}{named}"
    yield f"* start of a job with a network: {durations.start_up:.1f} s; assumed rate: {_rate(durations.assumed)}"
    for kind, rate in durations.rates.by_kind().items():
        yield f"* measured rate of {kind} steps: {_rate(rate)} ({', '.join(sorted(durations.devices))})"


def _rate(flops: float) -> str:
    """FLOP/s in words, e.g. '20 TFLOP/s' or '6.59 GFLOP/s'."""
    return f"{flops / TERA:.3g} TFLOP/s" if flops >= TERA else f"{flops / GIGA:.3g} GFLOP/s"


def _hours(seconds: float) -> str:
    """Hours to three digits, e.g. '1,234' or '0.0123'."""
    number = seconds / SECONDS_PER_HOUR
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


if __name__ == "__main__":
    main()
