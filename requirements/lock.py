"""Pin every package of every group with hashes, and write the environments of envs/ from the same pins.

Run by ``make lock``. No registry address ends up in a file.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPILE = ["uv", "pip", "compile", "--quiet", "--universal", "--no-annotate", "--python-version", "3.11"]
COMPILE += ["--custom-compile-command", "make lock"]
KINDS = ("data", "torch", "plot")
PYTHON = "3.12"


def compile_pins(target: str, source: str, extras: tuple[str, ...], *options: str) -> None:
    """One pinned file with hashes."""
    groups = [part for extra in extras for part in ("--extra", extra)]
    command = [*COMPILE, "--generate-hashes", *options, source, *groups, "-o", f"requirements/{target}"]
    subprocess.run(command, cwd=ROOT, check=True)


def pinned(target: str) -> list[str]:
    """The names of a pinned file's packages."""
    text = (ROOT / "requirements" / target).read_text(encoding="utf-8")
    return re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, re.MULTILINE)


def pins_of(kind: str) -> list[str]:
    """``name==version`` of one kind's packages on one Python, at the versions of run.txt."""
    command = [*COMPILE, "--no-header", "pyproject.toml", "--extra", kind, "-c", "requirements/run.txt"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    lines = [line.strip() for line in done.stdout.splitlines()]
    return [line for line in lines if re.match(r"^[a-z0-9]", line)]


def write_environment(kind: str) -> None:
    """``envs/<kind>.yaml``: exact Python, every package pinned. torchattacks comes after, without its pins."""
    lines = [
        f"# The packages of '{kind}' rules, pinned. Made by `make lock`; do not edit.",
        "channels: [conda-forge]",
        "dependencies:",
        f"  - python={PYTHON}",
        "  - pip",
        "  - pip:",
    ]
    late = []
    for pin in pins_of(kind):
        if pin.startswith("torchattacks=="):
            late.append(pin)
        else:
            lines.append(f'      - "{pin}"')
    (ROOT / f"envs/{kind}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if late:
        text = "#!/usr/bin/env bash\n# torchattacks asks for a years-old requests that it does not need to attack.\n"
        text += f"set -euo pipefail\npython -m pip install --no-deps {' '.join(late)}\n"
        (ROOT / f"envs/{kind}.post-deploy.sh").write_text(text, encoding="utf-8")


def main() -> None:
    run = ("data", "torch", "plot", "workflow")
    compile_pins("uv.txt", "requirements/uv.in", ())
    compile_pins("run.txt", "pyproject.toml", run)
    # Only what a cluster needs beside run.txt: it is installed on top.
    names = [f"--no-emit-package={name}" for name in pinned("run.txt")]
    compile_pins("cluster.txt", "pyproject.toml", (*run, "cluster"), "-c", "requirements/run.txt", *names)
    compile_pins("test.txt", "pyproject.toml", (*run, "test"), "-c", "requirements/run.txt")
    for kind in KINDS:
        write_environment(kind)


if __name__ == "__main__":
    main()
