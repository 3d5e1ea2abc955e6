"""A copy of the project without results, and Snakemake in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from editions import ROOT

MADE = ("results", "figures", "logs", "tests")
MINUTE = 60


class File(NamedTuple):
    """One file of a workflow: which rule makes it, and whether that would happen now."""

    path: str
    rule: str
    log: str
    pending: bool


@dataclass
class Checkout:
    """A folder with the project, and the options that every command there gets after its targets."""

    folder: Path
    options: tuple[str, ...] = ()

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", *arguments, *self.options]

    def environment(self, **more: str) -> dict[str, str]:
        """This process's environment without what would change what Snakemake does."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SNAKEMAKE", "PYTHONPATH"))}
        return kept | {"PYTHONDONTWRITEBYTECODE": "1"} | more

    def snakemake(
        self, *arguments: str, timeout: float = 5 * MINUTE, **environment: str
    ) -> subprocess.CompletedProcess:
        """Run Snakemake; never raises for its exit status."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def succeed(self, *arguments: str, timeout: float = 5 * MINUTE, **environment: str) -> str:
        """Run Snakemake and return what it said; AssertionError with the end of it where it fails."""
        done = self.snakemake(*arguments, timeout=timeout, **environment)
        said = "\n".join(line for line in (done.stdout + done.stderr).splitlines() if "import time:" not in line)
        assert done.returncode == 0, said[-4000:]
        return said

    def files(self, *targets: str) -> list[File]:
        """Every file behind the targets, from ``snakemake --summary``."""
        done = self.snakemake(*targets, "--summary")
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        head, *rows = (line.split("\t") for line in done.stdout.splitlines() if "\t" in line)
        named = [dict(zip(head, row, strict=True)) for row in rows]
        return [
            File(row["output_file"], row["rule"], row["log-file(s)"], row["plan"] == "update pending") for row in named
        ]

    def pending(self, *targets: str) -> dict[str, str]:
        """Rule by file, of all files that would be made now."""
        return {file.path: file.rule for file in self.files(*targets) if file.pending}

    def jobs(self, *targets: str) -> dict[str, int]:
        """How many jobs of each rule a dry run of the targets names."""
        said = self.succeed("-n", *targets)
        table = said.split("Job stats:", 1)[1].split("\n\n", 1)[0]
        found = {name: int(count) for name, count in re.findall(r"^(\S+) +(\d+)$", table, re.MULTILINE)}
        assert found.pop("total") == sum(found.values())
        return found


def new_checkout(folder: Path, *options: str) -> Checkout:
    """Copy the project as a fresh clone would have it: no results, logs, caches or environments."""

    def leave_out(here: str, names: list[str]) -> list[str]:
        top = Path(here) == ROOT
        return [name for name in names if name == "__pycache__" or (top and (name in MADE or name[0] == "."))]

    # New times on every file, as after `git clone`.
    shutil.copytree(ROOT, folder, ignore=leave_out, copy_function=shutil.copyfile, symlinks=True)
    return Checkout(folder, options)
