"""The report: one HTML file that needs nothing else, equal for equal inputs."""

from __future__ import annotations

import base64
import json
import re
import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lossproof.claims.ledger import CLAIM_COLUMNS
from lossproof.claims.match import number
from lossproof.claims.published import RUN_COLUMNS
from lossproof.claims.verdict import Verdict
from lossproof.report.context import Context, Exhibit
from lossproof.tables.names import name, quantity

UNITS = {"percent": "", "percentage_points": " points"}
TEMPLATE = "report.html.j2"
MEANINGS = {
    Verdict.REPRODUCED: "Same data set and protocol; within 2 points (probabilities: 0.02) or the 95 % interval.",
    Verdict.NOT_REPRODUCED: "Same data set and protocol; outside that tolerance.",
    Verdict.DIRECTION_HOLDS: "The difference to the rival has the printed sign; its interval excludes zero.",
    Verdict.DIRECTION_FAILS: "That difference has another sign than the printed one; its interval excludes zero.",
    Verdict.UNDECIDED: "The interval of the difference does not exclude zero, or there is no difference to compare.",
    Verdict.BASELINE: "The row is itself the twin or rival; only a full-protocol run could say more.",
    Verdict.FAILED_TO_TRAIN: "A network of the comparison stays below twice the accuracy of guessing.",
    Verdict.NOT_RUN: "The run is not part of this edition; the reason names it.",
    Verdict.LOST: "The number, or its label, is not in the sources.",
}


def anchor(exhibit: str) -> str:
    """The id of an exhibit's section: 'sp/fig_3' -> 'sp-fig_3'."""
    return re.sub(r"[^\w.-]", "-", exhibit)


def _slug(verdict: str) -> str:
    return verdict.replace(" ", "-")


def _picture(path: Path | str) -> dict[str, Any]:
    """A PNG as a data URI with its size in pixels; ValueError where the file is no PNG."""
    data = Path(path).read_bytes()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError(f"{path}: not a PNG file")
    width, height = struct.unpack(">II", data[16:24])
    return {"uri": f"data:image/png;base64,{base64.b64encode(data).decode()}", "width": width, "height": height}


def _exhibit(exhibit: Exhibit, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    png, table, settings = exhibit.get("figure_png"), exhibit.get("table_html"), exhibit.get("settings")
    return {
        "id": exhibit["id"],
        "anchor": anchor(exhibit["id"]),
        "kind": exhibit["kind"],
        "title": exhibit["title"],
        "command": exhibit["target_command"],
        "caption": exhibit.get("caption", ""),
        "same_as": list(exhibit.get("same_as", ())),
        "picture": _picture(png) if png else None,
        "alt": exhibit.get("figure_alt") or f"{exhibit['id']}: {exhibit['title']}",
        "table": Markup(table) if table else "",
        "files": list(exhibit.get("files", ())),
        "settings": json.dumps(settings, indent=2, sort_keys=True, default=str, ensure_ascii=False) if settings else "",
        "stand_ins": sorted(exhibit.get("stand_ins", {}).items()),
        "notes": list(exhibit.get("notes", ())),
        "claims": sum(counts.get(exhibit["id"], {}).values()),
    }


def _shown(value: Any, unit: str) -> str:
    measured = number(value)
    if measured is None:
        return ""
    return f"{measured:.2f}" if unit in ("percent", "percentage_points") else f"{measured:.6g}"


def _claim_key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[column]) for column in CLAIM_COLUMNS)


def _ledger(
    rows: Iterable[Mapping[str, Any]], published: Sequence[Mapping[Any, Any]], anchors: Mapping[str, str]
) -> list[dict]:
    lines = []
    for row in rows:
        exhibit = f"{row['paper']}/{row['exhibit']}"
        low, high = _shown(row["ci_low"], row["unit"]), _shown(row["ci_high"], row["unit"])
        basis = [f"{row['split']} split"] if row["split"] and _shown(row["measured"], "") else []
        basis += [f"{row[part]} {part.removeprefix('n_')}" for part in ("n_images", "seeds") if row[part]]
        lines.append(
            {
                "exhibit": exhibit,
                "anchor": anchors.get(exhibit, ""),
                "network": " · ".join(name(row[part]) for part in ("arch", "training") if row[part]),
                "dataset": name(row["dataset"]),
                "quantity": _what(row),
                "printed": row["value"] + UNITS.get(row["unit"], f" {row['unit']}"),
                "measured": _shown(row["measured"], row["unit"]),
                "interval": f"{low}, {high}" if low and high else "",
                "test": _shown(row["measured_test"], row["unit"]),
                "basis": ", ".join(basis),
                "published": [_published(row, run) for run in published],
                "verdict": str(row["verdict"]),
                "slug": _slug(str(row["verdict"])),
                "plausible": row["plausible"],
                "reason": row["reason"],
            }
        )
    return lines


def _what(row: Mapping[str, Any]) -> str:
    if row["metric"] == "adversarial_accuracy":
        return quantity(row)
    words = name(row["metric"])
    return f"{words}, {row['attack']}" if row["attack"] not in ("", "none") else words


def _published(row: Mapping[str, Any], run: Mapping[Any, Any]) -> str:
    other = run.get(_claim_key(row))
    return "" if other is None else f"{_shown(other['measured'], row['unit'])} {other['verdict']}".strip()


def _distinct(rows: Iterable[Mapping[str, Any]]) -> int:
    """How many measurements stand behind some claims: where one data set stands in for several, claims share one."""
    return len({(row["record"], row["split"], str(row["measured"])) for row in rows if _shown(row["measured"], "")})


def _published_run(title: str, rows: Sequence[Mapping[str, Any]], anchors: Mapping[str, str]) -> dict[str, Any]:
    """A published run for its own section: what ran it, and its rows as in the ledger."""
    told = {part: dict.fromkeys(str(row[part]) for row in rows if row[part]) for part in RUN_COLUMNS}
    about = [f"{part}: {', '.join(values)}" for part, values in told.items() if values]
    lines = _ledger(rows, (), anchors)
    for line, row in zip(lines, rows, strict=True):
        line["basis"] += f", {row['epochs']} epochs" if row["epochs"] else ""
        if row["note"].startswith("vs: "):
            line["quantity"] += f", minus {name(row['note'].removeprefix('vs: '))}"
    return {"name": title, "anchor": anchor(f"published-{title}"), "about": "; ".join(about), "lines": lines}


def _counts(rows: Iterable[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """Verdicts by exhibit id, in the order of the ledger."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(f"{row['paper']}/{row['exhibit']}", Counter())[str(row["verdict"])] += 1
    return counts


def _provenance(provenance: Mapping[str, Any]) -> tuple[list[tuple[str, str]], list[tuple[str, list[tuple[str, str]]]]]:
    """Scalars, and dictionaries as named tables."""

    def shown(value: Any) -> str:
        return f"{value:.1f}" if isinstance(value, float) else str(value)

    scalars = [(name(key), shown(value)) for key, value in provenance.items() if not isinstance(value, Mapping)]
    tables = [
        (name(key), [(str(inner), shown(entry)) for inner, entry in value.items()])
        for key, value in provenance.items()
        if isinstance(value, Mapping)
    ]
    return scalars, tables


def _toys(rows: Iterable[Mapping[str, Any]], anchors: Mapping[str, str]) -> list[tuple[str, list[dict[str, str]]]]:
    """The toy summary as text, by exhibit."""
    groups = []
    for exhibit, group in groupby(rows, key=lambda row: str(row["exhibit"])):
        shown = [
            {key: f"{value:.3f}" if isinstance(value, float) else str(value) for key, value in row.items()}
            | {"training": name(str(row["training"])), "anchor": anchors.get(exhibit, "")}
            for row in group
        ]
        groups.append((exhibit, shown))
    return groups


def build(context: Context) -> str:
    """The report as HTML.

    Raises KeyError where a required part of the context is missing, ValueError where two exhibits have
    one id or a picture is no PNG, OSError where a picture cannot be read.
    """
    ledger = list(context["ledger"])
    counts = _counts(ledger)
    papers: list[dict[str, Any]] = [
        {"id": paper["id"], "title": paper["title"], "exhibits": [_exhibit(one, counts) for one in paper["exhibits"]]}
        for paper in context["papers"]
    ]
    ids = Counter(exhibit["anchor"] for paper in papers for exhibit in paper["exhibits"])
    twice = [one for one, count in ids.items() if count > 1]
    if twice:
        raise ValueError(f"two exhibits share an id: {', '.join(twice)}")
    # An exhibit's other names lead to its section.
    anchors = {
        name: exhibit["anchor"]
        for paper in papers
        for exhibit in paper["exhibits"]
        for name in (exhibit["id"], *(f"{paper['id']}/{other}" for other in exhibit["same_as"]))
    }
    published = list(context.get("published", ()))
    # Beside the ledger stand only runs that answer a printed number.
    printed = [[row for row in run["rows"] if row["value"]] for run in published]
    by_claim = [{_claim_key(row): row for row in rows} for rows in printed if rows]
    total = sum(counts.values(), Counter())
    scalars, tables = _provenance(context.get("provenance", {}))
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        edition=context["edition"],
        banner=context["banner"],
        papers=papers,
        verdicts=[
            {
                "name": str(one),
                "slug": _slug(str(one)),
                "count": total[str(one)],
                "distinct": _distinct(row for row in ledger if row["verdict"] == str(one)),
                "meaning": MEANINGS[one],
            }
            for one in Verdict
        ],
        counts=[
            {
                "exhibit": exhibit,
                "anchor": anchors.get(exhibit, ""),
                "total": sum(found.values()),
                "parts": [
                    {"name": str(one), "slug": _slug(str(one)), "count": found[str(one)]}
                    for one in Verdict
                    if total[str(one)]
                ],
            }
            for exhibit, found in counts.items()
        ],
        distinct=_distinct(ledger),
        implausible=sum(row["plausible"] != "yes" for row in ledger),
        ledger=_ledger(ledger, by_claim, anchors),
        published=[run["name"] for run in published if any(row["value"] for row in run["rows"])],
        published_runs=[_published_run(run["name"], run["rows"], anchors) for run in published],
        toy_summary=_toys(context.get("toy_summary", ()), anchors),
        theory=[dict(row) | {"anchor": anchors.get(str(row["statement"]), "")} for row in context.get("theory", ())],
        scalars=scalars,
        tables=tables,
    )
