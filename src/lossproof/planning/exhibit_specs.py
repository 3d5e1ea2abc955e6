"""What the steps after the measurements are given: tidy tables, figures, cards, the ledger, summaries, the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lossproof.catalogue import catalogue
from lossproof.paths import Run
from lossproof.planning.caption import caption
from lossproof.planning.declare import Exhibit, paper_facts, paper_titles
from lossproof.planning.named import named_archs, named_datasets
from lossproof.planning.plan import Plan, judges
from lossproof.settings.resolved import recipe_settings, run_settings, toy_settings


def reporting_papers(plan: Plan) -> list[str]:
    """The papers that report numbers of their own: those with exhibits beside the audit's."""
    auditing = {paper: [judges(one) for one in plan.exhibits if one.paper == paper] for paper in plan.config["papers"]}
    return [paper for paper, found in auditing.items() if not found or not all(found)]


def made_for(plan: Plan, paper: str) -> list[Exhibit]:
    """The exhibits of a paper that this edition makes."""
    return [exhibit for exhibit in plan.made if exhibit.paper == paper]


def runs_of(plan: Plan, paper: str) -> list[str]:
    """The networks of a paper's exhibits, by name."""
    return sorted({str(run) for exhibit in made_for(plan, paper) for run in plan.needs[exhibit.id].runs})


def checks(plan: Plan, paper: str, kind: str) -> list[str]:
    """The checks behind the paper's statements, or (``kind`` "curve") the others that its exhibits need."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for exhibit in made_for(plan, paper):
        states = bool(catalogue("exhibits")[exhibit.kind].about.get("states", False))
        found[states].update(plan.needs[exhibit.id].theory)
    return sorted(found[True] if kind == "statement" else found[False] - found[True])


def curves(plan: Plan, paper: str) -> dict[str, Any]:
    """The criteria, by training, whose curves the paper's exhibits show."""
    shown = {name for exhibit in made_for(plan, paper) for name in exhibit.declaration.get("curves", ())}
    return {name: recipe_settings(plan.config, name)["criterion"] for name in sorted(shown)}


def collect(plan: Plan, exhibit: Exhibit) -> dict[str, Any]:
    """An exhibit's declaration with the settings of the edition that reach its tidy table."""
    return {
        "paper": exhibit.paper,
        "exhibit": exhibit.name,
        "kind": exhibit.kind,
        "declaration": exhibit.declaration,
        "edition": plan.config["edition"],
        "seeds": plan.config["seeds"],
        "stand_ins": plan.config["stand_ins"],
        "splits": {attack: plan.splits[attack] for _, attack in plan.needs[exhibit.id].attacks},
        "diagnosed": plan.config["jury"]["seeds"],
    }


def draw(plan: Plan, exhibit: Exhibit) -> dict[str, Any]:
    """What a figure or a typeset table is made by beside the tidy table: the declaration and its words."""
    words: dict[str, Any] = {
        "paper": exhibit.paper,
        "exhibit": exhibit.name,
        "kind": exhibit.kind,
        "edition": plan.config["edition"],
    }
    if exhibit.same_as:
        words["same_as"] = exhibit.same_as
    if exhibit.reported_as:
        words["reported_as"] = exhibit.reported_as
    used = {name: plan.config["stand_ins"].get(name, name) for name in named_archs(exhibit.declaration)}
    if networks := {name: one for name, one in used.items() if one != name}:
        words["networks"] = networks
    return words | {"title": exhibit.title, "caption": caption(plan, exhibit)} | exhibit.declaration


def cards(plan: Plan, runs: Iterable[Run]) -> dict[str, Any]:
    """The networks of one picture each, in words, with the attacks of the audit."""
    return {"runs": [plan.described(run) | {"attacks": plan.jury_attacks.get(run, [])} for run in runs]}


def audit_tables(plan: Plan) -> dict[str, str]:
    """The audit's tidy tables that summaries and cards read, by what they hold, as far as the audit is run.

    Of several exhibits of a kind, the first that is about every audited network.
    """
    found: dict[str, str] = {}
    for exhibit in plan.made:
        holds = catalogue("exhibits")[exhibit.kind].about.get("audit_table")
        if holds and not exhibit.declaration.get("panels"):
            found.setdefault(holds, plan.paths.tidy(exhibit.paper, exhibit.name))
    return found


def answering(plan: Plan) -> list[Exhibit]:
    """The exhibits whose tidy tables answer reported numbers."""
    return [exhibit for exhibit in plan.made if catalogue("exhibits")[exhibit.kind].about.get("answers")]


def also_by_alias(plan: Plan, found: Mapping[str, str]) -> dict[str, str]:
    """What is known by exhibit id, by the exhibits' other ids too."""
    return {**found, **{alias: found[one] for alias, one in plan.aliases.items() if one in found}}


def data_in_use(plan: Plan) -> list[str]:
    """The prepared data sets that the edition's runs need."""
    return sorted({run.dataset for run in plan.runs})


def claims(plan: Plan, root: Path) -> dict[str, Any]:
    """What the ledger is made by beside tidy tables: ``exhibits`` names the tidy table that answers each exhibit."""
    data = data_in_use(plan)
    return {
        "edition": plan.config["edition"],
        "papers": reporting_papers(plan),
        "facts": paper_facts(root / "exhibits", plan.config["papers"]),
        "exhibits": also_by_alias(plan, {exhibit.id: exhibit.id for exhibit in answering(plan)}),
        "data": data,
        "stand_ins": plan.config["stand_ins"],
        "sources": {name: plan.config["datasets"][name]["source"] for name in data},
        "missing": also_by_alias(plan, plan.missing | plan.in_part),
        "full_protocol": plan.config["protocol"] == "full",
    }


def summary(plan: Plan, root: Path, paper: str) -> dict[str, Any]:
    """A paper, its title and its networks."""
    return {
        "paper": paper,
        "title": paper_titles(root / "exhibits", [paper])[paper],
        "edition": plan.config["edition"],
        "runs": runs_of(plan, paper),
    }


def published(root: Path) -> list[str]:
    """Our own published measurements, shown beside this edition's."""
    found = (root / "reference/measured").glob("*.csv")
    return sorted(str(path.relative_to(root) if Path.cwd() == root else path) for path in found)


def page_files(root: Path) -> list[str]:
    """What the report's page is made of beside code: templates, style, script and the vendored library."""
    found = (root / "src/lossproof/report").rglob("*")
    return sorted(str(path.relative_to(root)) for path in found if path.suffix in (".j2", ".css", ".js"))


def in_report(plan: Plan, exhibit: Exhibit) -> dict[str, Any]:
    """An exhibit's words, files and resolved settings, as the report shows them."""
    needs, config = plan.needs[exhibit.id], plan.config
    names = sorted(named_datasets(exhibit.declaration) | named_archs(exhibit.declaration))
    return {
        "name": exhibit.name,
        "kind": exhibit.kind,
        "title": exhibit.title,
        "caption": caption(plan, exhibit),
        "same_as": exhibit.same_as,
        "reported_as": exhibit.reported_as,
        "target": exhibit.target,
        "outputs": plan.outputs(exhibit),
        "tidy": plan.tidy(exhibit),
        "stand_ins": {name: config["stand_ins"].get(name, name) for name in names},
        "settings": {
            "declared": exhibit.declaration,
            "runs": {str(run): run_settings(config, *run) for run in needs.runs},
            "attacks": {name: config["attacks"][name] for name in sorted({name for _, name in needs.attacks})},
            "toys": {f"{toy}/{name}": toy_settings(config, name, [toy]) for toy, name in needs.toys},
        },
    }


def report(plan: Plan, root: Path, overlays: Iterable[str]) -> dict[str, Any]:
    """What the report says of the edition and of every exhibit; ``overlays``: files of ``--configfile``."""
    papers: dict[str, list[dict[str, Any]]] = {}
    for exhibit in plan.made:
        papers.setdefault(exhibit.paper, []).append(in_report(plan, exhibit))
    return {
        **{key: plan.config[key] for key in ("edition", "protocol", "seeds", "attack_images")},
        "papers": papers,
        "order": plan.config["papers"],
        "titles": paper_titles(root / "exhibits", plan.config["papers"]),
        "missing": plan.missing,
        "jury": {
            "runs": {paper: runs_of(plan, paper) for paper in reporting_papers(plan)},
            "cards": {str(run): plan.paths.card(run) for run in plan.diagnosed},
            **audit_tables(plan),
        },
        "published": published(root),
        "configfiles": list(overlays),
    }
