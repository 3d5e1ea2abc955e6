"""A kind of exhibit is one folder, and what a reader must open to understand it is little."""

from __future__ import annotations

import pytest

from lossproof import sources
from lossproof.catalogue import catalogue

GROUND = {"paths", "tidy", "records", "catalogue", "catalogue_entries", "sources", "display_names", "seeding"}
GROUND |= {"devices", "progress", "verdict_word", "statistics", "drawing"}


@pytest.mark.parametrize("kind", catalogue("exhibits"))
def test_a_readers_path_is_short(kind):
    entry = catalogue("exhibits")[kind]
    parts = [entry.module_of(part) for part in ("figure", "table") if part in entry.about]
    path = sorted(
        module
        for module in sources.closure([entry.module, *parts])
        if sources._path(module).name != "__init__.py" and module.split(".")[1] not in GROUND
    )
    folders = {module.rpartition(".")[0] for module in path}
    print(f"{kind}: {len(path)} files in {len(folders)} folders: {', '.join(path)}")
    assert len(path) <= 16 and len(folders) <= 4, path


def test_no_kind_is_named_outside_its_folder():
    """The names of kinds that are no words of their own occur nowhere else in the package or the rules."""
    own = {kind: entry.module.split(".")[2] for kind, entry in catalogue("exhibits").items() if "_" in kind}
    root = sources.PACKAGE.parents[1]
    files = [*sources.PACKAGE.rglob("*.py"), *(root / "workflow").rglob("*.smk"), *(root / "workflow").rglob("*.py")]
    found = [
        (str(path.relative_to(root)), kind)
        for path in files
        for kind, folder in own.items()
        if f'"{kind}"' in path.read_text(encoding="utf-8") and path.parent.name != folder
    ]
    assert not found
