"""Small exhibits of several kinds, declared as a paper's file would, and tidy rows as text."""

from __future__ import annotations

from pathlib import Path

import yaml

from editions import load
from lossproof.planning.declare import Exhibit, load_exhibits

CONFIG = load()

WORDS = {"title": "T", "caption": "C"}

GRID = {"kind": "parameter_grid", "sweep": "isce_grid", "datasets": ["mnist", "cifar10"], "arch": "lenet5"}

GRID |= {"attacks": {"mnist": ["pgd"], "cifar10": ["fgsm", "bim"]}}

LEVELS = {"kind": "level_curves", "sweep": "at_level", "dataset": "cifar10", "arch": "cnn2", "attacks": ["pgd"]}

PLACES = {"kind": "embedding", "datasets": ["mnist"], "arch": "lenet5", "trainings": ["ce_isce", "isce"]}

SCATTER = PLACES | {"kind": "tsne", "attack": "pgd_sweep", "epsilon": "0.1"}

TABLE = {
    "kind": "accuracy_table",
    "datasets": ["mnist", "cifar10"],
    "archs": {"mnist": ["lenet5"], "cifar10": ["cnn2"]},
}

TABLE |= {"trainings": ["isce"], "rival": "ce_isce", "attacks": ["fgsm"]}

BOUND = {"kind": "gap_bound", "datasets": ["mnist"], "archs": ["lenet5"], "trainings": ["ce_isce", "isce"]}

BOUND |= {"attacks": ["pgd"]}

GAPS = {"kind": "mean_gaps", "datasets": ["mnist"], "archs": ["lenet5"], "trainings": ["isce"], "rival": "ce_isce"}


def declared(folder: Path, config=CONFIG, **exhibits: dict) -> list[Exhibit]:
    content = {"title": "Paper", "exhibits": {name: one | WORDS for name, one in exhibits.items()}}
    (folder / "isce.yaml").write_text(yaml.dump(content))
    return load_exhibits(folder, ["isce"], config)


def as_text(rows, columns):
    """Rows as they are read from a file."""
    return [{key: "" if row.get(key) is None else str(row[key]) for key in columns} for row in rows]
