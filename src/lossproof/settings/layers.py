"""The layers of a configuration, lowest first: which files it is merged from, and which of them each value is from.

``config/*.yaml`` (the papers' settings), the edition's file in ``editions/`` above the one that it ``extends``,
``config.yaml``, the overlays of ``--configfile``, ``--config``.
"""

from __future__ import annotations

import contextlib
import copy
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lossproof.settings.check import dotted, read_yaml
from lossproof.settings.faults import SettingsError, fault, known

ABSENT = object()
COMMAND_LINE = "--config"
INHERIT = "inherit"
INHERITING = ("trainings", "attacks")
DEFAULT_EDITION = "embedded"
# Old name of a key -> its new one; `*` stands for any one name.
RENAMED: Mapping[str, str] = {}


class Layer(NamedTuple):
    """One file (or ``--config``) by the name that messages give it, and what it says."""

    name: str
    content: dict[str, Any]


class Layers:
    """Layers, lowest first, and what they are ``merged`` to."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)
        self.merged: dict[str, Any] = {}
        for layer in layers:
            self.merged = merge(self.merged, layer.content)

    def rank(self, path: Sequence[object]) -> int:
        """The number of the highest layer that says something at a key path, or at the nearest key above it."""
        for end in range(len(path), 0, -1):
            for at in reversed(range(len(self.layers))):
                if value_at(self.layers[at].content, path[:end]) is not ABSENT:
                    return at
        return 0

    def __call__(self, path: Sequence[object]) -> str:
        """The name of the layer that a key's value comes from."""
        return self.layers[self.rank(path)].name


def value_at(value: Any, path: Sequence[object]) -> Any:
    """What stands at a key path, or ABSENT."""
    for part in path:
        held = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if not (held or (isinstance(value, dict) and part in value)):
            return ABSENT
        value = value[part]
    return value


def merge(low: Any, high: Any) -> Any:
    """``high`` over ``low``: mappings key by key, all else as a whole.

    A mapping with a ``default`` (such as ``epochs`` by data set) is complete, so it is taken as a whole too.
    """
    if not (isinstance(low, dict) and isinstance(high, dict)) or "default" in high:
        return copy.deepcopy(high)
    return low | {key: merge(low[key], value) if key in low else copy.deepcopy(value) for key, value in high.items()}


def read_layers(
    root: Path, overlays: Sequence[Path | str] = (), given: Mapping[str, Any] | None = None, base: Path | None = None
) -> Layers:
    """The layers of a project at ``root``, with overlays and the values of ``--config``; ``base``: its config.yaml.

    The edition is what config.yaml, overlays and ``--config`` merge to. One without a file in ``editions/`` extends
    what it says, or the last edition whose file is among the overlays, or the embedded one. A shipped edition's file
    as an overlay only chooses it. Raises SettingsError for a file that cannot be read and for editions that do not
    fit together.
    """
    shipped = {path.stem: path for path in sorted((root / "editions").glob("*.yaml"))}
    common = [_layer(path) for path in sorted((root / "config").glob("*.yaml"))]
    own = [_layer(base or root / "config.yaml")]
    editions: list[Layer] = []
    for path in map(Path, overlays):
        layer = _layer(path)
        if path.stem in shipped and path.resolve() == shipped[path.stem].resolve() and "edition" in layer.content:
            editions.append(layer)
            layer = Layer(layer.name, {"edition": layer.content["edition"]})
        own.append(layer)
    own.append(Layer(COMMAND_LINE, _typed(dict(given or {}))))
    chain = _chain(Layers(own), editions, shipped)
    for layer in editions:
        if layer.name not in [one.name for one in chain]:
            edition = Layers(own).merged["edition"]
            raise fault(layer.name, "edition", f"not part of edition '{edition}'", "expected one edition, or overlays")
    layers = [*common, *chain, *own]
    for layer in layers:
        _refuse_renamed(layer)
    found = Layers(
        [Layer(name, {key: content[key] for key in content if key != "extends"}) for name, content in layers]
    )
    for section in INHERITING:
        entries: Any = found.merged.get(section)
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if isinstance(entry, dict):
                entries[name] = {key: value for key, value in entry.items() if value != INHERIT}
    return found


def _layer(path: Path) -> Layer:
    return Layer(shown(path), read_yaml(path))


def shown(path: Path | str) -> str:
    """A path as a user would type it: relative to the working directory where it lies in that."""
    path = Path(path)
    return str(path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path)


def _typed(value: Any) -> Any:
    """A copy with types: Snakemake leaves text within ``key={...}`` and ``key=[...]`` of ``--config``."""
    if isinstance(value, Mapping):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, str):
        with contextlib.suppress(yaml.YAMLError):
            meant = yaml.safe_load(value)
            return meant if meant is None or isinstance(meant, bool | int | float) else value
    return value


def _chain(own: Layers, editions: Sequence[Layer], shipped: Mapping[str, Path]) -> list[Layer]:
    """The files of the chosen edition, lowest first: what it extends, then itself."""
    edition, extends = (own.merged.get(key, ABSENT) for key in ("edition", "extends"))
    if edition is ABSENT:
        raise fault(own.layers[0].name, "top level", "key 'edition' is missing", "it is required")
    if edition not in shipped:
        if extends is ABSENT and not editions:
            extends = DEFAULT_EDITION
            if near := difflib.get_close_matches(str(edition), shipped, n=1, cutoff=0.8):
                allowed = f"did you mean '{near[0]}'? A new edition of this name must say which it extends"
                raise fault(own(["edition"]), "edition", f"no file of '{edition}' in editions/", allowed)
        elif extends is ABSENT:
            extends = editions[-1].content["edition"]
        return _with_below(str(extends), own(["extends"]), shipped)
    if extends is not ABSENT:
        found = f"found '{extends}' with edition '{edition}', which has a file"
        raise fault(own(["extends"]), "extends", found, "expected a new edition's name, such as edition: mine")
    return _with_below(edition, own(["edition"]), shipped)


def _with_below(name: str, source: str, shipped: Mapping[str, Path]) -> list[Layer]:
    """An edition's file, above those that it extends."""
    found: list[Layer] = []
    while True:
        known(source, "extends", name, shipped, "edition")
        layer = _layer(shipped[name])
        if layer.content.get("edition") != name:
            raise fault(layer.name, "edition", f"found '{layer.content.get('edition')}'", f"expected '{name}'")
        if layer in found:
            raise fault(source, "extends", f"'{name}' extends itself", "expected another edition")
        found.insert(0, layer)
        if "extends" not in layer.content:
            return found
        name, source = str(layer.content["extends"]), layer.name


def _refuse_renamed(layer: Layer) -> None:
    """Raise for a key that has another name now."""
    for old, new in RENAMED.items():
        for path in _matches(layer.content, old.split(".")):
            names = iter(name for part, name in zip(old.split("."), path, strict=True) if part == "*")
            now = ".".join(next(names) if part == "*" else part for part in new.split("."))
            raise SettingsError(f"{layer.name}: {dotted(path)}: this key has another name now; write {now}")


def _matches(value: Any, pattern: Sequence[str]) -> list[tuple[str, ...]]:
    """The key paths that a pattern matches."""
    if not pattern:
        return [()]
    names = [name for name in value if pattern[0] in ("*", name)] if isinstance(value, dict) else []
    return [(str(name), *rest) for name in names for rest in _matches(value[name], pattern[1:])]
