"""A paper's page: facts from rows, in plain sentences, the same as Markdown."""

from __future__ import annotations

import pytest
from jury_rows import ATTACKS, small_jury, verdict_rows
from steps import ran, run_step
from tidy_rows import CLAIMS, REFERENCE, STAND_INS, tables

from lossproof.claims.ledger import COLUMNS, build_ledger
from lossproof.jury.verdict import Verdict
from lossproof.records import write_csv
from lossproof.report.judged import judged
from lossproof.report.summary import summarise
from lossproof.report.summary_text import blocks, markdown

ROOT = REFERENCE.parent
VERDICT_ROWS, DIAGNOSTIC_ROWS = small_jury()
RUNS = sorted({f"{row['dataset']}/{row['arch']}/{row['training']}" for row in VERDICT_ROWS})


def ledger(gain=10.0):
    return build_ledger(
        CLAIMS,
        tables(gain),
        full_protocol=False,
        edition="embedded",
        data_for=STAND_INS,
        attacked_split="train",
    )


@pytest.fixture(scope="module")
def page():
    return summarise("sp", ledger(), VERDICT_ROWS, DIAGNOSTIC_ROWS, runs=RUNS, title="Stationary points", edition="e")


def test_counts_are_those_of_the_ledger(page):
    rows = ledger()
    measured = sum(row["measured"] is not None for row in rows)
    assert page["claims"]["printed"] == 262 == sum(page["claims"]["verdicts"].values())
    assert page["claims"]["measured"] == measured
    assert len(page["holds"]) == sum(row["verdict"] == "direction holds" for row in rows) > 0
    assert len(page["fails"]) == sum(row["verdict"] == "direction fails" for row in rows)
    assert f"reports 262 numbers; {measured} of them carry a measured value." in markdown(page)


def test_other_rows_give_other_words(page):
    worse = summarise("sp", ledger(gain=-10.0))
    assert len(worse["holds"]) < len(page["holds"]) and len(worse["fails"]) > len(page["fails"])
    assert markdown(worse) != markdown(page)
    none = summarise("sp", [])
    assert "No reported value or direction is confirmed." in markdown(none)
    assert "The paper reports 0 numbers" in markdown(none)


def test_trainings_stand_with_what_was_claimed_and_what_is_left(page):
    assert [(one["training"], one["verdict"]) for one in page["trainings"]] == [
        ("at", "real gain"),
        ("mmc_sp", "gain vanishes"),
        ("sp_focal", "no gain"),
    ]
    text = markdown(page)
    assert "3 trained networks of this paper" in text
    assert "2 of them gain on the baseline; under the strongest attack 1 of these gains is real and 1 vanishes." in text
    # One that says nothing of itself has no line of its own, so that a page stays a page.
    assert "1 network with no gain, no claim of one and no flag is left out" in text
    assert "gains under the strongest attack: +1.0." in text and "| SP focal" not in text
    (line,) = [line for line in text.splitlines() if line.startswith("| MMC (LeNet-5, digits gray)")]
    assert (
        "+30.0 [20.0, 40.0] | +1.0 [−4.0, 6.0]; L2, ε = 1.5: +1.0 [−4.0, 6.0] | gain vanishes; raised D1, D13" in line
    )
    assert "of which the strongest attack leaves" in line


def test_flags_say_where_they_were_raised_and_controls_whether_they_were_caught(page):
    raised = {flag["id"]: flag["runs"] for flag in page["flags"]}
    assert raised == {
        "D1": ["digits_gray/lenet5/mmc_sp"],
        "D13": ["digits_gray/lenet5/mmc_sp"],
        "D7": ["digits_gray/lenet5/ce", "digits_gray/lenet5/mmc_sp"],
    }
    text = markdown(page)
    assert (
        "D1, zero gradients (indicator of gradient masking): triggered on 1 of 4 networks: MMC (LeNet-5, digits gray)."
        in text
    )
    assert "D7, unfinished (indicator of an attack that fails): triggered on 2 of 4 networks" in text
    (control,) = page["controls"]
    assert control["run"] == "digits_gray/lenet5/ce_x100"
    assert "95.0 [90.0, 100.0] % under PGD, 41.0 [36.0, 46.0] % under the strongest attack" in text
    assert "raised D1, D2, D13." in text


def test_only_the_runs_of_the_paper_count():
    other = summarise("sp", ledger(), VERDICT_ROWS, DIAGNOSTIC_ROWS, runs=["digits_gray/lenet5/at"])
    assert [one["training"] for one in other["trainings"]] == ["at"]
    assert other["flags"] == [] and "No indicator was triggered on any of 1 network." in markdown(other)


def test_without_a_jury_the_page_says_so():
    alone = summarise("sp", ledger())
    assert not alone["sat"] and alone["trainings"] == []
    assert [block["heading"] for block in blocks(alone)][-1] == "Under the jury"
    assert "The robustness audit was not run in this edition" in markdown(alone)


def test_one_radius_is_told_of_each_network():
    weak = verdict_rows("a/b/c", dict.fromkeys(ATTACKS, (8.0, 2.0, 14.0)), verdict="real gain", epsilon="0.05")
    sure = verdict_rows("a/b/c", dict.fromkeys(ATTACKS, (9.0, 5.0, 13.0)), verdict="real gain", epsilon="0.1")
    assert [one["epsilon"] for one in judged(weak + sure)] == ["0.1"]
    # Nothing is claimed: where the strongest attack tells them apart, else where the twin is in the middle.
    none = {"jury_pgd": (0.0, -3.0, 3.0), "jury_linf": (0.0, -3.0, 3.0)}
    lost = {"jury_pgd": (0.0, -3.0, 3.0), "jury_linf": (-9.0, -14.0, -4.0)}
    open_rows = verdict_rows("a/b/c", none, verdict="no gain", epsilon="0.2", twin_accuracy=52)
    high_rows = verdict_rows("a/b/c", none, verdict="no gain", epsilon="0.3", twin_accuracy=5)
    worse_rows = verdict_rows("a/b/c", lost, verdict="worse", epsilon="0.4", twin_accuracy=99)
    assert judged(high_rows + open_rows)[0]["epsilon"] == "0.2"
    assert judged(high_rows + open_rows + worse_rows)[0]["epsilon"] == "0.4"
    (entry,) = judged(open_rows)
    assert entry["strongest"]["gain_low"] == -3.0 and entry["strongest_l2"] is None


def test_a_radius_is_spelt_as_in_the_configuration():
    rows = verdict_rows("a/b/c", dict.fromkeys(ATTACKS, (9.0, 5.0, 13.0)), verdict="real gain", epsilon="0.03137255")
    (entry,) = judged([row | {"epsilon_printed": "8/255"} for row in rows])
    assert entry["epsilon"] == entry["strongest"]["epsilon"] == "8/255"
    assert judged(rows)[0]["epsilon"] == "0.03137255"


def test_trainings_stand_in_the_order_of_verdicts():
    rows = []
    for at, verdict in enumerate(reversed(Verdict)):
        rows += verdict_rows(f"a/b/c{at}", dict.fromkeys(ATTACKS, (0.0, -1.0, 1.0)), verdict=verdict)
    told = summarise("sp", [], rows, runs={f"a/b/c{at}" for at in range(len(Verdict))})
    assert [one["verdict"] for one in told["trainings"]] == [one for one in Verdict if one != "reference"]
    assert told["references"] == 1


def test_the_step_writes_the_page(tmp_path, page):
    write_csv(tmp_path / "claims.csv", ledger(), COLUMNS)
    write_csv(tmp_path / "verdicts.csv", VERDICT_ROWS, list(VERDICT_ROWS[0]))
    write_csv(tmp_path / "diagnostics.csv", DIAGNOSTIC_ROWS, list(DIAGNOSTIC_ROWS[0]))
    settings = {"paper": "sp", "title": "Stationary points", "edition": "e", "runs": RUNS}
    tables = [f"--{name}={name}.csv" for name in ("claims", "verdicts", "diagnostics")]
    ran(run_step(tmp_path, "summary", {"summaries": {"sp": settings}}, "--paper", "sp", *tables, "--out", "sp.md"))
    assert (tmp_path / "sp.md").read_text() == markdown(page)
