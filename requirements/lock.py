"""Pin every package of every group with hashes, and write the files of envs/ from the same pins.

Run by ``make lock``. No registry address ends up in a file.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import conda_files
from container import RECIPE
from pins import Pin, read_pins

ROOT = Path(__file__).resolve().parents[1]
COMPILE = ["uv", "pip", "compile", "--quiet", "--universal", "--no-annotate", "--python-version", "3.11"]
COMPILE += ["--generate-hashes", "--custom-compile-command", "make lock"]
KINDS = ("data", "torch", "plot")
# The groups of run.txt.
RUN = (*KINDS, "workflow")


def compile_pins(target: str, source: str, groups: tuple[str, ...], *options: str) -> None:
    """One pinned file with hashes. uv keeps the versions that stand in it already."""
    subprocess.run(
        [*COMPILE, *options, source, *extras(groups), "-o", f"requirements/{target}"],
        cwd=ROOT,
        check=True,
    )


def read(target: str) -> str:
    """A pinned file."""
    return (ROOT / "requirements" / target).read_text(encoding="utf-8")


def pins_of(kind: str) -> list[Pin]:
    """One kind's packages, at the versions of run.txt."""
    command = [*COMPILE, "--no-header", "pyproject.toml", *extras((kind,)), "-c", "requirements/run.txt"]
    return read_pins(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def extras(groups: tuple[str, ...]) -> list[str]:
    """Options that name groups of pyproject.toml."""
    return [part for group in groups for part in ("--extra", group)]


def write(name: str, text: str) -> None:
    """A file of envs/; none where there is nothing to say."""
    path = ROOT / "envs" / name
    if text:
        path.write_text(text, encoding="utf-8")
    else:
        path.unlink(missing_ok=True)


def main() -> None:
    compile_pins("uv.txt", "requirements/uv.in", ())
    compile_pins("run.txt", "pyproject.toml", RUN)
    # Only what a cluster needs beside run.txt: it is installed on top.
    names = [f"--no-emit-package={pin.name}" for pin in read_pins(read("run.txt"))]
    compile_pins("cluster.txt", "pyproject.toml", (*RUN, "cluster"), "-c", "requirements/run.txt", *names)
    compile_pins("test.txt", "pyproject.toml", (*RUN, "test"), "-c", "requirements/run.txt")
    for kind in KINDS:
        pins = pins_of(kind)
        write(f"{kind}.yaml", conda_files.environment(kind, pins))
        write(f"{kind}.post-deploy.sh", conda_files.post_deploy(pins))
    write("Dockerfile", RECIPE)


if __name__ == "__main__":
    main()
