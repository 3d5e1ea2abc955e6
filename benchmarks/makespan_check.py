"""A simulated run against the real one: the same jobs on as many cores, beside what Snakemake's own records say.

    python benchmarks/makespan_check.py results/embedded --cores 2
    python benchmarks/makespan_check.py results/embedded --cores 2 --target sp --from other/results/embedded

Seconds of each job come (a) from that job itself, which tests the schedule alone; (b) from the other jobs: a random
half of them sets rates and medians for the other half and the other way round, so that no job predicts itself; (c) as
the table of makespan.py does it where no GPU was measured: the work of networks from the forecast at the assumed rate;
(d) from another run of the same edition, where one is given.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from scale.durations import UNKNOWN, Duration, Durations
from scale.editions import ROOT
from scale.jobs import Job, jobs_of
from scale.measured import Measured, Span, read_run, start_ups
from scale.rates import Timed
from scale.schedule import busy, critical_path
from scale.steps import steps_of
from scale.tasks import simulated, tasks_of

from lossproof.planning.cost import GIGA
from lossproof.settings.check import SettingsError

DRAWS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="results folder of a run that made the target at one go")
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="overlays of its edition")
    parser.add_argument("--target", default="all")
    parser.add_argument("--cores", type=int, required=True, help="as the run had")
    parser.add_argument("--from", type=Path, dest="other", help="results folder of another run of the edition")
    arguments = parser.parse_args()
    try:
        print("\n".join(check(arguments)))
    except (ValueError, SettingsError, OSError) as error:
        sys.exit(f"lossproof: {error}")


def check(arguments: argparse.Namespace) -> Iterator[str]:
    """The lines of the comparison."""
    run = read_run(arguments.results, arguments.configfile)
    jobs = jobs_of(ROOT, [arguments.target], arguments.configfile, "cpu")
    spans = spans_of(run, jobs)
    real = max(span.end for span in spans) - min(span.start for span in spans)
    work = sum(span.seconds for span in spans)
    idle = 1 - work / (arguments.cores * real)
    yield f"{len(jobs)} jobs, cores: {arguments.cores}, real: {real:.0f} s, between jobs: {idle:.1%} of the cores' time"
    yield ""
    yield "| seconds of each job | sum, s | simulated, s (least to most) | against the real run | longest chain, s |"
    yield "|---|---|---|---|---|"
    own = {job.id: Duration(span_of(spans, job), "") for job in jobs}
    yield row("its own, measured", jobs, [own], arguments.cores, real)
    halves = [predicted_by_halves(run, spans, jobs, draw) for draw in range(DRAWS)]
    yield row("from the other half of the jobs", jobs, halves, arguments.cores, real)
    assumed = fitted(run, run.timed_on("cpu"), spans, rates=False)
    alone = {job.id: assumed.of(job) for job in jobs}
    yield row("of networks at the assumed rate", jobs, [alone], arguments.cores, real)
    if arguments.other:
        other = spans_of(read_run(arguments.other, arguments.configfile), jobs)
        there = {job.id: Duration(span_of(other, job), "") for job in jobs}
        yield row("of the same jobs in another run", jobs, [there], arguments.cores, real)
    unknown = {job.rule for found in halves for job in jobs if found[job.id].basis == UNKNOWN}
    apart = [abs(found[job.id].seconds - own[job.id].seconds) for found in halves for job in jobs]
    yield ""
    yield f"Job by job, those from the other half differ by {sum(apart) / len(halves) / work:.0%} of the sum."
    if unknown:
        yield f"Rules of a single job, counted as 0 s there: {', '.join(sorted(unknown))}."


def spans_of(run: Measured, jobs: Sequence[Job]) -> list[Span]:
    """The measured jobs among ``jobs``; ValueError where one of them was not measured."""
    made = {path for job in jobs for path in job.outputs}
    spans = [span for span in run.spans if span.outputs <= made]
    known = {path for span in spans for path in span.outputs}
    if missing := [job for job in jobs if not known >= set(job.outputs)]:
        raise ValueError(f"no times of {len(missing)} of {len(jobs)} jobs, e.g. of {missing[0].outputs[0]}")
    return spans


def span_of(spans: Sequence[Span], job: Job) -> float:
    """Measured seconds of a job; 0 for a name without files."""
    return next((span.seconds for span in spans if job.outputs and job.outputs[0] in span.outputs), 0.0)


def fitted(run: Measured, timed: Sequence[Timed], spans: Sequence[Span], rates: bool = True) -> Durations:
    """Durations of the run's jobs by what was measured of some jobs; without ``rates`` steps go at the assumed one."""
    assumed = run.forecast.plan.config["plan"]["cpu_gflops"] * GIGA
    start_up = median(start_ups(spans, timed).values())
    known = timed if rates else []
    return Durations(steps_of(run.forecast), timed=known, spans=spans, assumed=assumed, start_up=start_up)


def predicted_by_halves(run: Measured, spans: Sequence[Span], jobs: Sequence[Job], draw: int) -> dict[int, Duration]:
    """Each job's duration from the half of the jobs that it is not in."""
    shuffled = random.Random(draw).sample(spans, len(spans))
    parts = (shuffled[::2], shuffled[1::2])
    found: dict[int, Duration] = {}
    for part, rest in (parts, parts[::-1]):
        seen = {path for span in part for path in span.outputs}
        durations = fitted(run, [one for one in run.timed_on("cpu") if one.step.output in seen], part)
        told = {path for span in rest for path in span.outputs}
        found |= {job.id: durations.of(job) for job in jobs if not job.outputs or job.outputs[0] in told}
    return found


def row(name: str, jobs: Sequence[Job], seconds: Sequence[Mapping[int, Duration]], cores: int, real: float) -> str:
    """A row of the table, over several sets of durations and orders of equally urgent jobs."""
    tasks = [tasks_of(jobs, found) for found in seconds]
    took = [each for one in tasks for each in simulated(one, cores)]
    work, chain = (median(measure(one) for one in tasks) for measure in (lambda one: busy(one, "cores"), critical_path))
    middle = median(took)
    spread = f"{middle:.0f} ({min(took):.0f} to {max(took):.0f})"
    return f"| {name} | {work:.0f} | {spread} | {middle / real - 1:+.1%} | {chain:.0f} |"


if __name__ == "__main__":
    main()
