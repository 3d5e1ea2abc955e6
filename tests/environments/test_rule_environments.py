"""Every rule that runs a script names an environment, and what the script may import is in it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from lock import KINDS
from packaging.utils import canonicalize_name
from pinned import pins
from rules import scripts, steps

from editions import ROOT, edition
from lossproof.catalogue import catalogue
from lossproof.sources import script_modules

EDITIONS = {"embedded": (), "test": (edition("test"),), "paper": (edition("paper"),)}
# What the scripts of a kind load by name.
COMPONENTS = {
    "data": ("datasets",),
    "torch": ("models", "criteria", "heads", "defences", "attacks", "toys", "theory", "jury"),
    "plot": ("exhibits",),
}
# Imported inside functions that only the other kinds' scripts call.
ELSEWHERE = {"data": {("seeding", "torch")}, "plot": {("seeding", "torch"), ("progress", "tqdm")}}


@pytest.fixture(scope="module", params=EDITIONS)
def found(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield steps(*EDITIONS[request.param])


def test_every_script_is_run_by_a_rule(found):
    assert {step.script for step in found} - {""} == scripts()


def test_every_rule_that_runs_a_script_has_a_known_environment(found):
    shipped = {path.name for path in (ROOT / "envs").glob("*.yaml")}
    assert {step.environment for step in found if step.script} == shipped


def test_a_rule_without_a_script_prints_what_snakemake_itself_worked_out(found):
    assert [step.rule for step in found if not step.script] == ["plan"]


def test_every_component_belongs_to_a_kind():
    package = ROOT / "src/lossproof"
    homes = {path.relative_to(package).parts[0] for path in package.rglob("*.py") if "\nCATALOGUE = " in text_of(path)}
    assert homes == {name for names in COMPONENTS.values() for name in names}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kinds_scripts_may_import_is_in_its_environment(found, kind):
    """Beyond what a run happens to import: every component, and imports inside functions."""
    entries = [entry for name in COMPONENTS[kind] for entry in catalogue(name).values()]
    known = [entry.module for entry in entries]
    known += [entry.module_of(part) for entry in entries for part in ("figure", "table") if part in entry.about]
    own = {ROOT / "workflow/scripts" / step.script for step in found if step.environment == f"{kind}.yaml"}
    modules = set().union(*(script_modules(script, known) for script in own))
    files = own | {file_of(module) for module in modules}
    wanted = {(file.stem, name) for file in files for name in imported(file)} - ELSEWHERE.get(kind, set())
    assert len(wanted) > 10
    held = {pin.name for pin in pins(kind)}
    names = packages_distributions()
    assert not {one for one in wanted if not held & {canonicalize_name(name) for name in names.get(one[1], ())}}


def file_of(module: str) -> Path:
    """The file of one of our modules."""
    path = ROOT / "src" / Path(*module.split("."))
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def imported(path: Path) -> Iterator[str]:
    """The packages that a file imports, but Python's own and ours."""
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        else:
            continue
        tops = {name.partition(".")[0] for name in names}
        yield from tops - sys.stdlib_module_names - {"lossproof"}
