"""Rows of a run that we publish in ``reference/measured``: the ledger's, and what no paper prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from lossproof.claims.ledger import COLUMNS as LEDGER_COLUMNS
from lossproof.tidy import Row, number

RUN_COLUMNS = ("edition", "data", "hardware", "epochs", "date")
COLUMNS = (*LEDGER_COLUMNS, *RUN_COLUMNS)
NOT_PRINTED = "not reported"
NORM = "last_layer_norm"


def _blank(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(LEDGER_COLUMNS, "") | {key: row[key] for key in LEDGER_COLUMNS if key in row}


def unprinted(tidy: Sequence[Row]) -> list[dict[str, Any]]:
    """Measurements of a tidy table as rows without a printed value.

    Of accuracies and differences those over seeds (a difference's rival stands in ``against``, as in the reported
    claims; how an attack's budget was read in ``note``), of weight histories the final norms, of the jury's verdicts
    every attack. ValueError for a table of another kind.
    """
    columns = set(tidy[0]) if tidy else set()
    if {"rival", "seed", "record"} <= columns:
        return _accuracies(tidy)
    if {"quantity", "epoch", "arch"} <= columns:
        return _final_norms(tidy)
    if {"twin", "gain", "verdict", "record"} <= columns:
        return [_judged(row) for row in tidy]
    raise ValueError("neither accuracies nor a weight history of image networks, nor the jury's verdicts")


def _accuracies(tidy: Iterable[Row]) -> list[dict[str, Any]]:
    rows = []
    for row in tidy:
        if not row["seed"]:
            note = {"against": row["rival"], "note": f"epsilon read as: {row['reading']}" if row["reading"] else ""}
            unit = "percentage_points" if row["rival"] else "percent"
            measured = {"measured": row["value"], "value": "", "unit": unit, "verdict": NOT_PRINTED}
            rows.append(_blank(row) | measured | note | {"data": row["data"]})
    return rows


def _judged(row: Row) -> dict[str, Any]:
    """What the jury left of a network under one attack; gain over the twin and verdict stand in ``note``."""
    said = [row["control"], f"the jury says {row['verdict']}"]
    if row["gain"]:
        gain, low, high = (float(row[key]) for key in ("gain", "gain_low", "gain_high"))
        said.append(f"less {row['twin']}: {gain:+.1f} [{low:.1f}, {high:.1f}] points")
    measured = {"metric": "adversarial_accuracy", "measured": row["accuracy"], "unit": "percent", "split": "test"}
    bounds = {"ci_low": row["low"], "ci_high": row["high"], "reason": row["why"], "value": "", "verdict": NOT_PRINTED}
    return _blank(row) | measured | bounds | {"note": "; ".join(filter(None, said)), "data": row["dataset"]}


def _final_norms(tidy: Sequence[Row]) -> list[dict[str, Any]]:
    """Norm of the last layer's weights after the last epoch, per training: the mean over seeds."""
    rows = []
    for training in dict.fromkeys(row["training"] for row in tidy):
        mine = [row for row in tidy if row["training"] == training and row["quantity"] == "norm"]
        last = max(number(row["epoch"]) or 0 for row in mine)
        norms = [number(row["value"]) or 0.0 for row in mine if number(row["epoch"]) == last]
        measured = {"metric": NORM, "measured": repr(fmean(norms)), "value": "", "unit": "raw", "seeds": len(norms)}
        about = {"verdict": NOT_PRINTED, "epochs": int(last), "data": mine[0]["data"]}
        rows.append(_blank(mine[0]) | measured | about)
    return rows


def with_run(
    rows: Iterable[Mapping[str, Any]], epochs: Callable[[str], set[int]], notes: Mapping[str, str], **run: str
) -> list[dict[str, Any]]:
    """Rows with what ran: ``run`` is edition, hardware and date.

    ``epochs`` reads those of a record's pattern; ``notes`` holds, by the data set that ran, what its card says
    of it. ValueError where the records of one row were trained for different numbers of epochs: such a row
    would say nothing of either.
    """
    told = []
    for row in rows:
        patterns = [pattern for pattern in str(row["record"]).split(";") if pattern]
        found = set().union(*map(epochs, patterns), {int(row["epochs"])} if "epochs" in row else ())
        if len(found) > 1:
            raise ValueError(f"{row['paper']}/{row['exhibit']}: one row from runs of {sorted(found)} epochs")
        # results/<edition>/<stage>/<data set>/...
        data = row["data"] if "data" in row else ";".join(dict.fromkeys(path.split("/")[3] for path in patterns))
        data += f" ({notes[data]})" if notes.get(data) else ""
        # .../<architecture>/<training>/...: the one that ran, which may stand in for the paper's.
        ran = ";".join(dict.fromkeys(parts[4] for path in patterns if len(parts := path.split("/")) > 4))
        instead = f"network: {ran}" if ran and row["arch"] not in ("", ran) else ""
        note = "; ".join(filter(None, (str(row["note"]), instead)))
        told.append(dict(row) | {"epochs": str(*found), "data": data, "note": note} | run)
    return told
