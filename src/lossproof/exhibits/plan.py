"""The resolver: exhibits and edition in, the set of runs, attacks, toys and checks out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lossproof.catalogue import catalogue, load
from lossproof.datasets import by_hand
from lossproof.exhibits.declare import Exhibit
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.paths import FIGURE_FORMATS, TABLE_FORMATS, Paths, Run


@dataclass
class Plan:
    """What an edition makes. ``config`` is the checked configuration."""

    config: dict[str, Any]
    exhibits: list[Exhibit]

    @cached_property
    def paths(self) -> Paths:
        return Paths(self.config["edition"])

    @property
    def seeds(self) -> range:
        return range(self.config["seeds"])

    @cached_property
    def splits(self) -> dict[str, list[str]]:
        """Per attack, the splits that it is run on."""
        return {name: attack["splits"] for name, attack in self.config["attacks"].items()}

    @cached_property
    def missing(self) -> dict[str, str]:
        """Per exhibit that cannot be made in this edition: why."""
        found: dict[str, str] = {}
        for exhibit in self.exhibits:
            waits = [name for name in exhibit.awaits if name not in self.config["trainings"]]
            named = named_datasets(exhibit.declaration)
            absent = sorted(name for name in named if self.config["stand_ins"].get(name) is None)
            if waits:
                found[exhibit.id] = f"no criterion yet for: {', '.join(waits)}"
            elif absent:
                found[exhibit.id] = f"no data in this edition for: {', '.join(absent)}"
            elif not_placed := [why for name in sorted(named) if (why := self.not_placed(name))]:
                found[exhibit.id] = "; ".join(not_placed)
        return found

    def not_placed(self, dataset: str) -> str:
        """Why the files behind an exhibit's data set are not there, where a licence keeps us from fetching them."""
        stand_in = self.config["stand_ins"][dataset]
        source = self.config["datasets"][stand_in]["source"]
        about = catalogue("datasets")[source].about.get("by_hand")
        return by_hand.absent(source, about, Path(self.config["data"]["cache"])) if about else ""

    @cached_property
    def made(self) -> list[Exhibit]:
        """The exhibits that this edition makes."""
        return [exhibit for exhibit in self.exhibits if exhibit.id not in self.missing]

    @cached_property
    def needs(self) -> dict[str, Needs]:
        """Per exhibit, what must be there before it."""
        return {
            exhibit.id: load("exhibits", exhibit.kind).needs(exhibit.declaration, self.config["stand_ins"])
            for exhibit in self.made
        }

    @cached_property
    def runs(self) -> list[Run]:
        """Every training run of the edition, each once however many exhibits ask for it."""
        return sorted({run for needs in self.needs.values() for run in needs.runs})

    @cached_property
    def attacks(self) -> list[tuple[Run, str]]:
        """Every (run, attack) of the edition, each once."""
        return sorted({pair for needs in self.needs.values() for pair in needs.attacks})

    def exhibit(self, paper: str, name: str) -> Exhibit:
        """The exhibit by paper and name."""
        return next(item for item in self.made if (item.paper, item.name) == (paper, name))

    def caption(self, exhibit: Exhibit) -> str:
        """The exhibit's caption; where stand-ins make it share runs with others, that is said."""
        stand_ins = self.config["stand_ins"]
        meant = sorted(name for name in named_datasets(exhibit.declaration) if stand_ins[name] != name)
        if not meant:
            return exhibit.caption
        runs = set(self.needs[exhibit.id].runs)
        shared = [one.id for one in self.made if one.id != exhibit.id and runs & set(self.needs[one.id].runs)]
        said = [f"In this edition {stand_ins[name]} stands in for {name}." for name in meant]
        if shared:
            said.append(f"Networks are shared with {', '.join(shared)}.")
        return " ".join([exhibit.caption, *said])

    def inputs(self, exhibit: Exhibit) -> list[str]:
        """The files that the exhibit's tidy table is made from."""
        return self.needs[exhibit.id].files(self.paths, exhibit.paper, self.seeds, self.splits)

    def tidy(self, exhibit: Exhibit) -> list[str]:
        """The exhibit's tidy table, and its grids where it has some."""
        suffixes = ("csv", "npz") if exhibit.grids else ("csv",)
        return [self.paths.tidy(exhibit.paper, exhibit.name, suffix) for suffix in suffixes]

    def outputs(self, exhibit: Exhibit) -> list[str]:
        """The files that a reader looks at."""
        found: list[str] = []
        if "figure" in exhibit.outputs:
            found += [self.paths.figure(exhibit.paper, exhibit.name, suffix) for suffix in FIGURE_FORMATS]
        if "table" in exhibit.outputs:
            found += [self.paths.table(exhibit.paper, exhibit.name, suffix) for suffix in TABLE_FORMATS]
        return found


def named_datasets(declaration: Any) -> set[str]:
    """Data sets that a declaration names, at any depth."""
    if isinstance(declaration, dict):
        found = set()
        for key, value in declaration.items():
            if key == "dataset":
                found.add(value)
            elif key == "datasets":
                found.update(value)
            else:
                found |= named_datasets(value)
        return found
    if isinstance(declaration, list):
        return set().union(*(named_datasets(item) for item in declaration))
    return set()
