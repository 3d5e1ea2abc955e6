"""Scripts run by hand, from any folder: `make` put the package where the environment's Python finds it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from editions import ROOT

WARM = ROOT / "workflow/scripts/warm.py"


@pytest.fixture(scope="module")
def shell():
    """A user's variables, without PYTHONPATH, and a warm process of their own, which imports torch once for all."""
    # The path of its socket must be short.
    with tempfile.TemporaryDirectory(prefix="lp") as folder:
        yield {"PATH": os.environ["PATH"], "TMPDIR": folder, "LOSSPROOF_WARM_IDLE": "5", "COLUMNS": "1000"}


def test_the_installed_package_is_the_one_of_this_checkout(shell, tmp_path):
    command = [sys.executable, "-c", "import lossproof; print(lossproof.__file__)"]
    done = subprocess.run(command, cwd=tmp_path, env=shell, capture_output=True, text=True)
    found = Path(done.stdout.strip()).resolve()
    assert found == ROOT / "src/lossproof/__init__.py", f"`make` installs it. {done.stderr}"


@pytest.mark.parametrize("script", sorted(ROOT.glob("workflow/scripts/*.py")), ids=lambda path: path.stem)
def test_a_script_tells_its_use(script, shell, tmp_path):
    command = [sys.executable, WARM, *([] if script == WARM else [script]), "--help"]
    done = subprocess.run(command, cwd=tmp_path, env=shell, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    purpose = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    assert purpose and purpose.splitlines()[0] in done.stdout
