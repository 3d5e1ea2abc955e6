"""From an edition's jobs and their seconds to what is scheduled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scale.durations import Duration
from scale.editions import looked_at
from scale.jobs import Job, waits_for
from scale.schedule import Task, makespan

DRAWS = 5  # orders of equally urgent jobs that are tried: Snakemake's is as good as random


def tasks_of(jobs: Sequence[Job], seconds: Mapping[int, Duration]) -> dict[int, Task]:
    """The jobs by their numbers, each with its seconds, what it waits for and what it takes."""
    after = waits_for(jobs)
    return {
        job.id: Task(seconds[job.id].seconds, after[job.id], {"cores": job.threads, "gpus": job.gpus}, job.priority)
        for job in jobs
    }


def simulated(tasks: Mapping[int, Task], cores: int, gpus: int = 0) -> list[float]:
    """Seconds that the tasks take on a machine, in each of several orders."""
    fitted = {name: task.within(cores) for name, task in tasks.items()}
    return [makespan(fitted, {"cores": cores, "gpus": gpus}, looked_at=looked_at(), seed=draw) for draw in range(DRAWS)]
