"""What an edition has measured, as the matching of claims asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lossproof.claims.match import CLEAN_SPLIT, agree
from lossproof.claims.verdict import FLOOR_TIMES_CHANCE, Comparison
from lossproof.tidy import Row, estimate, number

DEFAULT_CLASSES = 10


@dataclass(frozen=True)
class Setting:
    """The printed claims and the tidy tables of an edition.

    ``tidy`` and ``missing`` go by exhibit id ('sp/table_2'), ``data_for`` from a paper's data set to
    what ran in its place, ``cards`` and ``sources`` (where it came from: a folder of images may bear the
    name of a published set) by the data that ran. A card has ``classes``, a list, and ``sizes`` by split.
    ``attacked_split`` and ``controls`` are facts of the paper (``exhibits/<paper>.yaml``).
    """

    claims: Sequence[Row]
    tidy: Mapping[str, Sequence[Row]]
    full_protocol: bool
    edition: str
    data_for: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    cards: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    attacked_split: str = "test"
    controls: Sequence[str] = ()

    def split(self, claim: Row) -> str:
        """The split on which a claim is compared."""
        return CLEAN_SPLIT.get(claim["metric"], self.attacked_split)

    def exhibits(self, claim: Row) -> list[str]:
        """The ids of the exhibits that a claim in running text refers to."""
        return [f"{claim['paper']}/{name}" for name in claim["refers_to"].split(";")]

    def rows(self, exhibit: str) -> Sequence[Row]:
        """The tidy rows of an exhibit, none where it did not run."""
        return self.tidy.get(exhibit, ())

    def real(self, dataset: str) -> bool:
        """Whether the paper's own data set ran, not a stand-in."""
        return self.data_for.get(dataset) == dataset and self.sources.get(dataset, dataset) == dataset

    def card(self, dataset: str) -> Mapping[str, Any]:
        """The card of what ran for a paper's data set, {} where none is known."""
        return self.cards.get(self.data_for.get(dataset, ""), {})

    def same_protocol(self, dataset: str) -> bool:
        """Whether values, not only directions, may be compared."""
        return self.full_protocol and self.real(dataset)

    def failed(self, exhibit: str, dataset: str, arch: str, *trainings: str) -> str:
        """A sentence where a network of these trainings stays below the floor of test accuracy, else ''."""
        floor = FLOOR_TIMES_CHANCE * 100 / len(self.card(dataset).get("classes") or range(DEFAULT_CLASSES))
        for row in self.rows(exhibit):
            accuracy = estimate(row) if row["metric"] == "test_accuracy" and not row["seed"] else None
            same = row["dataset"] == dataset and row["arch"] == (arch or row["arch"]) and row["training"] in trainings
            if accuracy is not None and same and accuracy.value < floor:
                return (
                    f"{row['training']} on {row['arch']} reaches {accuracy.value:.2f} percent test accuracy, "
                    f"below the floor of {floor:g} (twice guessing)."
                )
        return ""

    def not_run(self, exhibit: str, run: str = "") -> str:
        """Why an exhibit, or one run of it, has no measurement."""
        known = self.missing.get(exhibit, "")
        if self.rows(exhibit) and run:
            return f"No measurement of {run} in the {self.edition} edition.{' ' + known if known else ''}"
        if known:
            return f"{exhibit} did not run: {known}"
        paper, _, _ = exhibit.rpartition("/")
        mine = [rows for name, rows in self.tidy.items() if name.startswith(f"{paper}/")]
        trained = {row.get("training", "") for rows in mine for row in rows}
        needed = dict.fromkeys(row["training"] for row in self.claims if exhibit_of(row) == exhibit)
        absent = [training for training in needed if training and training not in trained]
        what = f"; trainings that no exhibit of this edition runs: {', '.join(absent)}" if absent else ""
        return f"{exhibit} did not run in the {self.edition} edition{what}."


@dataclass(frozen=True)
class Finding:
    """A claim's comparison and what the ledger says of its measurement."""

    comparison: Comparison
    split: str = ""
    n_images: str = ""
    seeds: str = ""
    record: str = ""
    measured_test: float | None = None


def exhibit_of(claim: Row) -> str:
    """The id of the exhibit that reports a number: 'sp/table_2'."""
    return f"{claim['paper']}/{claim['exhibit']}"


def describe(claim: Row) -> str:
    """A claim's run in words."""
    network = " / ".join(filter(None, (claim["dataset"], claim["arch"], claim["training"])))
    if claim["attack"] in ("", "none"):
        return f"{network}, {claim['metric'].replace('_', ' ')}"
    budget = f"eps {claim['epsilon_printed']}" if claim["epsilon_printed"] else "eps not stated"
    steps = f", {claim['steps']} steps" if claim["steps"] else ""
    aim = f", {claim['targeted'].replace('_', ' ')}" if claim["targeted"] not in ("", "untargeted") else ""
    return f"{network} under {claim['attack']} ({budget}{steps}{aim})"


def narrows(claim: Row, cell: Row) -> bool:
    """Whether a printed table cell is among those that a claim in running text speaks of."""
    return (
        cell["dataset"] == claim["dataset"]
        and cell["training"] == claim["training"]
        and cell["metric"] == "adversarial_accuracy"
        and (not claim["arch"] or cell["arch"] in claim["arch"].split(";"))
        and (not claim["attack"] or cell["attack"] in claim["attack"].split(";"))
        and agree(claim["epsilon"], cell["epsilon"])
        and agree(claim["steps"], cell["steps"])
        and cell["targeted"] == (claim["targeted"] or cell["targeted"])
    )


def joined(values: Sequence[str]) -> str:
    """Distinct non-empty values in order, joined as in the claims file."""
    return ";".join(dict.fromkeys(value for value in values if value))


def smallest(values: Sequence[str]) -> str:
    """The smallest of some counts, as text; '' where none is a number."""
    numbers = [(number(value), value) for value in values]
    return min(((value, text) for value, text in numbers if value is not None), default=(0.0, ""))[1]
