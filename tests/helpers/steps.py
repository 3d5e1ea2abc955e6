"""A step of the workflow, run by hand in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from editions import ROOT


def run_step(folder: Path, script: str, content: dict[str, Any], *arguments: object, **environment: str) -> Any:
    """Run ``workflow/scripts/<script>.py`` in ``folder`` with a plan file of ``content``, of the edition 'e'."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(json.dumps({"edition": "e"} | content, sort_keys=True))
    command = [sys.executable, str(ROOT / f"workflow/scripts/{script}.py"), "--plan", "plan.json"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | environment,
        capture_output=True,
        text=True,
    )


def ran(done: subprocess.CompletedProcess[str]) -> None:
    """AssertionError with what a step said where it failed."""
    assert done.returncode == 0, done.stderr[-3000:]


def network(settings: dict[str, Any], **beside: Any) -> dict[str, Any]:
    """The entry of a plan file for one run."""
    name = "/".join(settings[key] for key in ("dataset", "arch", "training"))
    return {name: {"settings": settings, "substitutes": {}, "epsilon": "0.1", **beside}}
