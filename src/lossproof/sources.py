"""Which of our own modules a step uses, by content: what makes a result stale.

The import closure is read from the files (no import happens). A module that is chosen by name at
run time (a loss, an architecture) is passed in by the caller, so that changing one loss makes only
that loss's models stale.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def _path(module: str) -> Path | None:
    """The file of a module of this package, or None for another package's."""
    parts = module.split(".")
    if parts[0] != PACKAGE.name:
        return None
    base = PACKAGE.joinpath(*parts[1:])
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def imported_from(node: ast.ImportFrom, path: Path) -> str:
    """The absolute name of the module that a ``from`` import names, a relative one from where its file lies.

    '' for one that leads out of this package.
    """
    if not node.level:
        return node.module or ""
    if not path.is_relative_to(PACKAGE):
        return ""
    folder = path.relative_to(PACKAGE.parent).parts[: -node.level]
    return ".".join((*folder, *filter(None, [node.module]))) if folder else ""


def _imports(path: Path) -> set[str]:
    """Names of our own modules that a file imports, in whatever form and wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = imported_from(node, path)
            names.add(module)
            names.update(f"{module}.{alias.name}" for alias in node.names)
    return {name for name in names if _path(name)}


@cache
def _direct(module: str) -> frozenset[str]:
    path = _path(module)
    if path is None:
        raise ModuleNotFoundError(f"no module {module} in {PACKAGE}")
    parts = module.split(".")
    parents = {".".join(parts[:end]) for end in range(1, len(parts))}
    return frozenset(_imports(path) | parents)


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def closure(modules: Iterable[str]) -> set[str]:
    """The given modules and all of ours that they import, directly or not."""
    seen: set[str] = set()
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo.extend(_direct(module) - seen)
    return seen


def script_modules(script: Path, modules: Iterable[str] = ()) -> set[str]:
    """The closure of a script and of the modules that it will load by name."""
    return closure([*_imports(script), *modules])


def fingerprint(script: Path, modules: Iterable[str] = ()) -> list[str]:
    """One ``name@hash`` for the script and each module in its closure, sorted: a rule's ``params``."""
    marks = [f"{script.name}@{_digest(script)}"]
    for module in sorted(script_modules(script, modules)):
        path = _path(module)
        assert path is not None
        marks.append(f"{module}@{_digest(path)}")
    return marks


def digest(marks: list[str]) -> str:
    """A fingerprint in twelve characters."""
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:12]
