"""An edition of minutes in which every script of the workflow runs: few exhibits and networks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

NAME = "small"
PAPER = "isce"
WORDS = {"title": "T", "caption": "C"}
NET = {"datasets": ["mnist"], "archs": {"mnist": ["lenet5"]}}
EXHIBITS: dict[str, dict[str, Any]] = {
    # Attacks of torchattacks and foolbox; the jury's are of pyautoattack.
    "table": {"kind": "accuracy_table", **NET, "trainings": ["ce_isce"], "rival": "ce_isce"}
    | {"attacks": ["fgsm", "deepfool_10"]},
    "places": {"kind": "tsne", "datasets": ["mnist"], "arch": "lenet5", "trainings": ["ce_isce"]}
    | {"attack": "pgd_sweep", "epsilon": "0.1"},
    "bound": {"kind": "gap_bound", **NET, "trainings": ["ce_isce"], "attacks": {"mnist": ["fgsm"]}},
    "surface": {"kind": "landscape", "dataset": "mnist", "arch": "lenet5", "trainings": ["ce_isce"]},
    "toy": {"kind": "boundaries", "toys": ["segments"], "trainings": ["ce"], "epochs": [200]},
    "check": {"kind": "statement", "check": "isce_property_1"},
    "verdicts": {"kind": "jury_verdicts", "attacks": ["jury_pgd", "jury_linf", "jury_l2"]}
    | {"panels": [{"dataset": "mnist", "arch": "lenet5", "trainings": ["ce_isce", "ce_x100"]}]},
}


def declare(folder: Path, sets: Iterable[str] = ()) -> Path:
    """Put the exhibits in the place of a paper's in a checkout. Returns the edition's overlay, for after test.yaml.

    ``sets``: sources that the edition has as data sets of the same names.
    """
    content = {"title": "Paper", "exhibits": {name: one | WORDS for name, one in EXHIBITS.items()}}
    (folder / f"exhibits/{PAPER}.yaml").write_text(yaml.safe_dump(content))
    overlay = {"edition": NAME, "papers": [PAPER], "jury": {"runs": ["*"]}}
    overlay |= {"datasets": {name: {"source": name} for name in sets}}
    path = folder / f"{NAME}.yaml"
    path.write_text(yaml.safe_dump(overlay))
    return path
