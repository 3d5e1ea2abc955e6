"""The fingerprint of a step: what it imports, by content; and imports flow one way."""

from __future__ import annotations

import ast
import os
import shutil
from pathlib import Path

import pytest

from editions import load
from lossproof import sources
from lossproof.catalogue import PACKAGE, catalogue
from lossproof.heads.choice import head_of
from lossproof.settings.resolved import recipe_settings

SCRIPTS = PACKAGE.parents[1] / "workflow/scripts"
# Bottom first. A package imports from its own layer and from those below it.
LAYERS = [
    {
        "assumptions",
        "records",
        "seeding",
        "devices",
        "progress",
        "sources",
        "leases",
        "catalogue",
        "catalogue_entries",
        "display_names",
        "paths",
        "plan_file",
    }
    | {"statistics", "tidy", "verdict_word"},
    {"criteria", "heads", "models", "datasets", "threats", "settings"},
    {"defences"},
    {"training"},
    {"attacks", "landscapes", "embeddings", "toys", "theory"},
    {"jury"},
    {"claims", "drawing"},
    {"exhibits"},
    {"planning"},
    {"report"},
]


def forget():
    sources._direct.cache_clear()
    sources._digest.cache_clear()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package that a test may change."""
    copy = tmp_path / "lossproof"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(sources, "PACKAGE", copy)
    forget()
    yield copy
    forget()


def marks(step="train.py", **components):
    forget()
    modules = [catalogue(kind)[name].module for kind, names in components.items() for name in names]
    return sources.fingerprint(SCRIPTS / step, modules)


def run_marks(training):
    criterion = recipe_settings(load(), training)["criterion"]["name"]
    return marks(models=["resnet18"], criteria=[criterion], heads=[head_of(criterion)])


def names(found):
    return {mark.split("@")[0] for mark in found}


def test_closure_follows_imports():
    found = sources.closure(["lossproof.models.googlenet"])
    assert {"lossproof", "lossproof.models", "lossproof.models.googlenet", "lossproof.models.backbone"} <= found
    assert not {name for name in found if name.startswith(("lossproof.training", "lossproof.criteria"))}
    with pytest.raises(ModuleNotFoundError, match=r"lossproof\.models\.nothing"):
        sources.closure(["lossproof.models.nothing"])


def test_training_does_not_know_what_it_does_not_use():
    found = names(run_marks("ce"))
    assert {
        "train.py",
        "lossproof.training.loop",
        "lossproof.models.resnet",
        "lossproof.criteria.cross_entropy",
        "lossproof.heads.linear",
    } <= found
    unused = (
        "attacks",
        "toys",
        "theory",
        "drawing",
        "planning",
        "claims",
        "report",
        "exhibits",
        "settings",
        "landscapes",
    )
    assert not [name for name in found if name.startswith(tuple(f"lossproof.{part}" for part in unused))]
    assert not {"lossproof.models.lenet", "lossproof.criteria.focal", "lossproof.datasets.sets.digits"} & found


def test_touching_changes_nothing(package):
    before = run_marks("ce")
    for path in package.rglob("*.py"):
        os.utime(path, (1, 1))
    assert run_marks("ce") == before


def test_a_new_import_is_followed(package):
    before = run_marks("ce")
    loop = package / "training/loop.py"
    loop.write_text(loop.read_text() + "\n\ndef later():\n    from lossproof.toys import rings\n    return rings\n")
    after = run_marks("ce")
    assert names(after) - names(before) >= {"lossproof.toys", "lossproof.toys.rings"}
    rings = package / "toys/rings.py"
    rings.write_text(rings.read_text() + "# changed\n")
    changed = set(run_marks("ce")) ^ set(after)
    assert names(changed) == {"lossproof.toys.rings"}


@pytest.mark.parametrize(
    "statement",
    [
        "import lossproof.toys.moons",
        "import lossproof.toys.moons as m",
        "from lossproof.toys.moons import *",
        "from ..toys import moons",
        "from ..toys.moons import x",
        "from .. import toys; from ..toys import moons as m",
        "from .moons import x",
        "from . import moons",
    ],
)
def test_every_form_of_import_is_followed(package, statement):
    (package / "training/moons.py").write_text("x = 1\n")
    loop = package / "training/loop.py"
    loop.write_text(loop.read_text() + f"\n{statement}\n")
    before = run_marks("ce")
    moons = package / ("toys/moons.py" if "toys" in statement else "training/moons.py")
    moons.write_text(moons.read_text() + "# changed\n")
    assert len(set(before) - set(run_marks("ce"))) == 1


def test_a_script_imports_nothing_of_ours_relatively(tmp_path):
    (tmp_path / "step.py").write_text("from .seeding import x\nfrom ... import y\n")
    assert names(sources.fingerprint(tmp_path / "step.py")) == {"step.py"}


@pytest.mark.parametrize(
    ("file", "stale"),
    [
        ("criteria/stationary_point_focal.py", {"sp_focal"}),
        ("criteria/cross_entropy.py", {"ce", "ce@last", "ce+l2"}),
        ("heads/linear.py", {"ce", "ce@last", "ce+l2", "focal", "sp_focal"}),
        ("training/optimiser.py", {"ce", "ce@last", "ce+l2", "focal", "sp_focal"}),
        ("models/lenet.py", set()),
        ("drawing/style.py", set()),
        ("statistics/intervals.py", set()),
    ],
)
def test_a_change_makes_stale_what_uses_it(package, file, stale):
    trainings = ("ce", "ce@last", "ce+l2", "focal", "sp_focal")
    before = {name: run_marks(name) for name in trainings}
    path = package / file
    path.write_text(path.read_text() + "\n# changed\n")
    after = {name: run_marks(name) for name in trainings}
    assert {name for name in trainings if before[name] != after[name]} == stale


def test_the_script_itself_counts(tmp_path):
    script = tmp_path / "step.py"
    script.write_text("from lossproof import seeding\n")
    before = sources.fingerprint(script)
    assert names(before) == {"step.py", "lossproof", "lossproof.seeding"}
    script.write_text("from lossproof import seeding  # changed\n")
    forget()
    assert [mark for mark in sources.fingerprint(script) if mark not in before] == [sources.fingerprint(script)[0]]


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            yield path, parts[0]


def imported(path: Path) -> set[str]:
    """First-level parts of our package that a file imports."""
    return {name.split(".")[1] for name in sources._imports(path) if "." in name}


def test_imports_flow_one_way():
    level = {part: at for at, parts in enumerate(LAYERS) for part in parts}
    graph: dict[str, set[str]] = {}
    for path, part in modules():
        assert part in level, f"{path}: '{part}' has no layer; add it to LAYERS"
        for other in imported(path):
            assert level[other] <= level[part], f"{path} imports {other}, which lies above {part}"
            graph.setdefault(part, set()).add(other)
    assert graph["training"] >= {"models", "records"}  # the test sees imports at all
    # Within a layer too, nothing goes round in a circle.
    for start in graph:
        seen, todo = set(), list(graph[start] - {start})
        while todo:
            part = todo.pop()
            if part not in seen:
                seen.add(part)
                todo += graph.get(part, set()) - {part}
        assert start not in seen, f"{start} imports itself by a detour"


def test_the_package_never_imports_the_workflow():
    for path, _ in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in named if name.split(".")[0] in ("snakemake", "workflow")], path


def test_package_files_hold_a_docstring_only():
    for path in PACKAGE.rglob("__init__.py"):
        assert len(ast.parse(path.read_text()).body) == 1, path


def test_no_dynamic_imports_beside_the_catalogue():
    for path, _ in modules():
        if path.name not in ("catalogue.py",):
            text = path.read_text()
            assert "import_module" not in text, path
            assert "__import__" not in text, path
