"""The benchmarks still run: their settings are those of a run."""

from __future__ import annotations

import re
import subprocess
import sys

from checkout import MINUTE

from editions import ROOT


def benchmark(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, f"benchmarks/{name}.py", *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": "src", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=2 * MINUTE,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_plans_arithmetic_is_timed():
    rows = re.findall(
        r"^(\w+) [\d.]+, 28x28x1 +(.+)$", benchmark("plan", "--only=lenet5", "--times=0.05"), re.MULTILINE
    )
    assert [name for name, _ in rows] == ["lenet5"]
    figures = [float(figure) for figure in rows[0][1].split()]
    assert len(figures) == 4 and min(figures) > 0
