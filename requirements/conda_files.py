"""The files from which ``snakemake --sdm conda`` makes the environment of one kind of rule."""

from __future__ import annotations

from pins import Pin

# Versions that conda-forge has. Everything else comes from PyPI, as in run.txt.
PYTHON = "3.12.12"
PIP = "25.3"
# What asks for versions that the others exclude, and is installed last, without what it asks for.
LATE = {"torchattacks": "torchattacks asks for a years-old requests that it does not need to attack."}


def environment(kind: str, pins: list[Pin]) -> str:
    """``envs/<kind>.yaml``: exact Python and pip, and every package with its hashes."""
    lines = [
        f"# The packages of '{kind}' rules, pinned. Made by `make lock`; do not edit. See README.md beside it.",
        "# Hashes stand here, not in a file that pip is sent to: Snakemake copies this file away from its neighbours.",
        "channels: [conda-forge, nodefaults]",
        "dependencies:",
        f"  - python=={PYTHON}",
        f"  - pip=={PIP}",
        "  - pip:",
    ]
    # YAML joins the lines of an item with spaces, so that pip gets one line per package.
    for pin in pins:
        if pin.name not in LATE:
            lines += [f"      - {pin.requirement}", *(f"        --hash={value}" for value in pin.hashes)]
    return "\n".join(lines) + "\n"


def post_deploy(pins: list[Pin]) -> str:
    """``envs/<kind>.post-deploy.sh``: the packages that come last; '' where the kind has none."""
    late = [pin for pin in pins if pin.name in LATE]
    if not late:
        return ""
    lines = ["#!/usr/bin/env bash", "# Made by `make lock`; do not edit.", *(f"# {LATE[pin.name]}" for pin in late)]
    lines += ["set -euo pipefail", 'pins="$(mktemp)"', """trap 'rm -f "$pins"' EXIT""", """cat > "$pins" <<'PINS'"""]
    for pin in late:
        lines.append(" ".join([pin.requirement, *(f"--hash={value}" for value in pin.hashes)]))
    lines += ["PINS", 'python -m pip install --no-deps --require-hashes -r "$pins"']
    return "\n".join(lines) + "\n"
