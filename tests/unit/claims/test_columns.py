"""The columns of claims.csv: typed, and refused by row and column where a value is outside its vocabulary."""

from __future__ import annotations

import re

import pytest
from tidy_rows import PRINTED, REFERENCE

from editions import EXHIBITS, load
from lossproof.catalogue import catalogue
from lossproof.claims.columns import CLAIM_COLUMNS, read_claims
from lossproof.planning.declare import paper_facts
from lossproof.records import read_csv, write_csv
from lossproof.settings.faults import SettingsError

PLACE = next(at for at, row in enumerate(PRINTED) if row["attack"] == "transfer_pgd")


def test_every_claim_is_within_its_vocabulary():
    config = load()
    facts = paper_facts(EXHIBITS, config["papers"])
    named = {name for one in facts.values() for name in one["reported_as"].values()}
    trainings = {"", "all", *config["trainings"], *named, *config["stand_ins"]}
    allowed = {"dataset": {"", *config["stand_ins"]}, "arch": {"", *catalogue("models")}}
    allowed |= {"training": trainings, "against": trainings}
    for at, row in enumerate(read_claims(REFERENCE / "claims.csv"), 2):
        for column, known in allowed.items():
            assert set(row[column].split(";")) <= known, f"row {at}, {column}: {row[column]}"
        reported = {one["exhibit"] for one in PRINTED if one["paper"] == row["paper"]}
        figures = {exhibit.split("/")[1] for exhibit in EXHIBITED if exhibit.startswith(f"{row['paper']}/")}
        assert set(row["refers_to"].split(";")) - {""} <= reported | figures, f"row {at}, refers_to"


EXHIBITED = {f"{row['paper']}/{row['exhibit']}" for row in read_csv(REFERENCE / "exhibits.csv")}


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("metric", "accuracy", "found 'accuracy'; allowed: adversarial_accuracy"),
        ("method", "pgb", "found 'pgb'; expected cw, "),
        ("method", "", "found ''; expected cw, "),
        ("attack", "none", "found 'transfer'; expected nothing without an attack"),
        ("epsilon", "8/255", "found '8/255'; expected a number"),
        ("steps", "many", "found 'many'; expected a whole number"),
        ("momentum", "on", "found 'on'; expected a number"),
        ("norm", "l1", "found 'l1'; allowed: , l2, linf"),
        ("targeted", "yes", "found 'yes'; allowed: "),
        ("value", "12,5", "found '12,5'; expected a number"),
        ("unit", "points", "found 'points'; allowed: "),
        ("against", "", "found nothing; needed for adversarial_accuracy"),
        ("training", "", "found nothing; needed for adversarial_accuracy"),
        ("against", "best competitor", "found 'best competitor'; expected a training's id"),
        ("refers_to", "Table 1", "found 'Table 1'; expected ids"),
        ("wording", "roughly", "found 'roughly'; allowed: "),
        ("level", "first", "found 'first'; expected 1 for the smallest level"),
        ("part", "validation", "found 'validation'; allowed: , all, files, train, valid"),
        ("rounding", "14k", "found '14k'; expected a number"),
        ("implausible", "R1, R2", "found 'R1, R2'; expected rules"),
        ("lost", "gone", "found 'gone'; expected a sentence"),
    ],
)
def test_a_value_outside_its_vocabulary_is_refused(tmp_path, column, value, expected):
    rows = [dict(row) for row in PRINTED[PLACE : PLACE + 2]]
    rows[1] |= {column: value}
    write_csv(tmp_path / "claims.csv", rows, CLAIM_COLUMNS)
    named = "method" if column == "attack" else column
    with pytest.raises(SettingsError, match=re.escape(f"claims.csv: row 3.{named}: {expected}")):
        read_claims(tmp_path / "claims.csv")


def test_other_columns_are_refused(tmp_path):
    write_csv(tmp_path / "claims.csv", [{"paper": "sp"}], ["paper"])
    with pytest.raises(SettingsError, match=r"claims\.csv: row 1: found paper; paper,exhibit,"):
        read_claims(tmp_path / "claims.csv")


def test_rules_that_a_claim_breaks_are_explained_for_its_exhibit():
    """`implausible` names rules alone; suspicious.csv says why."""
    remarks: dict[tuple[str, str], set[str]] = {}
    for remark in read_csv(REFERENCE / "suspicious.csv"):
        rules = {part.split()[0].rstrip(":,") for part in remark["why"].split(" | ")}
        remarks.setdefault((remark["paper"], remark["exhibit"]), set()).update(rules)
    marked = [row for row in PRINTED if row["implausible"]]
    assert len(marked) > 300
    for row in marked:
        known = remarks[row["paper"], row["exhibit"]]
        assert set(row["implausible"].split(";")) <= known, f"{row['paper']}/{row['exhibit']} {row['value']}"
