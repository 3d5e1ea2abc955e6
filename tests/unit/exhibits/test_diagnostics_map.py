"""The map of diagnostics: rows from records, table, figure."""

from __future__ import annotations

import pytest
from draw import draw, watched_page
from fake_jury import DIAGNOSTICS, declaration, diagnose, diagnosis
from fake_records import context
from small_kinds import as_text

from lossproof.exhibits.diagnostics_map.figure import brief
from lossproof.exhibits.diagnostics_map.kind import COLUMNS, DiagnosticsMap
from lossproof.exhibits.typeset import exhibit_table
from lossproof.paths import Run
from lossproof.records import write_csv

RUNS = [Run("digits_gray", "lenet5", training) for training in ("ce_isce", "isce", "ce_x100")]
SAID = {"ce_x100": "logits of ce_isce x 100"}


@pytest.fixture
def rows(tmp_path):
    told = context(tmp_path, seeds=3)
    undecided = diagnosis()
    undecided["diagnostics"]["black_box"] |= {"flag": "undecided", "value": 1.6}
    for run, record in zip(
        RUNS, (undecided, diagnosis({"D13": 85.0, "D14": 88.0}), diagnosis({"D1": 99.0})), strict=True
    ):
        diagnose(told, run, 0, record)
    return DiagnosticsMap.collect(declaration(*RUNS, controls=SAID), told).rows


def test_rows(rows):
    assert all(set(row) <= set(COLUMNS) for row in rows)
    assert [row["id"] for row in rows] == [*DIAGNOSTICS] * 3  # by their numbers, and the surface is none
    one = next(row for row in rows if (row["training"], row["diagnostic"]) == ("isce", "logit_scale"))
    assert (one["value"], one["unit"], one["flag"], one["of"], one["seed"]) == (85.0, "points", "raised", "model", 0)
    assert (one["norm"], one["epsilon"], one["epsilon_printed"], one["n_images"]) == ("linf", 0.1, "0.1", 61)
    assert {row["control"] for row in rows} == {"", SAID["ce_x100"]}
    assert next(row["value"] for row in rows if row["id"] == "D12") is None


def test_needs():
    needs = DiagnosticsMap.needs(declaration(*RUNS), {})
    assert needs.diagnoses == RUNS and needs.runs == sorted(RUNS) and not needs.attacks


def test_every_diagnosed_seed_has_rows(tmp_path, rows):
    told = context(tmp_path, seeds=3)
    diagnose(told, RUNS[0], 1, diagnosis({"D2": 3.0}))
    both = DiagnosticsMap.collect(
        declaration(RUNS[0]), context(tmp_path, seeds=3).__class__(**vars(told) | {"diagnosed": 2})
    )
    assert [(row["seed"], row["flag"]) for row in both.rows if row["id"] == "D2"] == [(0, "clear"), (1, "raised")]
    made = exhibit_table("jury", "map", "diagnostics_map", "T", as_text(both.rows, COLUMNS), [])
    assert [line.labels for line in made.sections[0].lines] == [("CE (isce), seed 0",), ("CE (isce), seed 1",)]


def test_the_table(rows):
    made = exhibit_table("jury", "map", "diagnostics_map", "T", as_text(rows, COLUMNS), [])
    (section,) = made.sections
    assert section.title == "digits gray LeNet-5, ε = 0.1"
    assert [(line.labels[0], *line.texts) for line in section.lines] == [
        ("CE (isce)", "–", "–", "D8 1.6 points"),
        ("I-SCE", "D13 85 points", "D14 88 points", "–"),
        ("CE, logits × 100 (control)", "D1 99 percent", "–", "–"),
    ]
    assert made.notes[1].startswith("D1 input gradients that are exactly zero; D2 ") and len(made.records) == 60


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (-1.64, "−1.6"),
        (0.049, "0.05"),
        (99.2, "99"),
        (100, "100"),
        (12345, "1e4"),
        (1.2e-5, "1e−5"),
        (1.0, "1"),
    ],
)
def test_numbers_in_cells_are_short(value, said):
    assert brief(value) == said


def test_the_figure_writes_flag_and_value_in_every_cell(tmp_path, rows, monkeypatch):
    from lossproof.drawing import style

    seen: list = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    worse = [
        row | {"seed": 1, "flag": "raised", "value": 5.0}
        for row in rows
        if row["training"] == "isce" and row["id"] == "D4"
    ]
    write_csv(tmp_path / "e.csv", [dict.fromkeys(COLUMNS) | row for row in (*rows, *worse)], COLUMNS)
    draw("diagnostics_map", {}, tmp_path / "e.csv", None, tmp_path / "e")
    (axes,) = seen[0].axes
    at = {tuple(round(place) for place in text.get_position()): text.get_text() for text in axes.texts}
    names = [text for (x, _), text in at.items() if x == -1 and "digits" not in text]
    assert names == ["CE (isce)", "I-SCE", "CE, logits × 100 (control)"]
    cells = {(x, y): text for (x, y), text in at.items() if x >= 0 and y > 0}
    assert len(cells) == 60
    assert (cells[7, 1], cells[12, 2], cells[0, 3], cells[11, 1]) == ("?1.6", "▲85", "▲99", "·")
    assert cells[3, 2] == "▲5"  # the gravest of two seeds
    heads = {text.get_text(): text.get_style() for text in axes.texts if text.get_text() in ("D1", "D3")}
    assert heads == {"D1": "normal", "D3": "italic"}
