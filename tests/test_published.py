"""Rows of runs that we publish."""

from __future__ import annotations

import pytest

from editions import ROOT
from lossproof.claims.published import COLUMNS, final_norms, unprinted, with_run
from lossproof.records import read_csv

TIDY = {
    "paper": "mnist", "exhibit": "small", "dataset": "mnist", "data": "mnist", "arch": "lenet5", "training": "sp_focal",
    "rival": "", "seed": "", "seeds": "3", "split": "test", "metric": "adversarial_accuracy", "attack": "pgd",
    "track": "printed", "norm": "linf", "epsilon": "0.1", "epsilon_printed": "0.1", "steps": "40", "step_size": "",
    "value": "12.5", "ci_low": "10.0", "ci_high": "15.0", "n_images": "1000", "record": "a/seed*/pgd.json",
}  # fmt: skip


def test_rows_over_seeds_only_and_differences_name_their_rival():
    one, gap = unprinted([TIDY, TIDY | {"seed": "0"}, TIDY | {"metric": "difference", "rival": "ce"}])
    assert (one["measured"], one["value"], one["unit"], one["note"]) == ("12.5", "", "percent", "")
    assert (gap["note"], gap["unit"]) == ("vs: ce", "percentage_points")


def test_norms_are_means_at_the_last_epoch():
    base = {"paper": "sp", "exhibit": "fig_7", "dataset": "mnist", "arch": "cnn2", "training": "ce", "quantity": "norm"}
    rows = [
        base | {"seed": s, "epoch": e, "value": v} for s, e, v in (("0", "1", "9"), ("0", "2", "2"), ("1", "2", "4"))
    ]
    (row,) = final_norms(rows)
    assert (float(row["measured"]), row["epochs"], row["seeds"]) == (3.0, 2, 2)


def test_every_row_says_what_ran_it():
    (row,) = with_run(unprinted([TIDY]), lambda _: {50}, edition="e", hardware="h", date="d")
    assert {key: row[key] for key in ("edition", "hardware", "epochs", "date")} == {
        "edition": "e", "hardware": "h", "epochs": "50", "date": "d",
    }  # fmt: skip
    assert set(row) <= set(COLUMNS)
    with pytest.raises(ValueError, match=r"mnist/small: one row from runs of \[4, 50\] epochs"):
        with_run(unprinted([TIDY]), lambda _: {50, 4}, edition="e", hardware="h", date="d")


def test_published_files_have_these_columns_and_say_what_ran_them():
    for path in (ROOT / "reference/measured").glob("*.csv"):
        rows = read_csv(path)
        assert tuple(rows[0]) == COLUMNS
        for row in rows:
            assert row["measured"] and row["hardware"] and row["epochs"] and row["date"], f"{path.name}: {row}"
