"""A paper that the code has never heard of: a YAML file and its rows of claims.csv are all that it needs."""

from __future__ import annotations

import numpy as np
import pytest
from tidy_rows import PRINTED

from editions import load
from lossproof.claims.columns import CLAIM_COLUMNS, read_claims
from lossproof.claims.ledger import build_ledger
from lossproof.display_names import as_printed
from lossproof.exhibits.accuracy import COLUMNS, rows, said_of
from lossproof.planning.declare import load_exhibits, paper_facts
from lossproof.planning.plan import Plan
from lossproof.records import read_csv, write_csv
from lossproof.settings.faults import SettingsError

PAPER = """
title: An invented fourth paper
facts:
  attacked_split: train
  reported_as: {ce_pc: plain, gce: ours}
  controls: [nce]
exhibits:
  table_1:
    kind: accuracy_table
    title: Accuracy
    caption: Three trainings on one data set.
    datasets: [mnist]
    archs: [lenet5]
    trainings: [ce_pc, nce, gce]
    rival: ce_pc
    subject: gce
    attacks: [pgd]
  fig_1:
    kind: accuracy_table
    title: Bars without numbers
    caption: The same with a weaker attack.
    datasets: [mnist]
    archs: [lenet5]
    trainings: [ce_pc, nce, gce]
    rival: ce_pc
    subject: gce
    attacks: [bim]
"""
SHARED = {"paper": "fourth", "dataset": "mnist", "arch": "lenet5", "norm": "linf"}
CELL = {"exhibit": "table_1", "metric": "adversarial_accuracy", "attack": "pgd", "method": "pgd", "unit": "percent"}
TEXT = {"exhibit": "text_1", "metric": "difference", "attack": "bim", "method": "bim", "unit": "percentage_points"}
CLAIMS = [
    CELL | {"training": "plain", "against": "plain", "epsilon": "0.03137255", "steps": "40", "value": "3"},
    CELL | {"training": "ours", "against": "plain", "epsilon": "0.03137255", "steps": "40", "value": "60"},
    TEXT | {"training": "ours", "against": "all", "refers_to": "fig_1", "wording": "above", "value": "20"},
]
RIGHT = {"ce_pc": 10, "nce": 45, "gce": 40}  # of 50 images


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "fourth.yaml").write_text(PAPER)
    blank = dict.fromkeys(CLAIM_COLUMNS, "")
    write_csv(tmp_path / "claims.csv", [*PRINTED, *(blank | SHARED | claim for claim in CLAIMS)], CLAIM_COLUMNS)
    return tmp_path


def measured(plan, exhibit):
    """Tidy rows of an exhibit whose trainings remain correct on ``RIGHT`` images of two seeds each."""
    (attack,) = exhibit.declaration["attacks"]
    settings = plan.config["attacks"][attack]
    said = {"metric": "adversarial_accuracy", "attack": attack, "record": "r"} | said_of(settings)
    said |= {"epsilon": 8 / 255, "epsilon_printed": settings["epsilon"]}

    def outcomes(training):
        right = np.arange(50) < RIGHT[training]
        attacked = [(said | {"split": split}, np.stack([right, right])) for split in settings["splits"]]
        clean = {"split": "test", "metric": "test_accuracy", "attack": "none", "record": "r"}
        return [(clean, np.ones((2, 50), bool)), *attacked]

    for training in RIGHT:
        named = {"paper": "fourth", "exhibit": exhibit.name, "dataset": "mnist", "data": "digits_gray"}
        named |= {"arch": "lenet5", "training": training}
        yield from rows(named, outcomes(training), None, outcomes(training))
        for rival in ("ce_pc", "nce") if training == "gce" else ():
            against = rows(named, outcomes(training), rival, outcomes(rival))
            yield from (row for row in against if row["metric"] == "difference")


def ledger(folder):
    config = load()
    plan = Plan(config, load_exhibits(folder, ["fourth"], config))
    facts = paper_facts(folder, ["fourth"])["fourth"]
    tidy = {}
    for exhibit in plan.made:
        path = folder / f"{exhibit.name}.csv"
        write_csv(path, measured(plan, exhibit), COLUMNS)
        tidy[exhibit.id] = as_printed(read_csv(path), facts["reported_as"])
    claims = [claim for claim in read_claims(folder / "claims.csv") if claim["paper"] == "fourth"]
    return build_ledger(
        claims,
        tidy,
        full_protocol=False,
        edition="embedded",
        data_for=config["stand_ins"],
        attacked_split=facts["attacked_split"],
        controls=facts["controls"],
    )


def test_each_of_its_claims_has_a_verdict(folder):
    plain, ours, text = ledger(folder)
    assert (plain["verdict"], plain["measured"], plain["split"]) == ("baseline", 20.0, "train")
    assert (ours["verdict"], ours["measured"]) == ("direction holds", 80.0)
    # Its control remains correct on more images, and is none of the "all others" of the text.
    assert (text["verdict"], text["measured"]) == ("direction holds", 60.0)


def test_without_its_facts_its_text_is_judged_against_the_control_too(folder):
    (folder / "fourth.yaml").write_text(PAPER.replace("  controls: [nce]\n", ""))
    assert ledger(folder)[2]["verdict"] == "direction fails"


@pytest.mark.parametrize(
    ("fact", "other", "message"),
    [
        (
            "attacked_split: train",
            "attacked_split: valid",
            r"facts\.attacked_split: found 'valid'; allowed: test, train",
        ),
        ("gce: ours", "gcf: ours", r"facts\.reported_as: unknown training 'gcf'"),
        ("controls: [nce]", "controls: [mce]", r"facts\.controls: unknown training 'mce'"),
        ("controls:", "control:", r"facts\.control: unknown key 'control'"),
    ],
)
def test_a_wrong_fact_is_refused(folder, fact, other, message):
    assert fact in PAPER
    (folder / "fourth.yaml").write_text(PAPER.replace(fact, other))
    with pytest.raises(SettingsError, match=message):
        load_exhibits(folder, ["fourth"], load())
