"""The report: one HTML file that needs nothing else, equal for equal inputs.

Each section has a module that prepares what it shows and a template in ``templates`` that shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lossproof.display_names import name
from lossproof.report.assumptions import link_assumptions
from lossproof.report.context import Context
from lossproof.report.exhibits import exhibit_view
from lossproof.report.jury import jury_view
from lossproof.report.ledger import claim_key, ledger_lines, published_view
from lossproof.report.overview import distinct, measured, status, verdict_counts, verdict_list
from lossproof.report.provenance import provenance_view
from lossproof.report.summary_text import blocks

HERE = Path(__file__).parent
TEMPLATE = "page.html.j2"
ASSETS = {
    "style": HERE / "templates/page.css",
    "library": HERE / "vendor/dataTables.min.js",
    "script": HERE / "templates/page.js",
}


def build(context: Context) -> str:
    """The report as HTML.

    Raises KeyError where a required part of the context is missing, ValueError where two exhibits have
    one id or a picture is no PNG, OSError where a picture cannot be read.
    """
    ledger = list(context["ledger"])
    counts = verdict_counts(ledger)
    jury = context.get("jury", {})
    summaries = jury.get("summaries", {})
    papers: list[dict[str, Any]] = [
        {
            "id": paper["id"],
            "title": paper["title"],
            "summary": blocks(summaries[paper["id"]]) if paper["id"] in summaries else [],
            "exhibits": [exhibit_view(one, counts) for one in paper["exhibits"]],
        }
        for paper in context["papers"]
    ]
    anchors = _anchors(papers)
    scalars, tables = provenance_view(context.get("provenance", {}))
    published = list(context.get("published", ()))
    assumptions = list(context.get("assumptions", ()))
    page = (
        _environment()
        .get_template(TEMPLATE)
        .render(
            **{asset: Markup(path.read_text(encoding="utf-8")) for asset, path in ASSETS.items()},
            edition=context["edition"],
            banner=context["banner"],
            papers=papers,
            anchors=anchors,
            verdicts=verdict_list(ledger),
            status=status(ledger, anchors | {paper["id"]: f"paper-{paper['id']}" for paper in papers}),
            measured=len(measured(ledger)),
            distinct=distinct(ledger),
            implausible=sum(row["plausible"] != "yes" for row in ledger),
            ledger=ledger_lines(ledger, anchors, context["edition"], _printed(published)),
            published_runs=[published_view(run["name"], run["rows"], anchors) for run in published],
            judges="jury" in context,
            jury=jury_view(jury),
            toy_summary=_toys(context.get("toy_summary", ()), anchors),
            theory=[
                dict(row) | {"anchor": anchors.get(str(row["statement"]), "")} for row in context.get("theory", ())
            ],
            assumptions=assumptions,
            scalars=scalars,
            tables=tables,
        )
    )
    return link_assumptions(page, {one.id for one in assumptions})


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _anchors(papers: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The sections of exhibits by id; an exhibit's other names lead to it too."""
    ids = Counter(exhibit["anchor"] for paper in papers for exhibit in paper["exhibits"])
    twice = [one for one, count in ids.items() if count > 1]
    if twice:
        raise ValueError(f"two exhibits share an id: {', '.join(twice)}")
    return {
        known: exhibit["anchor"]
        for paper in papers
        for exhibit in paper["exhibits"]
        for known in (exhibit["id"], *(f"{paper['id']}/{other}" for other in exhibit["same_as"]))
    }


def _printed(published: Iterable[Mapping[str, Any]]) -> list[tuple[str, dict[tuple[str, ...], Mapping[str, Any]]]]:
    """The published runs that answer printed numbers: only these stand beside the ledger."""
    answers = [(run["name"], {claim_key(row): row for row in run["rows"] if row["value"]}) for run in published]
    return [(run, by_claim) for run, by_claim in answers if by_claim]


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
