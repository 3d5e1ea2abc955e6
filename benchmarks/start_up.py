"""What the warm process saves per step: `train.py --help` imports what a training imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from side_by_side import compare

ROOT = Path(__file__).resolve().parents[1]
STEP = ["workflow/scripts/train.py", "--help"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}


def run(*command: str) -> None:
    subprocess.run([sys.executable, *command, *STEP], cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True)


if __name__ == "__main__":
    compare(("fresh process", run), ("warm process", lambda: run("workflow/scripts/warm.py")))
