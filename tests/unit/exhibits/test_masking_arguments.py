"""Arguments against masked gradients: comparisons by hand, outcomes from intervals, rows, table, figure."""

from __future__ import annotations

from pathlib import Path

import competitors
import numpy as np
import pytest
from draw import draw, watched_page
from fake_records import context
from small_kinds import CONFIG, as_text, declared

from lossproof.exhibits.masking_arguments import arguments as tests
from lossproof.exhibits.masking_arguments.arguments import FAILS, HOLDS, UNDECIDED, Level
from lossproof.exhibits.masking_arguments.kind import COLUMNS, MaskingArguments
from lossproof.exhibits.typeset import exhibit_table
from lossproof.paths import Run
from lossproof.planning.plan import Plan
from lossproof.records import read_csv, write_csv, write_json, write_npz
from lossproof.settings.faults import SettingsError
from lossproof.statistics.intervals import accuracy, difference

IMAGES = 200


def level(attack: str, epsilon: float, right: int, images: int = IMAGES, seeds: int = 1) -> Level:
    """The first ``right`` images survive, with every seed."""
    correct = np.tile(np.arange(images) < right, (seeds, 1))
    return Level(attack, str(epsilon), epsilon, np.arange(images), correct)


def outcome(pairs) -> tuple[str, float, str]:
    decision = tests.decided(tests.compared(pairs))
    assert decision is not None
    return decision[1], decision[0].found.value, decision[0].attack


def test_one_step_is_compared_at_equal_budgets():
    one = [level("fgsm", 0.1, 150), level("fgsm", 0.2, 100)]
    many = [level("pgd", 0.1, 100), level("pgd", 0.3, 0), level("bim", 0.2, 60)]
    pairs = tests.single_step(one, many)
    assert [(pair.attack, pair.against, pair.level.epsilon) for pair in pairs] == [
        *(("fgsm", "pgd", 0.1), ("fgsm", "bim", 0.2))
    ]
    assert [one.found.value for one in tests.compared(pairs)] == [25, 20]
    assert outcome(pairs) == (HOLDS, 20, "fgsm")
    assert tests.compared(pairs)[0].found == difference(pairs[0].more, pairs[0].less)


def test_one_contrary_cell_fails_an_argument():
    one = [level("fgsm", 0.1, 150), level("fgsm", 0.2, 40)]
    many = [level("pgd", 0.1, 20), level("pgd", 0.2, 80)]
    assert outcome(tests.single_step(one, many)) == (FAILS, -20, "fgsm")
    # Five of 200 would fail it alone; of twelve comparisons some lies that low by chance.
    few = Level("pgd", "0.2", 0.2, np.arange(IMAGES), one[1].correct ^ (np.arange(IMAGES) < 45) & ~one[1].correct)
    assert outcome(tests.single_step(one[1:], [few]))[:2] == (FAILS, -2.5)
    many = [level("pgd", 0.2, 40)] * 11
    assert outcome(tests.single_step(one[1:], [few, *many]))[:2] == (UNDECIDED, -2.5)
    # Two images of 200 are chance.
    many = [level("pgd", 0.1, 20), level("pgd", 0.2, 42)]
    assert outcome(tests.single_step(one, many)) == (UNDECIDED, -1, "fgsm")


def test_equal_outcomes_do_not_contradict_and_test_nothing():
    one = [level("fgsm", 0.1, 150), level("fgsm", 0.2, 0)]
    assert outcome(tests.single_step(one, [level("pgd", 0.1, 50), level("pgd", 0.2, 0)])) == (HOLDS, 0, "fgsm")
    assert outcome(tests.single_step(one[1:], [level("pgd", 0.2, 0)])) == (UNDECIDED, 0, "fgsm")
    assert tests.decided([]) is None


def test_black_box_is_compared_with_the_worst_white_box_per_image():
    white = [level("fgsm", 0.1, 100), level("pgd", 0.1, 100), level("pgd", 0.2, 0)]
    white[1].correct[0] = ~white[1].correct[0]  # each fools the network with the half that the other does not
    (pair,) = tests.black_box([level("transfer", 0.1, 60), level("transfer", 0.3, 0)], white)
    assert pair.less.sum() == 0 and pair.more.sum() == 60
    assert outcome([pair]) == (HOLDS, 30, "transfer")
    # Than either alone it is stronger.
    assert outcome(tests.black_box([level("transfer", 0.1, 60)], white[:1]))[:2] == (FAILS, -20)


def test_images_are_paired_where_an_attack_looks_at_fewer():
    few = Level("spsa", "0.1", 0.1, np.array([3, 50, 120]), np.array([[False, True, True]]))
    (pair,) = tests.black_box([few], [level("pgd", 0.1, 100), level("fgsm", 0.1, 60)])
    assert pair.more.tolist() == [[False, True, True]] and pair.less.tolist() == [[True, True, False]]
    apart = Level("spsa", "0.1", 0.1, np.array([900]), np.array([[True]]))
    assert tests.compared(tests.black_box([apart], [level("pgd", 0.1, 100)])) == []


def test_a_larger_budget_must_not_help():
    levels = [level("bim", 0.3, 40), level("bim", 0.1, 120), level("bim", 0.2, 80), level("fgsm", 0.1, 20)]
    pairs = list(tests.growth(levels))
    assert [(pair.level.epsilon, pair.attack) for pair in pairs] == [(0.2, "bim"), (0.3, "bim")]
    assert outcome(pairs) == (HOLDS, 20, "bim")
    levels[0] = level("bim", 0.3, 110)
    assert outcome(list(tests.growth(levels))) == (FAILS, -15, "bim")


def test_what_is_left():
    white = [level("fgsm", 0.3, 90), level("pgd", 0.3, 0), level("pgd", 0.1, 0), level("mim", 0.3, 4)]
    one, said = tests.remaining(white) or (None, "")
    assert one is not None and (one.attack, said, one.found) == ("pgd", HOLDS, accuracy(white[1].correct))
    assert (tests.remaining([level("pgd", 0.3, 60)]) or (None, ""))[1] == FAILS
    assert (tests.remaining([level("pgd", 0.3, 8)]) or (None, ""))[1] == UNDECIDED
    assert (tests.remaining([level("pgd", 0.3, 0, images=20)]) or (None, ""))[1] == UNDECIDED  # too few to tell


DECLARED = {
    "kind": "masking_arguments",
    "datasets": ["mnist", "cifar10"],
    "archs": {"mnist": ["lenet5"], "cifar10": ["cnn2"]},
    "trainings": {"mnist": ["sp_focal", "ce"], "cifar10": ["sp_focal"]},
    "rival": "ce",
    "one_step": ["fgsm"],
    "iterative": {"mnist": ["pgd", "bim"], "cifar10": ["pgd"]},
    "black_box": ["simba_300"],
}


def test_needs(tmp_path):
    needs = Plan(CONFIG, declared(tmp_path, masking=DECLARED)).needs["isce/masking"]
    attacks = {"digits_gray/lenet5": ("fgsm", "pgd", "bim", "simba_300")}
    attacks |= {"digits_colour/cnn2": ("fgsm", "pgd", "simba_300")}
    assert {(str(run), attack) for run, attack in needs.attacks} == {
        (f"{network}/{training}", one)
        for network, given in attacks.items()
        for training in ("ce", "sp_focal")
        for one in given
    }
    assert not needs.models


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"one_step": ["fgms"]}, "masking.one_step: unknown attack 'fgms'"),
        ({"black_box": {"mnist": ["simba_300"]}}, "masking.black_box: no list for data set 'cifar10'"),
        ({"iterative": {"mnist": ["pgd"], "cifar10": ["pdg"]}}, "masking.iterative: unknown attack 'pdg'"),
        ({"trainings": {"mnist": ["sp_focal"]}}, "masking.trainings: no list for data set 'cifar10'"),
        ({"rival": "cee"}, "masking.rival: unknown training 'cee'"),
    ],
)
def test_faults_are_named(tmp_path, change, says):
    with pytest.raises(SettingsError) as caught:
        declared(tmp_path, masking=DECLARED | change)
    assert says in str(caught.value)


# Images that survive at 0.1 and 0.3, of 100. SP focal: PGD is weaker than FGSM, and leaves a third.
SURVIVE = {
    "ce": {"fgsm": (60, 30), "pgd": (40, 0), "bim": (45, 5), "simba_300": (80, 40)},
    "sp_focal": {"fgsm": (50, 20), "pgd": (55, 35), "bim": (52, 50), "simba_300": (15, 70)},
}


def collected(root: Path) -> list[dict]:
    told = context(root, seeds=2, **{attack: ["test"] for attack in SURVIVE["ce"]})
    for training, attacks in SURVIVE.items():
        run = Run("mnist", "lenet5", training)
        for attack, counts in attacks.items():
            # The black-box attack looks at every second image only.
            index = np.arange(0, 100, 2 if attack == "simba_300" else 1)
            label = index % 10
            for seed in range(2):
                after = np.stack([np.where(index < right, label, (label + 1) % 10) for right in counts])
                after[0, -1] = -1  # no admissible image: as without attack
                clean = np.where(index == 0, (label + 1) % 10, label)
                arrays = {"index": index, "label": label, "clean": clean, "adversarial": after}
                write_npz(root / told.paths.attack(run, seed, "test", attack, "npz"), arrays)
                results = [{"epsilon": text, "epsilon_value": float(text)} for text in ("0.1", "0.3")]
                record = {"attack": {"method": attack, "track": "printed"}, "results": results}
                write_json(root / told.paths.attack(run, seed, "test", attack), record)
    declaration = DECLARED | {"datasets": ["mnist"]}
    return MaskingArguments.collect(declaration, told).rows


def test_rows(tmp_path):
    rows = collected(tmp_path)
    assert all(set(row) <= set(COLUMNS) for row in rows)
    summary = {(row["training"], row["test"]): row for row in rows if row["role"] == "summary"}
    assert list(dict.fromkeys(row["training"] for row in rows)) == ["ce", "sp_focal"]  # the control first
    assert {row["training"]: row["control"] for row in rows} == {"ce": "yes", "sp_focal": "no"}
    said = {key: row.get("outcome") for key, row in summary.items()}
    assert said == {
        ("ce", "clean"): None,
        ("ce", "single_step"): "holds",
        ("ce", "black_box_worst"): "holds",
        ("ce", "black_box_pgd"): "holds",
        ("ce", "growth"): "holds",
        ("ce", "remaining"): "holds",
        ("sp_focal", "clean"): None,
        ("sp_focal", "single_step"): "fails",
        ("sp_focal", "black_box_worst"): "fails",
        ("sp_focal", "black_box_pgd"): "fails",
        ("sp_focal", "growth"): "fails",
        ("sp_focal", "remaining"): "fails",
    }
    worst = summary["sp_focal", "single_step"]
    assert (worst["attack"], worst["against"], worst["epsilon_printed"], worst["value"]) == ("fgsm", "bim", "0.3", -30)
    assert worst["comparisons"] == 4 and worst["n_images"] == 100
    # Of the 50 images that both looked at.
    black = summary["sp_focal", "black_box_pgd"]
    assert (black["epsilon_printed"], black["n_images"], black["against"]) == ("0.1", 50, "")
    left = summary["sp_focal", "remaining"]
    assert (left["attack"], left["value"], left["argument"]) == ("fgsm", 20, 3)
    assert summary["ce", "clean"]["value"] == 99
    comparisons = [row for row in rows if row["role"] == "comparison" and row["test"] == "growth"]
    assert len(comparisons) == 2 * 4


def test_the_table(tmp_path):
    made = exhibit_table("pc", "m", "masking_arguments", "T", as_text(collected(tmp_path), COLUMNS), [])
    (section,) = made.sections
    assert [line.labels for line in section.lines] == [("CE (control)",), ("SP focal",)]
    assert [group for group, _ in made.columns] == ["", "(1)", "(2)", "(2)", "(3)", "(3)"]
    cells = section.lines[1].texts
    assert cells[0].startswith("99.0 [")
    assert cells[1].startswith("fails: −30.0 [−") and cells[1].endswith("], FGSM − BIM, ε = 0.3")
    assert cells[4].endswith("], SimBA-300, ε = 0.3") and cells[5].startswith("fails: 20.0 [")


def test_the_figure_writes_outcome_and_number_in_every_cell(tmp_path, monkeypatch):
    from lossproof.drawing import style

    seen: list = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    rows = [dict.fromkeys(COLUMNS) | row for row in competitors.masking(("ce_isce", "isce"), competitors.NETWORKS)]
    write_csv(tmp_path / "e.csv", rows, COLUMNS)
    draw("masking_arguments", {}, tmp_path / "e.csv", None, tmp_path / "e")
    assert len(seen[0].axes) == 2
    axes = seen[0].axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert len(axes.patches) == 2 * 5 and len(texts) == 2 * 2 * 5
    assert texts[:2] == ["✓ +12.3 at 0.3", "FGSM − PGD"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["CE (control)", "I-SCE"]
    only = [row for row in read_csv(tmp_path / "e.csv") if row["role"] == "comparison"]
    write_csv(tmp_path / "e.csv", only, COLUMNS)
    with pytest.raises(ValueError, match=r"e\.csv: no rows with a test"):
        draw("masking_arguments", {}, tmp_path / "e.csv", None, tmp_path / "e")
