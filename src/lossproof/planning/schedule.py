"""How long an edition takes on several GPUs: its jobs, a lower bound of their time, and one greedy schedule.

Hours are the forecast's operations at the rate of config ``plan``. Jobs without a network (downloads, toys, checks,
drawing) and the start of each job count nothing.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

from lossproof.paths import Run
from lossproof.planning.cost import TERA, hours
from lossproof.planning.forecast import Forecast, Work


class Job(NamedTuple):
    """What one GPU does at one go: its hours, and the names of the jobs that must have ended before."""

    hours: float
    after: frozenset[str] = frozenset()


def jobs_of(forecast: Forecast) -> dict[str, Job]:
    """The edition's jobs on a GPU by name, '<rule> <run>', and the seed where seeds have jobs of their own.

    Work whose cost is not known counts nothing.
    """
    plan, whole = forecast.plan, forecast.whole
    bundle_of = {attack: bundle for bundle, members in plan.config["bundles"].items() for attack in members}
    seed_apart = plan.config["seeds_per_job"] != "all"
    flop: dict[str, list[float]] = defaultdict(list)
    after: dict[str, set[str]] = defaultdict(set)

    def job(rule: str, run: Run, seed: int) -> str:
        return f"{rule} {run}" + (f" seed{seed}" if seed_apart else "")

    def network(run: Run, seed: int) -> str:
        return job("rescale" if "logits" in forecast.settings[run] else "train", run, seed)

    def add(name: str, seed: int, networks: Iterable[Run | None], **work: Any) -> None:
        """One item of a job's work, and the networks that must be there before."""
        flop[name].append(forecast.flop(Work(**{kind: frozenset([item]) for kind, item in work.items()})) or 0)
        after[name].update(network(run, seed) for run in networks if run)

    for model in whole.models:
        add(network(*model), model.seed, plan.made_from(model.run), models=model)
    for record in whole.records:
        (run, seed), attack = record.model, record.attack
        networks = (run, plan.substitute(run, attack))
        add(job(f"attack_{bundle_of[attack]}", run, seed), seed, networks, records=record)
    for surface in whole.landscapes:
        add(job("landscape", surface[0], 0), 0, [surface[0]], landscapes=surface)
    for model in whole.embeddings:
        add(job("embed", *model), model.seed, [model.run], embeddings=model)
    for model, attack in whole.attacked_embeddings:
        name = job(f"embed_attacked {attack}", *model)
        add(name, model.seed, [model.run], attacked_embeddings=(model, attack))
        after[name].add(job("embed", *model))
    for model in whole.sensitivities:
        add(job("sensitivity", *model), model.seed, [model.run], sensitivities=model)
    for model in whole.diagnoses:
        add(job("diagnose", *model), model.seed, [model.run, plan.twin(model.run)], diagnoses=model)
    rate = plan.config["plan"]["gpu_tflops"] * TERA
    # Sets have no order; fsum gives the same sum in any.
    return {name: Job(hours(math.fsum(flop[name]), rate), frozenset(after[name])) for name in sorted(flop)}


def longest_chain(jobs: Mapping[str, Job]) -> list[str]:
    """The names of the jobs, each waiting for the one before, that take longest together; [] without jobs.

    CycleError where jobs wait for each other.
    """
    ends: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for name in _in_order(jobs):
        last = before[name] = max(sorted(jobs[name].after), key=ends.__getitem__, default=None)
        ends[name] = jobs[name].hours + (ends[last] if last else 0)
    chain: list[str] = []
    at = max(ends, key=lambda name: (ends[name], name), default=None)
    while at:
        chain.append(at)
        at = before[at]
    return chain[::-1]


def bound(jobs: Mapping[str, Job], gpus: int) -> float:
    """Hours that no schedule on so many equal GPUs beats: all work shared evenly, or the longest chain."""
    chain = math.fsum(jobs[name].hours for name in longest_chain(jobs))
    return max(math.fsum(job.hours for job in jobs.values()) / gpus, chain)


def greedy(jobs: Mapping[str, Job], gpus: int) -> float:
    """Hours of a list schedule on equal GPUs: a free one takes, of the jobs that are ready, the one with the longest
    chain behind it. Less than twice the bound (Graham 1969, Bounds on multiprocessing timing anomalies).
    """
    followers: dict[str, list[str]] = {name: [] for name in jobs}
    for name, job in jobs.items():
        for before in job.after:
            followers[before].append(name)
    left: dict[str, float] = {}  # hours from a job's start to the end of the longest chain behind it
    for name in reversed(_in_order(jobs)):
        left[name] = jobs[name].hours + max((left[one] for one in followers[name]), default=0)
    waits = {name: len(job.after) for name, job in jobs.items()}
    ready = [(-left[name], name) for name, count in waits.items() if not count]
    heapq.heapify(ready)
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < gpus:
            name = heapq.heappop(ready)[1]
            heapq.heappush(running, (now + jobs[name].hours, name))
        now = running[0][0]
        while running and running[0][0] == now:
            for name in followers[heapq.heappop(running)[1]]:
                waits[name] -= 1
                if not waits[name]:
                    heapq.heappush(ready, (-left[name], name))
    return now


def _in_order(jobs: Mapping[str, Job]) -> list[str]:
    """Names, each after those that it waits for."""
    return list(TopologicalSorter({name: sorted(job.after) for name, job in sorted(jobs.items())}).static_order())
