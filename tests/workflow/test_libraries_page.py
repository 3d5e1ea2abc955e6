"""docs/libraries.md says of each attack and network what runs it, and of each pinned library its version."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from editions import ROOT
from lossproof import sources
from lossproof.catalogue import Entry, catalogue

PAGE = (ROOT / "docs/libraries.md").read_text(encoding="utf-8")
ROWS = {
    name: cells[1].strip()
    for line in PAGE.splitlines()
    if line.startswith("| `")
    for cells in [line.strip("|").split("|")]
    for name in re.findall(r"`(\w+)`", cells[0])
}
KINDS = {"attacks": ("torchattacks", "foolbox", "pyautoattack"), "models": ("torchvision",)}


def used(entry: Entry, known: tuple[str, ...]) -> set[str]:
    """The known libraries that the component imports, itself or through the package."""
    found = set()
    for module in sources.closure([entry.module]):
        spec = find_spec(module)
        assert spec and spec.origin
        text = Path(spec.origin).read_text(encoding="utf-8")
        found |= {name for name in known if re.search(rf"^\s*(?:from|import) {name}\b", text, re.MULTILINE)}
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_each_component_names_what_runs_it(kind):
    for name, entry in catalogue(kind).items():
        assert name in ROWS, f"{kind}: '{name}' is missing from the page"
        said = ROWS[name].split()[0]
        assert (set() if said == "own" else {said}) == used(entry, KINDS[kind]), name


def test_versions_are_those_that_are_pinned():
    pins = dict(re.findall(r'"([\w-]+)==([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    named = dict(re.findall(r"([\w-]+) (\d+\.\d+\.\d+)", PAGE))
    assert named.items() <= pins.items()
    assert named.keys() >= {"torchattacks", "foolbox", "pyautoattack", "loss-landscapes"}
