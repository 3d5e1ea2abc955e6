"""The ledger's rows, and those of published runs, as the page shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossproof.claims.columns import CLAIM_COLUMNS
from lossproof.claims.published import NOT_PRINTED, RUN_COLUMNS
from lossproof.claims.verdict import SIGN_ONLY, Verdict
from lossproof.display_names import name
from lossproof.drawing.quantity import quantity
from lossproof.report.anchors import anchor
from lossproof.report.overview import exhibit_of
from lossproof.tidy import number

UNITS = {"percent": "", "percentage_points": " points"}
SEEDS = "seed*"


def value_in_words(value: Any, unit: str) -> str:
    """A measured value with two decimals of percent or points, six digits of anything else; '' where there is none."""
    measured = number(value)
    if measured is None:
        return ""
    return f"{measured:.2f}" if unit in UNITS else f"{measured:.6g}"


def interval_in_words(row: Mapping[str, Any]) -> str:
    """The 95 % interval without its brackets; '' where one end is missing."""
    low, high = value_in_words(row["ci_low"], row["unit"]), value_in_words(row["ci_high"], row["unit"])
    return f"{low}, {high}" if low and high else ""


def printed_in_words(row: Mapping[str, Any]) -> str:
    """The printed string with its unit, where that is not percent."""
    return row["value"] + UNITS.get(row["unit"], f" {row['unit']}")


def what(row: Mapping[str, Any]) -> str:
    """The quantity of a claim: 'PGD, ε = 8/255, 40 steps'."""
    if row["metric"] == "adversarial_accuracy":
        return quantity(row)
    words = name(row["metric"])
    attacks = ", ".join(map(name, row["attack"].split(";"))) if row["attack"] not in ("", "none") else ""
    return f"{words}, {attacks}" if attacks else words


def network(row: Mapping[str, Any]) -> str:
    """Architecture and training of a claim."""
    return " · ".join(name(row[part]) for part in ("arch", "training") if row[part])


def tolerance_in_words(row: Mapping[str, Any]) -> str:
    """How far off a measured value may be; '' where the ledger does not say (an old one has no such column)."""
    told = str(row.get("tolerance") or "")
    if number(told) is None:
        return "sign only" if told == SIGN_ONLY else ""
    unit = " points" if row["unit"] == "percent" else UNITS.get(row["unit"], "")
    return f"± {told}{unit}, or inside the interval"


def records(row: Mapping[str, Any], edition: str) -> list[dict[str, Any]]:
    """The files behind a row: per pattern of ``record`` what tells it from the others, and its files by seed.

    Addresses are relative to the report, which lies in ``results/<edition>``.
    """
    patterns = [pattern for pattern in str(row["record"] or "").split(";") if pattern]
    seeds = range(int(number(row["seeds"]) or 0))
    home, found = f"results/{edition}/", []
    for pattern in patterns:
        parts = pattern.removeprefix(home).split("/")
        address = "/".join(parts) if pattern.startswith(home) else f"../../{pattern}"
        each = [(f"seed {seed}", address.replace(SEEDS, f"seed{seed}")) for seed in seeds]
        files = each if SEEDS in address else [(parts[-1], address)]
        # results/<edition>/<stage>/<data set>/<architecture>/<training>/...
        told = "/".join((*parts[1:4], *parts[5:-1], parts[-1].removesuffix(".json"))) if len(patterns) > 1 else ""
        found.append({"label": told, "files": [{"label": label, "href": href} for label, href in files]})
    return found


def claim_key(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What tells one printed number from another: every column but the remark."""
    return tuple(str(row[column]) for column in CLAIM_COLUMNS if column != "note")


def ledger_lines(
    rows: Iterable[Mapping[str, Any]],
    anchors: Mapping[str, str],
    edition: str = "",
    published: Sequence[tuple[str, Mapping[Any, Any]]] = (),
) -> list[dict[str, Any]]:
    """A line per row; ``published``: other runs by name, each with its rows by ``claim_key``.

    Without an ``edition`` no record is linked.
    """
    lines = []
    for row in rows:
        exhibit = exhibit_of(row)
        has_value = number(row["measured"]) is not None
        basis = [f"{row['split']} split"] if row["split"] and has_value else []
        basis += [f"{row[part]} {part.removeprefix('n_')}" for part in ("n_images", "seeds") if row[part]]
        lines.append(
            {
                "paper": row["paper"],
                "exhibit": exhibit,
                "anchor": anchors.get(exhibit, ""),
                "network": network(row),
                "dataset": name(row["dataset"]),
                "quantity": what(row),
                "printed": printed_in_words(row),
                "printed_number": number(row["value"]),
                "measured": value_in_words(row["measured"], row["unit"]),
                "measured_number": number(row["measured"]),
                "interval": interval_in_words(row),
                "tolerance": tolerance_in_words(row),
                "test": value_in_words(row["measured_test"], row["unit"]),
                "basis": ", ".join(basis),
                "published": [
                    (run, f"{value_in_words(other['measured'], row['unit'])} {other['verdict']}".strip())
                    for run, by_claim in published
                    if (other := by_claim.get(claim_key(row)))
                ],
                "verdict": str(row["verdict"]),
                "meaning": Verdict(row["verdict"]).meaning if row["verdict"] != NOT_PRINTED else "",
                "plausible": row["plausible"],
                "reason": row["reason"],
                "records": records(row, edition) if edition and has_value else [],
            }
        )
    return lines


def published_view(title: str, rows: Sequence[Mapping[str, Any]], anchors: Mapping[str, str]) -> dict[str, Any]:
    """A published run for its own section: what ran it, and its rows as in the ledger."""
    told = {part: dict.fromkeys(str(row[part]) for row in rows if row[part]) for part in RUN_COLUMNS}
    about = [f"{part}: {', '.join(values)}" for part, values in told.items() if values]
    lines = ledger_lines(rows, anchors)
    for line, row in zip(lines, rows, strict=True):
        line["basis"] += f", {row['epochs']} epochs" if row["epochs"] else ""
        if row["metric"] == "difference":
            line["quantity"] += f", minus {name(row['against'])}"
    return {"name": title, "anchor": anchor(f"published-{title}"), "about": "; ".join(about), "lines": lines}
