"""List scheduling of jobs that wait for each other on cores and GPUs, as Snakemake's greedy scheduler does it."""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter


@dataclass(frozen=True)
class Task:
    """One job: its seconds, the numbers of the jobs that it waits for, what it takes of each resource meanwhile."""

    seconds: float
    after: frozenset[int] = frozenset()
    takes: Mapping[str, int] = field(default_factory=lambda: {"cores": 1})
    priority: int = 0

    def within(self, cores: int) -> Task:
        """The task on a machine of so many cores: as Snakemake does, it is given fewer where it asks for more."""
        return replace(self, takes={**self.takes, "cores": min(self.takes.get("cores", 0), cores)})


def makespan(
    tasks: Mapping[int, Task], capacity: Mapping[str, int], *, looked_at: int | None = None, seed: int = 0
) -> float:
    """Seconds until the last task ends.

    A decision is made at the start and whenever a task ends: among the tasks that are ready, those of higher priority
    first, others in random order (``seed``), each is started that finds what it takes. ``looked_at``: of more ready
    tasks only so many, drawn at random, are looked at for a decision (Snakemake's ``scheduler-subsample``). ValueError
    names a task that takes more than there is.
    """
    for name, task in tasks.items():
        for resource, taken in task.takes.items():
            if taken > capacity.get(resource, 0):
                raise ValueError(f"job {name} takes {taken} {resource}, there are {capacity.get(resource, 0)}")
    draw = random.Random(seed)
    free = dict(capacity)
    waits = {name: len(task.after) for name, task in tasks.items()}
    followers: dict[int, list[int]] = {name: [] for name in tasks}
    for name, task in tasks.items():
        for before in task.after:
            followers[before].append(name)
    ready = [name for name, count in waits.items() if not count]
    ends: list[tuple[float, int, int]] = []
    now, started = 0.0, 0
    while True:
        looked = draw.sample(ready, min(len(ready), looked_at or len(ready)))
        begun = set()
        for name in sorted(looked, key=lambda name: -tasks[name].priority):
            takes = tasks[name].takes
            if all(free[resource] >= taken for resource, taken in takes.items()):
                for resource, taken in takes.items():
                    free[resource] -= taken
                heapq.heappush(ends, (now + tasks[name].seconds, started, name))
                started += 1
                begun.add(name)
        ready = [name for name in ready if name not in begun]
        if not ends:
            return now
        now, _, ended = heapq.heappop(ends)
        for resource, taken in tasks[ended].takes.items():
            free[resource] += taken
        for name in followers[ended]:
            waits[name] -= 1
            if not waits[name]:
                ready.append(name)


def critical_path(tasks: Mapping[int, Task]) -> float:
    """Seconds of the longest chain of tasks: no number of machines is faster. CycleError where tasks wait in a ring."""
    ends: dict[int, float] = {}
    for name in TopologicalSorter({name: task.after for name, task in tasks.items()}).static_order():
        ends[name] = tasks[name].seconds + max((ends[before] for before in tasks[name].after), default=0.0)
    return max(ends.values(), default=0.0)


def busy(tasks: Mapping[int, Task], resource: str) -> float:
    """Seconds x amount that all tasks take of a resource."""
    return sum(task.seconds * task.takes.get(resource, 0) for task in tasks.values())


def behind(tasks: Mapping[int, Task], last: int) -> dict[int, Task]:
    """A task and all that must end before it, directly or not, in the order in which they were given."""
    found: set[int] = set()
    left = [last]
    while left:
        if (name := left.pop()) not in found:
            found.add(name)
            left.extend(tasks[name].after)
    return {name: task for name, task in tasks.items() if name in found}
