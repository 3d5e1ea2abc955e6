"""Which of the declared exhibits an edition has the data for, and why the others are left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lossproof.catalogue import catalogue
from lossproof.datasets import by_hand
from lossproof.paths import Paths
from lossproof.planning.declare import Exhibit
from lossproof.planning.named import named_datasets, without


@dataclass
class Available:
    """The declared exhibits under an edition's checked configuration."""

    config: dict[str, Any]
    exhibits: list[Exhibit]

    @cached_property
    def paths(self) -> Paths:
        return Paths(self.config["edition"])

    def absent(self, declaration: dict[str, Any]) -> dict[str, str]:
        """The data sets of a declaration that this edition does not have, each with the reason."""
        return {name: why for name in sorted(named_datasets(declaration)) if (why := self.why_absent(name))}

    def why_absent(self, dataset: str) -> str:
        """Why a paper's data set is not there: nothing stands for it, or its licensed files are not placed; or ''.

        A set that is prepared is there, wherever its raw files went since.
        """
        stand_in = self.config["stand_ins"].get(dataset)
        if stand_in is None:
            return f"no data in this edition for: {dataset}"
        source = self.config["datasets"][stand_in]["source"]
        about = catalogue("datasets")[source].about.get("by_hand")
        if Path(self.paths.dataset(stand_in)[-1]).is_file():
            return ""
        return by_hand.absent(source, about, Path(self.config["data"]["cache"])) if about else ""

    @cached_property
    def missing(self) -> dict[str, str]:
        """Per exhibit that cannot be made in this edition: why."""
        found: dict[str, str] = {}
        for exhibit in self.exhibits:
            absent = self.absent(exhibit.declaration)
            if absent and without(exhibit.declaration, absent) is None:
                found[exhibit.id] = "; ".join(absent.values())
        return found

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Other ids of exhibits, each with the id of the exhibit that it is the same as."""
        return {f"{exhibit.paper}/{name}": exhibit.id for exhibit in self.exhibits for name in exhibit.same_as}

    @cached_property
    def in_part(self) -> dict[str, str]:
        """Per exhibit that is made without some of its data sets: which, and why."""
        return {
            exhibit.id: f"left out, {'; '.join(absent.values())}"
            for exhibit in self.exhibits
            if exhibit.id not in self.missing and (absent := self.absent(exhibit.declaration))
        }

    @cached_property
    def present(self) -> list[Exhibit]:
        """The exhibits for which there is data, each declared with the data sets that are there."""
        return [
            replace(exhibit, declaration=here)
            for exhibit in self.exhibits
            if exhibit.id not in self.missing
            and (here := without(exhibit.declaration, self.absent(exhibit.declaration))) is not None
        ]
