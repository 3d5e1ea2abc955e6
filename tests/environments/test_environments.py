"""Environments built from the files of envs/ alone, and every script of the workflow run in its own.

conda's registry may be out of reach, so a stand-in answers for conda: pip gets what conda would give it, in a virtual
environment. What this cannot show: that conda finds its Python and its pip. Where there is no Python of the series that
the files ask for, the one that runs the tests takes its place.

It downloads 3 GB and needs 6 GB of disk while it runs. LOSSPROOF_NEEDS_ENVIRONMENTS=1: fail where that is impossible;
0: leave it out; else skip where pip reaches no packages.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import conda_files
import pytest
import stand_in_conda
from checkout import Checkout, new_checkout
from lock import KINDS
from needed import NEEDED, out_of_reach
from pinned import chosen, pins, platform_of
from rules import SCRIPT, scripts
from serve import serve
from small_exhibits import declare
from small_sets import publish

from editions import ROOT

pytestmark = pytest.mark.slow

# Their readers need SciPy (svhn) and Pillow (tiny_imagenet); the digits of the exhibits need scikit-learn.
SETS = ("mnist", "svhn", "tiny_imagenet")


@dataclass
class Deployed:
    """A finished run with ``--sdm conda``: its checkout, what it said, and the environment of each kind."""

    checkout: Checkout
    said: str
    environments: dict[str, Path]


def no_packages(folder: Path) -> str:
    """Why pip gets no package, '' where it does."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--retries", "1", "--timeout", "15"]
    command += ["--no-deps", "--dest", str(folder)]
    done = subprocess.run([*command, f"pip=={conda_files.PIP}"], capture_output=True, text=True, timeout=300)
    return (done.stderr.strip().splitlines() or ["pip failed"])[-1] if done.returncode else ""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    if NEEDED == "0":
        pytest.skip("LOSSPROOF_NEEDS_ENVIRONMENTS=0")
    folder = tmp_path_factory.mktemp("environments")
    if why := no_packages(folder / "pip"):
        out_of_reach(f"pip reaches no packages, so no environment can be built: {why}")
    checkout = new_checkout(folder / "lossproof")
    home = checkout.folder / ".snakemake/conda"
    shop = folder / "shop"
    try:
        with serve(shop) as base:
            sets = [publish(name, checkout.folder, shop, base) for name in SETS]
            overlay = declare(checkout.folder, sets)
            checkout.options = ("--configfile", "editions/test.yaml", overlay.name)
            # The libraries' bytecode is made where a step first imports them: a tenth of them is ever imported.
            said = checkout.succeed(
                *("all", *(f"results/small/datasets/{name}/card.json" for name in sets)),
                *("--cores", "2", "--sdm", "conda", "--printshellcmds"),
                timeout=1800,
                PATH=f"{stand_in_conda.install(folder / 'conda')}{os.pathsep}{os.environ['PATH']}",
                PIP_NO_COMPILE="1",
                PYTHONDONTWRITEBYTECODE="",
            )
        yield Deployed(checkout, said, {kind: environment(home, kind) for kind in KINDS})
    finally:
        shutil.rmtree(home, ignore_errors=True)


def environment(home: Path, kind: str) -> Path:
    """The folder of the environment that was made from a kind's file: Snakemake keeps a copy of the file beside it."""
    text = (ROOT / f"envs/{kind}.yaml").read_text(encoding="utf-8")
    (copy,) = (path for path in home.glob("*.yaml") if path.read_text(encoding="utf-8") == text)
    return copy.with_suffix("")


def test_every_script_runs_in_an_environment(deployed):
    assert set(SCRIPT.findall(deployed.said)) == scripts()
    assert "(100%) done" in deployed.said


@pytest.mark.parametrize("kind", KINDS)
def test_an_environment_holds_its_pins_and_nothing_else(deployed, kind):
    python = deployed.environments[kind] / "bin/python"
    (packages,) = deployed.environments[kind].glob("lib/python*/site-packages")
    found = {one.metadata["Name"].lower().replace("_", "-"): one.version for one in distributions(path=[str(packages)])}
    assert found == chosen(pins(kind), platform_of(python)) | {"pip": conda_files.PIP}


def test_steps_ran_with_the_python_of_their_environment(deployed):
    results = deployed.checkout.folder / "results/small"
    for kind, pattern in {"data": "datasets/**/provenance.json", "torch": "models/**/provenance.json"}.items():
        told = [json.loads(path.read_text()) for path in results.glob(pattern)]
        assert told
        python = platform_of(deployed.environments[kind] / "bin/python")["python_full_version"]
        assert {one["python"] for one in told} == {python}
        wanted = chosen(pins(kind), platform_of(deployed.environments[kind] / "bin/python"))
        assert {one["packages"]["numpy"] for one in told} == {wanted["numpy"]}


def test_what_is_missing_in_an_environment_is_not_found_elsewhere(deployed):
    for kind, module in {"data": "torch", "plot": "torch", "torch": "matplotlib"}.items():
        command = f"source {deployed.environments[kind]}/bin/activate; python -c 'import {module}'"
        done = subprocess.run(
            ["bash", "-c", command], env=deployed.checkout.environment(), capture_output=True, text=True
        )
        assert f"No module named '{module}'" in done.stderr
