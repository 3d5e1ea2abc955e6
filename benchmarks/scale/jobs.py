"""The jobs of an edition as Snakemake itself plans them: a dry run of everything, whatever is there already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

# More than any job asks for: with fewer, Snakemake would scale its threads down.
MANY = 10_000


@dataclass(frozen=True)
class Job:
    """One job: files that it reads and makes, and what it asks for."""

    id: int
    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    threads: int
    gpus: int
    priority: int


def jobs_of(root: Path, targets: Sequence[str], overlays: Sequence[Path], device: str) -> list[Job]:
    """The jobs behind targets of the workflow in ``root``, for jobs on ``device`` (cpu or cuda).

    ValueError with what Snakemake says where it cannot plan them.
    """
    files = ["--configfile", *(str(path.resolve()) for path in overlays)] if overlays else []
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "jobs.jsonl")
        command = [sys.executable, "-m", "snakemake", *targets, "--dry-run", "--forceall", "--nolock"]
        command += ["--quiet", "all", f"--cores={MANY}", *files, f"--config=device={device}"]
        command += ["--logger=joblist", f"--logger-joblist-file={listed}"]
        found_at = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        here = {"PYTHONPATH": os.pathsep.join(filter(None, found_at))}
        # One stream, so that the last line is what stopped it.
        done = subprocess.run(
            command, cwd=root, env=os.environ | here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode:
            said = done.stdout.strip().rpartition("\n")[2].strip().removeprefix("lossproof: ")
            raise ValueError(said or f"Snakemake ended with {done.returncode}")
        read = [json.loads(line) for line in listed.read_text(encoding="utf-8").splitlines()]
    found = [Job(**(one | {key: tuple(one[key]) for key in ("inputs", "outputs")})) for one in read]
    # Snakemake's order changes from call to call.
    return sorted(found, key=lambda job: (job.rule, job.outputs))


def waits_for(jobs: Iterable[Job]) -> dict[int, frozenset[int]]:
    """By job, the jobs that make what it reads."""
    jobs = list(jobs)
    maker = {path: job.id for job in jobs for path in job.outputs}
    return {job.id: frozenset(maker[path] for path in job.inputs if path in maker) for job in jobs}


def job_of(jobs: Iterable[Job], target: str) -> Job:
    """The job that a target names: its rule, or a file that it makes. ValueError where it names none or several."""
    found = [job for job in jobs if job.rule == target or target in job.outputs]
    if len(found) != 1:
        raise ValueError(f"{target} names no single job")
    return found[0]
