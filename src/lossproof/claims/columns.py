"""The columns of ``reference/claims.csv``, each with its vocabulary."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from lossproof.catalogue import catalogue
from lossproof.claims.differences import READINGS
from lossproof.records import read_csv
from lossproof.settings.faults import fault, nearest


class Text(NamedTuple):
    """Cells that match a pattern, or are empty; ``what`` they hold, for messages."""

    pattern: str
    what: str

    def wrong(self, value: str) -> str:
        """What should stand there instead of a value; '' where it may."""
        return "" if not value or re.fullmatch(self.pattern, value) else f"expected {self.what}"


class Words(NamedTuple):
    """Cells with one of some words."""

    known: tuple[str, ...]

    def wrong(self, value: str) -> str:
        """As of ``Text``."""
        return "" if value in self.known else nearest(value, self.known)


ID = r"[a-z0-9_.+@=-]+"
IDS = Text(f"{ID}(;{ID})*", "ids, joined by ';'")
NUMBER = Text(r"-?\d+(\.\d+)?", "a number")
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
COLUMNS: dict[str, Text | Words] = {
    "paper": Text(ID, "a paper's id"),
    "exhibit": Text(ID, "an exhibit's id"),
    "dataset": IDS,
    "arch": IDS,
    "training": Text(ID, "a training's id"),
    "metric": Words(tuple(REQUIRED)),
    "attack": IDS,
    "method": IDS,
    "momentum": NUMBER,
    "norm": Words(("", "linf", "l2")),
    "epsilon": NUMBER,
    "epsilon_printed": Text(r"\d+(\.\d+)?(/\d+)?", "a number or a fraction"),
    "steps": Text(r"\d+", "a whole number"),
    "step_size": NUMBER,
    "targeted": Words(("", "untargeted", "least_likely", "every")),
    "value": NUMBER,
    "unit": Words(("", "percent", "percentage_points", "probability", "raw", "epsilon", "images", "classes", "ratio")),
    "against": Text(ID, "a training's id, 'all', or of a ratio a data set's id"),
    "refers_to": IDS,
    "wording": Words(("", *filter(None, READINGS))),
    "level": Text("[1-9]", "1 for the smallest level, 2 for the next"),
    "part": Words(("", "all", "train", "valid", "files")),
    "rounding": NUMBER,
    "lost": Text(r".+\.", "a sentence"),
    "implausible": Text(r"R\d+(;R\d+)*", "rules of suspicious.csv, joined by ';'"),
    "note": Text("(?s:.*)", "prose"),
}
CLAIM_COLUMNS = tuple(COLUMNS)


def read_claims(path: Path) -> list[dict[str, str]]:
    """All claims; SettingsError names file, row (as an editor counts it) and column of the first fault."""
    rows = read_csv(path)
    if not rows or tuple(rows[0]) != CLAIM_COLUMNS:
        raise fault(str(path), "row 1", f"found {','.join(rows[0]) if rows else 'no rows'}", ",".join(CLAIM_COLUMNS))
    methods = catalogue("attacks")
    for at, row in enumerate(rows, 2):
        for column, value in row.items():
            if wanted := COLUMNS[column].wrong(value):
                raise fault(str(path), f"row {at}.{column}", f"found '{value}'", wanted)
        for column in ("paper", "exhibit", *(() if row["lost"] else REQUIRED[row["metric"]])):
            if not row[column]:
                raise fault(str(path), f"row {at}.{column}", "found nothing", f"needed for {row['metric']}")
        attacked = row["attack"] not in ("", "none")
        unknown = [one for one in row["method"].split(";") if one not in methods]
        if attacked and unknown:
            raise fault(str(path), f"row {at}.method", f"found '{row['method']}'", f"expected {', '.join(methods)}")
        if row["method"] and not attacked:
            raise fault(str(path), f"row {at}.method", f"found '{row['method']}'", "expected nothing without an attack")
    return rows
