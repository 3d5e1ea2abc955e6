"""A stand-in for conda, where none can be had: it does with uv and pip what conda would do with an environment's file.

``install(folder)`` puts a command named conda there. Snakemake asks it what it asks conda; ``conda env create`` makes a
virtual environment of a Python on this machine, since conda's own Pythons come from where conda comes from.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml
from rattler import MatchSpec

VERSION = "conda 24.7.1"
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'


def install(folder: Path) -> Path:
    """The command and the script that activates environments. Returns the folder to put on PATH."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    command = programs / "conda"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(__file__)} "$@"\n')
    command.chmod(0o755)
    (programs / "activate").write_text(ACTIVATE)
    return programs


def pythons(series: str) -> Iterator[str]:
    """Interpreters of a series on this machine; pyenv's from its folder, its commands answer for one series only."""
    if found := shutil.which(f"python{series}"):
        yield found
    if "PYENV_ROOT" in os.environ:
        yield from map(str, Path(os.environ["PYENV_ROOT"]).glob(f"versions/{series}.*/bin/python{series}"))


def answers(python: str) -> bool:
    """Whether an interpreter runs."""
    return subprocess.run([python, "-c", ""], capture_output=True).returncode == 0


def python_for(spec: MatchSpec) -> str:
    """An interpreter of the series that is asked for, or else the one that runs this.

    The packages are pinned for every Python that the project supports, so any of them shows whether one is missing.
    """
    series = str(spec.version).removeprefix("==").rpartition(".")[0]
    return next(filter(answers, pythons(series)), sys.executable)


def create(file: Path, prefix: Path) -> None:
    """An environment from its file: Python and pip, then everything of the section `pip` by one call of pip."""
    read = yaml.safe_load(file.read_text(encoding="utf-8"))
    specs = {
        spec.name.normalized: spec
        for spec in (MatchSpec(part, strict=True) for part in read["dependencies"] if isinstance(part, str))
    }
    if set(specs) != {"python", "pip"}:
        sys.exit(f"stand-in conda: it has python and pip only, {file} asks for {sorted(specs)}")
    subprocess.run([python_for(specs["python"]), "-m", "venv", "--without-pip", prefix], check=True)
    # Not the pip beside this Python: as old as its distribution, it may not run in a Python that is newer.
    uv = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--python", prefix]
    subprocess.run([*uv, f"pip{specs['pip'].version}"], check=True)
    pip = [prefix / "bin/python", "-m", "pip", "install"]
    (section,) = (part["pip"] for part in read["dependencies"] if isinstance(part, dict))
    # As conda does it: a file beside the environment's, and these options.
    with tempfile.NamedTemporaryFile(
        "w", dir=file.parent, suffix=".requirements.txt", encoding="utf-8"
    ) as requirements:
        requirements.write("\n".join(section))
        requirements.flush()
        subprocess.run([*pip, "-U", "-r", requirements.name, "--exists-action=b"], cwd=file.parent, check=True)


def main(words: list[str]) -> None:
    """What Snakemake asks of conda; anything else is refused."""
    if words == ["--version"]:
        print(VERSION)
    elif words == ["info", "--json"]:
        print(json.dumps({"conda_prefix": str(Path(shutil.which("conda") or "").parents[1]), "platform": "linux-64"}))
    elif words == ["config", "--get", "channel_priority", "--json"]:
        print(json.dumps({"get": {"channel_priority": "strict"}}))
    elif words[:2] == ["env", "create"]:
        parser = argparse.ArgumentParser()
        for flag in ("--quiet", "--no-default-packages"):
            parser.add_argument(flag, action="store_true")
        for option in ("--file", "--prefix"):
            parser.add_argument(option, type=Path, required=True)
        asked = parser.parse_args(words[2:])
        create(asked.file, asked.prefix)
    elif words == ["clean", "-y", "--tarballs"]:
        pass  # it keeps none
    else:
        sys.exit(f"stand-in conda: it does not know {words}")


if __name__ == "__main__":
    main(sys.argv[1:])
