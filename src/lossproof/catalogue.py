"""What the package offers, read from its files without importing them.

Each component file (a loss, an architecture, a data set, an attack, a toy, a check) and the ``kind.py`` of each
kind of exhibit carries a literal ``CATALOGUE = {name: {"build": ..., "parameters": {...}}}``. ``build`` names the
class or function in that file; ``parameters`` are JSON-schema fragments with a default, which may be named constants
of that file or of one it imports. A kind of exhibit also names its ``figure`` and its ``table``, as far as it has
them, as ``module:function`` in its folder (or ``other_kind.module:function``).
Adding a component is adding a file: no list elsewhere knows it. The literal is read with ``ast``,
so that the workflow validates names and settings without paying for ``import torch``.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from lossproof.catalogue_entries import check
from lossproof.sources import imported_from

PACKAGE = Path(__file__).resolve().parent
# Where the components of a kind lie, for kinds whose package holds more than components.
PLACES = {
    "attacks": "attacks/methods/*.py",
    "datasets": "datasets/sets/*.py",
    "jury": "jury/diagnostics/*.py",
    "exhibits": "exhibits/*/kind.py",
}


@dataclass(frozen=True)
class Entry:
    """One component: where it lives and which settings it takes."""

    kind: str
    name: str
    module: str
    build: str
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def defaults(self) -> dict[str, Any]:
        """The default of every parameter that has one."""
        return {key: spec["default"] for key, spec in self.parameters.items() if "default" in spec}

    def load(self) -> Any:
        """Import the component's module and return what ``build`` names."""
        return getattr(importlib.import_module(self.module), self.build)

    def module_of(self, part: str) -> str:
        """The module of a kind of exhibit's ``figure`` or ``table``; KeyError where the kind has none."""
        module, _, _ = self.about[part].partition(":")
        folder = self.module.rpartition(".")[0]
        return f"{folder.rpartition('.')[0] if '.' in module else folder}.{module}"

    def load_part(self, part: str) -> Any:
        """Import and return the function behind ``figure`` or ``table``."""
        return getattr(importlib.import_module(self.module_of(part)), self.about[part].partition(":")[2])


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _statements(path: Path) -> list[ast.stmt]:
    """A file's top-level statements; every step reads some files for many names."""
    return ast.parse(_text(path), str(path)).body


def _definition(path: Path, name: str) -> ast.expr | None:
    """The expression that a file (or the file of ours it imports the name from) gives a top-level name."""
    for node in _statements(path):
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            return _Named(path).visit(node.value)
        if isinstance(node, ast.ImportFrom) and name in (alias.name for alias in node.names):
            top, *parts = imported_from(node, path).split(".")
            if top == PACKAGE.name:
                return _definition(PACKAGE.joinpath(*parts).with_suffix(".py"), name)
    return None


class _Named(ast.NodeTransformer):
    """Puts named literals in the place of their names, so that components can share a parameter's schema."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def visit_Name(self, node: ast.Name) -> ast.expr:
        found = _definition(self.path, node.id)
        if found is None:
            raise ValueError(f"{self.path}: {node.id} in CATALOGUE is no literal of this package")
        return found


@cache
def _literal(path: Path) -> dict[str, Any]:
    """The CATALOGUE literal of one file, or {} where it has none."""
    found = _definition(path, "CATALOGUE")
    return {} if found is None else ast.literal_eval(found)


def _entries(kind: str, path: Path) -> dict[str, Entry]:
    """What one file offers."""
    for name, spec in _literal(path).items():
        check(kind, path, name, spec)
    return {
        name: Entry(
            kind,
            name,
            ".".join(("lossproof", *path.relative_to(PACKAGE).with_suffix("").parts)),
            spec["build"],
            spec.get("parameters", {}),
            {key: value for key, value in spec.items() if key not in ("build", "parameters")},
        )
        for name, spec in _literal(path).items()
    }


class Catalogue(Mapping[str, Entry]):
    """All components of one kind by name. Whoever asks for one reads only the files that spell its name.

    ValueError where two files that are read claim one name.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._files = sorted(PACKAGE.glob(PLACES.get(kind, f"{kind}/*.py")))
        self._found: dict[str, Entry] = {}

    def _read(self, files: Iterable[Path]) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for path in files:
            for name, entry in _entries(self.kind, path).items():
                if name in entries:
                    raise ValueError(f"{path.name}: '{name}' is already offered by {entries[name].module}")
                entries[name] = entry
        return entries

    @cached_property
    def _all(self) -> dict[str, Entry]:
        return self._read(self._files)

    def __getitem__(self, name: str) -> Entry:
        if name not in self._found:
            spelled = self._read(path for path in self._files if f'"{name}"' in _text(path))
            self._found[name] = spelled[name] if name in spelled else self._all[name]
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


@cache
def catalogue(kind: str) -> Catalogue:
    """All components of one kind (a sub-package: 'criteria', 'models', ...), by name."""
    return Catalogue(kind)


def load(kind: str, name: str) -> Any:
    """The class or function behind a component's name; KeyError names the known ones."""
    entries = catalogue(kind)
    if name not in entries:
        raise KeyError(f"no {kind} entry '{name}'; known: {', '.join(sorted(entries))}")
    return entries[name].load()
