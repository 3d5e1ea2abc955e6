"""The card of a network: what stands on it, what is missing from it, and the step that draws many."""

from __future__ import annotations

import copy
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
from fake_jury import ATTACKS, CE, CONTROLS, ISCE, KEPT, MEMBERS, SCALED, diagnosis, four, verdict_rows
from matplotlib.figure import Figure
from steps import ran, run_step

from editions import ROOT
from lossproof.drawing import style
from lossproof.drawing.sheet import write_png
from lossproof.exhibits.card import figure as card
from lossproof.exhibits.jury_verdicts.kind import COLUMNS
from lossproof.records import read_json, write_csv

MASKED = {"D13": 85.0, "D2": 40.0, "D14": 88.0, "D15": 22.3, "D7": 0.31, "D11": 33.3}
WHERE = "digits gray, LeNet-5, seed 0"
WORDS = {
    "twin": "ce_isce",
    "verdict": "gain vanishes",
    "why": "+65.0 points [55.1, 74.9] under PGD, paper protocol " * 5,
}


@pytest.fixture(scope="module")
def attacks(tmp_path_factory):
    """Records of the jury's attacks by run and attack."""
    told = four(tmp_path_factory.mktemp("card"))
    paths = {(run, name): told.root / told.paths.attack(run, 0, "test", name) for run in KEPT for name in ATTACKS}
    return {run: {name: read_json(paths[run, name]) for name in ATTACKS} for run in KEPT}


def record(run=ISCE, masked=True):
    made = diagnosis(MASKED if masked else None, masked)
    return made | {"run": run._asdict() | {"seed": 0}}


@pytest.fixture(autouse=True)
def in_style():
    with style.house():
        yield


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_what_stands_on_it(attacks):
    said = texts(card.draw(record(), dict(reversed(attacks[ISCE].items())), WORDS))
    assert said[:5] == [
        "I-SCE",
        "✗ gain vanishes",
        "digits gray, LeNet-5, seed 0, compared with CE (isce)",
        "without attack",
        "95.0 %",
    ]
    assert said[5:11] == [
        *("PGD, paper protocol", "80.0 [73.0, 87.0] at 0.05    70.0 [63.0, 77.0] at 0.1"),
        *("strongest L∞ attack", "21.0 [14.0, 28.0] at 0.05    0.0 [0.0, 7.0] at 0.1"),
        *("strongest L2 attack", "20.0 [13.0, 27.0] at 0.5    0.0 [0.0, 7.0] at 1"),
    ]
    strip = [text for text in said if text.startswith("D") and "  " in text]
    assert [text.split()[0] for text in strip] == [f"D{at + 1}" for at in range(20)]
    assert {"▲ 85 pt", "▲ 0.31", "▲ 40 %", "D17  SPSA", "targeted DLR", "APGD-CE", "ε = 0.05"} <= set(said)
    assert "not measured" not in said
    scaled = texts(card.draw(record(SCALED), attacks[SCALED], {"control": CONTROLS["ce_x100"], "verdict": "control"}))
    assert scaled[:3] == [
        "CE, logits × 100",
        "◇ control",
        f"{WHERE}; a control: logits of ce_isce x 100",
    ]


def test_the_strongest_attack_is_shown_member_by_member(attacks):
    def curve(records):
        figure = card.draw(record(), records, {})
        # Nine places: without attack, and after each of eight members.
        return [line for line in figure.axes[0].lines if len(line.get_xdata()) == 9]

    small, large = curve(attacks[ISCE])
    assert list(small.get_xdata()) == sorted(small.get_xdata(), reverse=True)
    panel = card.Panel(None, 3.0, 1.33, 1.95, 1.05, (0, 102), (8.4, -0.4))  # type: ignore[arg-type]
    assert large.get_xdata()[0] == pytest.approx(panel.across(100)) and large.get_xdata()[-1] == pytest.approx(3.0)
    assert small.get_xdata()[-1] == pytest.approx(panel.across(100 * 21 / 95))  # of the images that are right at first
    told = copy.deepcopy(attacks[ISCE]["jury_linf"])
    falling = card._order(told, told["results"][0])
    assert falling == list(MEMBERS)
    told["attack"]["members"] = ["fab-t", "apgd-ce", "none-such"]
    assert card._order(told, told["results"][0])[:3] == ["fab_t", "apgd_ce", "apgd_t"]


@pytest.mark.parametrize("name", ["monotone", "noise", "effort", "logit_scale", "loss_swap", "surface"])
def test_a_missing_curve_leaves_its_panel_with_a_reason(attacks, name):
    whole = texts(card.draw(record(), attacks[ISCE], WORDS))
    for curves in ({}, None):
        partly = record()
        partly["diagnostics"][name] |= {"curves": curves, "says": "too few images"}
        said = texts(card.draw(partly, attacks[ISCE], WORDS))
        # What the jury's attacks leave stands in the panel of budgets all the same.
        assert ("too few images" in said) == (name not in ("monotone", "noise"))
        assert set(whole) - set(said)
    del partly["diagnostics"][name]
    said = texts(card.draw(partly, {}, {}))
    # Of the panel of budgets one of the two is left.
    assert said.count("not measured") == (1 if name in ("monotone", "noise") else 2) and said[0] == "I-SCE"


def test_nothing_measured_and_numbers_that_are_none(attacks):
    empty = record() | {"clean_accuracy": None, "diagnostics": {}}
    assert texts(card.draw(empty, {}, {})).count("not measured") == 6
    partly = record()
    found = partly["diagnostics"]
    found["monotone"]["curves"]["accuracy"][3] = None
    found["effort"]["curves"]["steps_accuracy"][0] = None
    found["effort"]["curves"]["restarts"] = []
    found["loss_swap"]["curves"]["accuracy"][1] = None
    found["logit_scale"]["curves"]["float64"] = None
    found["surface"]["curves"]["gap"][0][0] = None
    found["surface"]["curves"]["gap"][0][6] = None
    # Gone entirely without attack: nothing is a share of nothing.
    records = copy.deepcopy(attacks[CE])
    for one in records.values():
        one["clean_accuracy"] = 0.0
    said = texts(card.draw(partly, records, {}))
    assert "steps" in said and "starts" not in said and said.count("float64") == 1  # the member


@pytest.mark.parametrize(("run", "masked", "words"), [(ISCE, True, WORDS), (SCALED, False, {}), (CE, False, WORDS)])
def test_words_stay_on_the_page_and_off_each_other(attacks, run, masked, words):
    figure = card.draw(record(run, masked), attacks[run], words)
    figure.canvas.draw()
    page = figure.bbox
    boxes = [(text.get_text(), text.get_window_extent()) for text in figure.axes[0].texts]
    for text, box in boxes:
        assert box.x0 >= 0 and box.x1 <= page.x1 and box.y0 >= 0 and box.y1 <= page.y1, text
    for (one, first), (other, second) in combinations(boxes, 2):
        wide = min(first.x1, second.x1) - max(first.x0, second.x0)
        high = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert wide < 1 or high < 3, (one, other)  # letters reach less far than their boxes


def test_equal_cards_have_equal_bytes_whatever_was_drawn_before(attacks, tmp_path):
    def drawn(name, *about):
        write_png(card.draw(*about), tmp_path / name)
        return (tmp_path / name).read_bytes()

    one = (record(), attacks[ISCE], WORDS)
    other = (record(CE, masked=False) | {"diagnostics": {}}, {}, {})
    first = drawn("a.png", *one)
    assert first.startswith(b"\x89PNG") and len(first) < 120_000
    assert drawn("b.png", *other) != first
    assert drawn("c.png", *one) == first
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.png", "b.png", "c.png"]


def test_the_step_draws_every_card(tmp_path):
    told = four(tmp_path)
    rows = [dict.fromkeys(COLUMNS) | row for row in verdict_rows()]
    write_csv(tmp_path / "verdicts.csv", rows, COLUMNS)
    runs = [run._asdict() | {"attacks": list(ATTACKS), "twin": "", "control": ""} for run in KEPT]

    def run(*more):
        ran(run_step(tmp_path, "cards", {"cards": {"d": {"runs": runs}}}, "--dataset", "d", *more))
        return {one: (tmp_path / told.paths.card(one)).read_bytes() for one in KEPT}

    plain = run()
    worded = run("--verdicts", str(tmp_path / "verdicts.csv"))
    assert len({*plain.values(), *worded.values()}) == 8


def test_drawing_does_not_import_torch():
    code = (
        "import sys; from lossproof.exhibits.card import figure;"
        " assert not {'torch', 'pandas', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(ROOT / "src")})


def test_the_key_of_budgets_lies_where_no_curve_ends():
    from lossproof.exhibits.card.figure import _free

    # In inches of a panel 1.9 wide: curves at both sides, at the left, at the right, nowhere.
    assert 0.45 < _free(np.array([0.38, 1.64]), 1.9) < 1.1
    assert _free(np.array([0.1, 0.4]), 1.9) > 1.1
    assert _free(np.array([1.8, np.nan]), 1.9) == _free(np.array([]), 1.9) == 0.08
