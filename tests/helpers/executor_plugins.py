"""Snakemake's plugins for clusters, apart from other tests' environment: each Snakemake imports all that it finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from needed import out_of_reach

from editions import ROOT


def install(folder: Path) -> Path:
    """Install what ``make cluster`` would into a folder for PYTHONPATH."""
    command = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--python", sys.executable, "--target", folder, "-r", ROOT / "requirements/cluster.txt"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        out_of_reach(f"the plugins of requirements/cluster.txt are not to be had: {done.stderr.strip()[-200:]}")
    return folder
