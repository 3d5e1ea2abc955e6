"""The report of an edition: every exhibit, the ledger, and how it all came about, in one HTML file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from lossproof.assumptions import read_assumptions
from lossproof.drawing.typeset import to_html
from lossproof.exhibits.statement.table import overview
from lossproof.exhibits.typeset import exhibit_table
from lossproof.paths import Paths
from lossproof.plan_file import step_parser
from lossproof.records import read_csv, read_json, write_text
from lossproof.report.build import build
from lossproof.report.context import EMBEDDED_BANNER, Card, Context, Exhibit, Jury, Published
from lossproof.report.judged import judged
from lossproof.report.summary import summarise
from lossproof.report.toy_summary import toy_summary

STAGES = ("datasets", "models", "attacks", "landscapes", "embeddings", "jury", "toys", "theory")


def one_exhibit(told: dict[str, Any], entry: dict[str, Any], paper: str, claims: list[dict[str, str]]) -> Exhibit:
    """An exhibit's part of the report."""
    options = "".join(f" --configfile {path}" for path in told["configfiles"])
    exhibit = Exhibit(
        id=f"{paper}/{entry['name']}",
        kind=entry["kind"],
        title=entry["title"],
        caption=entry["caption"],
        same_as=entry["same_as"],
        # The target stands before --configfile, which would swallow it.
        target_command=f"snakemake {entry['target']} --cores 2{options}",
        settings=entry["settings"],
        stand_ins={meant: used for meant, used in entry["stand_ins"].items() if meant != used},
        files=[{"label": path, "href": f"../../{path}"} for path in (*entry["outputs"], *entry["tidy"])],
    )
    pictures = [path for path in entry["outputs"] if path.endswith(".png")]
    exhibit["figure_png"] = pictures[0] if pictures else None
    if any("/tables/" in path for path in entry["outputs"]):
        words = (paper, entry["name"], entry["kind"], entry["title"])
        table = exhibit_table(*words, read_csv(entry["tidy"][0]), claims, entry["same_as"], entry["reported_as"])
        exhibit["table_html"] = to_html(table, entry["title"])
    return exhibit


def jury(told: dict[str, Any], ledger: list[dict[str, str]]) -> Jury:
    """A page per paper, and where a jury sat its verdicts and cards.

    ``told["jury"]``: ``runs`` by paper; ``verdicts``, ``diagnostics``: tidy tables; ``cards``: pictures by run. Of the
    last three an edition without a jury has none.
    """
    given = told["jury"]
    verdicts, diagnostics = (read_csv(given[key]) if given.get(key) else [] for key in ("verdicts", "diagnostics"))
    found = {entry["run"]: entry for entry in judged(verdicts)}
    cards = []
    for run, path in given.get("cards", {}).items():
        dataset, arch, training = run.split("/")
        entry = found.get(run, {"flags": [], "verdict": ""})
        cards.append(
            Card(
                run=run,
                dataset=dataset,
                arch=arch,
                training=training,
                flags=entry["flags"],
                verdict=entry["verdict"],
                png=path,
                href=f"../../{path}",
            )
        )
    summaries = {
        paper: summarise(
            paper, ledger, verdicts, diagnostics, runs=runs, title=told["titles"][paper], edition=told["edition"]
        )
        for paper, runs in given["runs"].items()
    }
    return Jury(verdicts=verdicts, cards=cards, summaries=summaries)


def provenance(results: Path) -> dict[str, Any]:
    """Versions, commit and seconds by stage, from the provenance files that lie there now."""
    seconds: dict[str, Counter[str]] = {"wall seconds by stage": Counter(), "CPU seconds by stage": Counter()}
    latest: dict[str, Any] = {}
    packages: dict[str, str] = {}
    commits: Counter[str] = Counter()
    for stage in STAGES:
        for path in sorted((results / stage).rglob("*provenance.json")):
            latest = read_json(path)
            packages |= latest["packages"]
            git = latest.get("git") or {}
            state = " with uncommitted changes" if git.get("dirty") else ""
            commits[f"{git['commit'][:12]}{state}" if git.get("commit") else "not in a git checkout"] += 1
            # Toys of one bundle were trained by one job, and each folder tells of the whole job.
            share = len(latest.get("shared_by", [1]))
            seconds["wall seconds by stage"][stage] += latest["wall_seconds"] / share
            seconds["CPU seconds by stage"][stage] += latest["cpu_seconds"] / share
    shown: dict[str, Any] = {key: latest[key] for key in ("python", "system", "device") if key in latest}
    return (
        shown
        | {"steps by commit": dict(commits), "packages": packages}
        | {name: dict(by_stage) for name, by_stage in seconds.items()}
    )


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--claims", required=True, type=Path, help="the edition's ledger")
    parser.add_argument("--printed", required=True, type=Path, help="reference/claims.csv")
    parser.add_argument("--assumptions", required=True, type=Path, help="reference/assumptions.csv")
    parser.add_argument("--out", required=True, type=Path)
    arguments = parser.parse_args()
    told = arguments.plan.get("report")
    # JSON came with sorted keys; the papers have an order of their own.
    told["papers"] = {paper: told["papers"][paper] for paper in told["order"] if paper in told["papers"]}
    paths = Paths(told["edition"])
    claims = read_csv(arguments.printed)

    def of_kind(kind: str) -> dict[str, list[dict[str, str]]]:
        return {
            f"{paper}/{entry['name']}": read_csv(entry["tidy"][0])
            for paper, entries in told["papers"].items()
            for entry in entries
            if entry["kind"] == kind
        }

    titles = {f"{paper}/{entry['name']}": entry["title"] for paper in told["papers"] for entry in told["papers"][paper]}
    reduced = told["protocol"] == "reduced"
    banner = EMBEDDED_BANNER if told["edition"] == "embedded" else ""
    ledger = read_csv(arguments.claims)
    context = Context(
        edition=told["edition"],
        banner=banner or ("Reduced protocol: a verdict here speaks of direction only." if reduced else ""),
        papers=[
            {
                "id": paper,
                "title": told["titles"][paper],
                "exhibits": [one_exhibit(told, entry, paper, claims) for entry in entries],
            }
            for paper, entries in told["papers"].items()
        ],
        ledger=ledger,
        toy_summary=toy_summary(
            of_kind("boundaries"), ("distance_0", "distance_1", "centredness", "middle_offset", "accuracy")
        ),
        theory=overview(of_kind("statement"), titles),
        provenance=provenance(Path(paths.results)),
        published=[Published(name=Path(path).stem, rows=read_csv(path)) for path in told["published"]],
        assumptions=read_assumptions(arguments.assumptions),
    )
    if told.get("jury"):
        context["jury"] = jury(told, ledger)
    write_text(arguments.out, build(context))


if __name__ == "__main__":
    main()
