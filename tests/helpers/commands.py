"""Commands in texts: found, and read as Snakemake itself would read them."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from snakemake.cli import parse_args

from editions import ROOT, plan

REFUSED = "# refused"
COMMAND = re.compile(r"^(?:\$ )?(?:\S*/)?((?:snakemake|make)(?: .*)?)$")
FENCE = re.compile(r"^ *(```+|~~~+).*?\n(.*?)^ *\1 *$", re.DOTALL | re.MULTILINE)


def fenced(text: str) -> Iterator[str]:
    """Commands in the fenced blocks of a Markdown text; lines that end in a backslash are joined."""
    for _, block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield from commands(line)


def commented(text: str) -> Iterator[str]:
    """Commands in comments; what follows after two spaces explains them."""
    for line in re.findall(r"^# *(.*)$", text, re.MULTILINE):
        yield from commands(re.split(r" {2,}", line)[0])


def commands(line: str) -> Iterator[str]:
    """The parts of a shell line that call snakemake or make."""
    code, mark, comment = line.partition(" #")
    refused = f" {REFUSED}" if f"{mark}{comment}".strip().startswith(REFUSED) else ""
    for part in re.split(r"&&|\|\|?|;", code):
        if found := COMMAND.match(part.strip()):
            yield found[1] + refused


@cache
def targets(overlays: tuple[str, ...]) -> frozenset[str]:
    """What may be asked for in an edition: rules, and the files that a reader looks at."""
    made = plan(*(ROOT / name for name in overlays))
    results = made.paths.results
    files = [path for one in made.made for path in (*made.outputs(one), *made.tidy(one), *made.inputs(one))]
    names = [exhibit.target for exhibit in made.made]
    whole = [f"{results}/report.html", f"{results}/claims.csv"]
    return frozenset(
        ["all", "report", "claims", "plan", "networks", "attacks", *made.config["papers"], *names, *files, *whole]
    )


def without_profile(words: list[str]) -> tuple[list[str], str]:
    """The words without ``--workflow-profile``, and what is wrong with it: its executor may not be installed here."""
    if "--workflow-profile" not in words:
        return words, ""
    at = words.index("--workflow-profile")
    profile = Path(*words[at + 1 : at + 2], "profile.yaml")
    return words[:at] + words[at + 2 :], "" if profile.is_file() else f"no {profile}"


def fault_of(command: str) -> str:
    """Why a command would not do what it says, or "" where it would. To be called in the project's folder."""
    program, *words = shlex.split(command.removesuffix(REFUSED))
    if program == "make":
        rules = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        unknown = [word for word in words if "=" not in word and word not in rules]
        return f"no target {unknown} in the Makefile" if unknown else ""
    words, fault = without_profile(words)
    if fault:
        return fault
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            _, read = parse_args(words)
    except (SystemExit, ValueError, TypeError) as error:
        return f"{error} {said.getvalue().strip().splitlines()[-1:]}"
    missing = [str(path) for path in read.configfile or () if not Path(path).is_file()]
    if missing:
        return f"--configfile took {missing}"
    if odd := [entry for entry in read.config or () if "=" not in entry]:
        return f"--config took {odd}"
    known = targets(tuple(str(path) for path in read.configfile or ()))
    if unknown := sorted(set(read.targets) - known):
        return f"unknown targets {unknown}"
    # `--cores all` means every core; any other option that takes a target has swallowed it.
    meant = {word for before, word in zip(["", *words], words, strict=False) if before not in ("--cores", "-c")}
    if swallowed := sorted((meant & known) - set(read.targets)):
        return f"an option swallowed {swallowed}"
    return ""
