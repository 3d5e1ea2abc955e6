"""Components are found in their files, without importing them."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys

import pytest

from lossproof import catalogue as module
from lossproof.catalogue import PACKAGE, PLACES, catalogue, load

KINDS = ("criteria", "heads", "models", "datasets", "attacks", "jury", "toys", "theory", "exhibits")


@pytest.mark.parametrize("kind", KINDS)
def test_every_entry_names_what_its_file_offers(kind):
    entries = catalogue(kind)
    assert entries
    for name, entry in entries.items():
        assert entry.name == name
        path = PACKAGE.joinpath(*entry.module.split(".")[1:]).with_suffix(".py")
        tree = ast.parse(path.read_text())
        offered = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        assert entry.build in offered, name


def test_names_are_unique():
    literals = [(kind, name) for kind in KINDS for path in catalogue(kind)._files for name in module._literal(path)]
    assert len(literals) == len(set(literals)) == sum(len(catalogue(kind)) for kind in KINDS)


def test_a_name_claimed_twice_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "toys"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.py").write_text('CATALOGUE = {"same": {"build": "f"}}\n')
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    catalogue.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"two\.py: 'same' is already offered by lossproof\.toys\.one"):
            catalogue("toys")["same"]
        with pytest.raises(ValueError, match=r"two\.py: 'same'"):
            list(catalogue("toys"))
    finally:
        catalogue.cache_clear()


def test_one_name_reads_the_files_that_spell_it(monkeypatch):
    read = []
    real = module._literal
    monkeypatch.setattr(module, "_literal", lambda path: read.append(path.stem) or real(path))
    fresh, whole = module.Catalogue("criteria"), module.Catalogue("criteria")
    assert fresh["label_smoothing"].build == "LabelSmoothing"
    assert 0 < len(read) < 4
    # What was asked for before changes nothing of the whole.
    assert list(fresh.items()) == list(whole.items())
    assert "nothing" not in module.Catalogue("criteria")


def test_unknown_names_list_the_known():
    with pytest.raises(KeyError) as caught:
        load("criteria", "spfocal")
    assert all(name in str(caught.value) for name in ("spfocal", "ce", "focal", "sp_focal"))


def test_a_new_file_is_all_it_takes(tmp_path, monkeypatch):
    folder = tmp_path / "criteria"
    folder.mkdir()
    (folder / "new.py").write_text(
        "import nothing_installed\n"
        "CATALOGUE = {'new': {'build': 'New', 'head': 'x', 'parameters': {'a': {'default': 1}, 'b': {}}}}\n"
    )
    (folder / "helper.py").write_text("X = 1\n")
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    catalogue.cache_clear()
    try:
        (entry,) = catalogue("criteria").values()
        assert (entry.module, entry.defaults(), entry.about) == ("lossproof.criteria.new", {"a": 1}, {"head": "x"})
    finally:
        catalogue.cache_clear()


@pytest.mark.parametrize(
    ("kind", "entry", "fault"),
    [
        ("exhibits", {"build": "K", "figures": "figure:draw"}, r"one\.figures: unknown key, expected one of .*figure,"),
        ("exhibits", {"build": "K", "answers": 1}, r"one\.answers: found 1, expected a bool"),
        ("exhibits", {"build": "K", "swept": True}, r"one\.swept: found True, expected a int"),
        ("attacks", {"build": "K", "parameters": {}}, r"one: key 'track' is missing"),
        ("criteria", {"parameters": {}}, r"one: key 'build' is missing"),
        ("criteria", {"build": "K", "parameters": {"eps": 1.0}}, r"one\.parameters\.eps: found 1\.0, expected a dict"),
        ("heads", {"build": "K", "parameters": {"eps": {"minimun": 1}}}, r"one\.parameters\.eps\.minimun: unknown key"),
        ("models", {"build": "K", "head": "linear"}, r"one\.head: unknown key, expected one of build, parameters"),
        ("toys", "K", r"one: found 'K', expected a dict"),
    ],
)
def test_a_wrong_entry_is_refused_in_one_line(tmp_path, monkeypatch, kind, entry, fault):
    path = tmp_path / PLACES.get(kind, f"{kind}/*.py").replace("*", "own")
    path.parent.mkdir(parents=True)
    path.write_text(f"CATALOGUE = {{'one': {entry!r}}}\n")
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    with pytest.raises(ValueError, match=rf"^{path}: CATALOGUE\.{fault}") as caught:
        list(module.Catalogue(kind))
    assert "\n" not in str(caught.value)


def test_planning_and_drawing_import_no_torch():
    code = """
import sys
import lossproof.planning.plan, lossproof.settings.config, lossproof.settings.resolved
import lossproof.planning.declare, lossproof.sources, lossproof.devices
from lossproof.catalogue import catalogue, load
for kind in ("criteria", "heads", "models", "datasets", "attacks", "toys", "theory", "exhibits"):
    assert catalogue(kind)
for name, entry in catalogue("exhibits").items():
    load("exhibits", name)
    for part in {"figure", "table"} & entry.about.keys():
        entry.load_part(part)
import lossproof.exhibits.accuracy_table.table, lossproof.claims.ledger, lossproof.report.build
heavy = {"torch", "torchvision", "torchattacks", "loss_landscapes", "sklearn", "snakemake"} & set(sys.modules)
assert not heavy, heavy
"""
    environment = {"PYTHONPATH": str(PACKAGE.parent), "MPLBACKEND": "agg"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_plan_imports_neither_torch_nor_pictures():
    code = """
import sys
import lossproof.planning.plan, lossproof.settings.config, lossproof.planning.declare
assert not {"torch", "matplotlib", "scipy", "sklearn"} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(PACKAGE.parent)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


KINDS = ("attacks", "criteria", "datasets", "defences", "heads", "jury", "models", "theory", "toys")


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_repeats_no_other_default(kind):
    entries = catalogue(kind)
    assert entries
    for name, entry in entries.items():
        signature = inspect.signature(entry.load()).parameters
        for key, default in entry.defaults().items():
            given = signature[key].default if key in signature else inspect.Parameter.empty
            if given is not inspect.Parameter.empty:
                assert (list(given) if isinstance(given, tuple) else given) == default, (name, key)
