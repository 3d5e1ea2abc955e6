"""The columns of ``reference/claims.csv``, each with its vocabulary."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lossproof.catalogue import catalogue
from lossproof.claims.differences import READINGS
from lossproof.records import read_csv


def _text(pattern: str, what: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({pattern})?\\Z", "description": what}


def _words(*known: str) -> dict[str, Any]:
    return {"type": "string", "enum": ["", *known]}


ID = r"[a-z0-9_.+@=-]+"
IDS = _text(f"{ID}(;{ID})*", "ids, joined by ';'")
NUMBER = _text(r"-?\d+(\.\d+)?", "a number")
ACCURACIES = ("train_accuracy", "test_accuracy", "clean_accuracy", "adversarial_accuracy", "mean_probability_gap")
# What a claim of a metric cannot do without.
REQUIRED = dict.fromkeys(ACCURACIES, ("training", "against")) | {
    "difference": ("training", "against", "refers_to"),
    "epsilon_below_which_accuracy_is_good": ("training", "against", "refers_to"),
    "attack_success_rate": ("training", "refers_to"),
    "dataset_fact": ("dataset", "rounding"),
    "mean_sum_exp_false_logits": ("training",),
    "mean_true_logit": ("training",),
}
COLUMNS: dict[str, dict[str, Any]] = {
    "paper": _text(ID, "a paper's id"),
    "exhibit": _text(ID, "an exhibit's id"),
    "dataset": IDS,
    "arch": IDS,
    "training": _text(ID, "a training's id"),
    "metric": {"type": "string", "enum": list(REQUIRED)},
    "attack": IDS,
    "method": IDS,
    "momentum": NUMBER,
    "norm": _words("linf", "l2"),
    "epsilon": NUMBER,
    "epsilon_printed": _text(r"\d+(\.\d+)?(/\d+)?", "a number or a fraction"),
    "steps": _text(r"\d+", "a whole number"),
    "step_size": NUMBER,
    "targeted": _words("untargeted", "least_likely", "every"),
    "value": NUMBER,
    "unit": _words("percent", "percentage_points", "probability", "raw", "epsilon", "images", "classes", "ratio"),
    "against": _text(ID, "a training's id, 'all', or of a ratio a data set's id"),
    "refers_to": IDS,
    "wording": _words(*filter(None, READINGS)),
    "level": _text("[1-9]", "1 for the smallest level, 2 for the next"),
    "part": _words("all", "train", "valid", "files"),
    "rounding": NUMBER,
    "lost": _text(r".+\.", "a sentence"),
    "implausible": _text(r"R\d+(;R\d+)*", "rules of suspicious.csv, joined by ';'"),
    "note": {"type": "string"},
}
CLAIM_COLUMNS = tuple(COLUMNS)


def _wrong(column: str, value: str) -> str:
    """What a cell should hold instead; '' where its value is one of the column's."""
    spec = COLUMNS[column]
    if "enum" in spec:
        return "" if value in spec["enum"] else f"allowed: {', '.join(sorted(spec['enum']))}"
    return "" if re.search(spec.get("pattern", ""), value) else f"expected {spec['description']}"


def read_claims(path: Path) -> list[dict[str, str]]:
    """All claims; ValueError names file, row (as an editor counts it) and column of the first fault."""

    def fault(key: str, found: str, allowed: str) -> ValueError:
        return ValueError(f"{path}: {key}: {found}; {allowed}")

    rows = read_csv(path)
    if not rows or tuple(rows[0]) != CLAIM_COLUMNS:
        raise fault("row 1", f"found {','.join(rows[0]) if rows else 'no rows'}", ",".join(CLAIM_COLUMNS))
    methods = catalogue("attacks")
    for at, row in enumerate(rows, 2):
        for column, value in row.items():
            if wanted := _wrong(column, value):
                raise fault(f"row {at}.{column}", f"found '{value}'", wanted)
        for column in ("paper", "exhibit", *(() if row["lost"] else REQUIRED[row["metric"]])):
            if not row[column]:
                raise fault(f"row {at}.{column}", "found nothing", f"needed for {row['metric']}")
        attacked = row["attack"] not in ("", "none")
        unknown = [one for one in row["method"].split(";") if one not in methods]
        if attacked and unknown:
            raise fault(f"row {at}.method", f"found '{row['method']}'", f"expected {', '.join(methods)}")
        if row["method"] and not attacked:
            raise fault(f"row {at}.method", f"found '{row['method']}'", "expected nothing without an attack")
    return rows
