"""Verdicts of the jury: paired tests, the rule by cases, rows from records, table and figure."""

from __future__ import annotations

import numpy as np
import pytest
from draw import draw, watched_page
from fake_jury import AT, ATTACKS, CE, CONTROLS, ISCE, SCALED, collected, declaration, four, verdict_rows
from fake_records import context
from small_kinds import as_text

from lossproof.exhibits.jury_verdicts.kind import COLUMNS, JuryVerdicts
from lossproof.exhibits.typeset import exhibit_table
from lossproof.jury import verdict as rule
from lossproof.paths import Paths
from lossproof.records import read_npz, write_csv, write_npz
from lossproof.statistics import intervals
from lossproof.statistics.intervals import Estimate, accuracy, difference, over_images, over_seeds
from lossproof.statistics.paired_tests import corrected, in_every_seed, mcnemar


def test_mcnemar_counts_the_images_on_which_two_networks_differ():
    rival = np.zeros(40, bool)
    rival[20:] = True
    correct = rival.copy()
    correct[:9] = True  # nine gained
    correct[-1] = False  # one lost
    assert mcnemar(correct, rival) == pytest.approx(2 * (1 + 10) / 2**10)  # of ten discordant at most one
    assert mcnemar(rival, correct) == mcnemar(correct, rival)
    assert mcnemar(rival, rival) == 1


def test_every_seed_must_show_the_difference():
    rival = np.zeros((3, 30), bool)
    correct = np.arange(30) < np.array([[20], [12], [6]])
    assert in_every_seed(correct, rival) == mcnemar(correct[2], rival[2]) == 2 / 2**6
    # Seeds that point the other way speak against it, however sure they are.
    turned = correct.copy()
    turned[2], other = False, rival.copy()
    other[2, :25] = True
    assert in_every_seed(turned, other) == 1


def test_correction_is_for_any_dependence():
    p = [0.001, 0.02, 0.03, 0.5]
    harmonic = 1 + 1 / 2 + 1 / 3 + 1 / 4
    by_rank = [0.001 * 4, 0.03 * 4 / 3, 0.03 * 4 / 3, 0.5]
    assert corrected(p) == pytest.approx([min(1, value * harmonic) for value in by_rank])
    assert corrected([]) == []


def test_intervals_apart():
    correct = np.arange(50) < np.array([[20], [30], [40]])
    images = over_images(correct)
    share, third = 0.6, 1 / 3
    variance = np.var(np.repeat([1.0, 2 * third, third, 0.0], [20, 10, 10, 10]), ddof=1) / 50
    assert images.value == 60 and images.low < 60 < images.high
    assert images.high - images.low == pytest.approx(2 * 2.01 * 100 * np.sqrt(variance), rel=0.1)
    # Equal seeds tell nothing new of images; other seeds do not widen this interval.
    assert over_images(np.repeat(correct[:1], 3, axis=0)) == pytest.approx(accuracy(correct[:1]))
    assert over_images(correct).high - over_images(correct).low < accuracy(correct).high - accuracy(correct).low
    assert share == correct.mean()


def test_equal_outcomes_of_few_images_leave_a_gain_open():
    nothing = np.zeros((3, 16), bool)
    assert intervals.gain(nothing, nothing) == pytest.approx((0, -20.6, 20.6), abs=0.05)
    # Of 16 images none shows what a fifth of all does, once in 40 times.
    rare = (1 - 0.206) ** 16
    assert rare == pytest.approx(0.025, rel=0.01)
    assert intervals.gain(nothing, nothing, among=3).high > 20.6
    assert intervals.gain(~nothing, nothing) == pytest.approx((100, 79.4, 120.6), abs=0.05)
    some = nothing.copy()
    some[:, :3] = True
    assert intervals.gain(some, nothing) == difference(some, nothing)


def gain(
    attack: str, value: float, half: float = 5.0, p: float = 0.001, epsilon: str = "0.1", joint: float = 6.0
) -> rule.Gain:
    track = "printed" if attack == "jury_pgd" else "honest"
    norm = "l2" if attack == "jury_l2" else "linf"
    alone, together = (Estimate(value, value - part, value + part) for part in (half, joint))
    return rule.Gain(attack, track, norm, epsilon, float(epsilon), alone, p, together)


CLAIM, FALLS, STANDS = gain("jury_pgd", 40), gain("jury_linf", 1), gain("jury_linf", 12)


@pytest.mark.parametrize(
    ("gains", "seeds", "flags", "said", "why"),
    [
        ([CLAIM, STANDS], 3, [], rule.REAL, "+12.0 points [7.0, 17.0] under strongest L∞ attack, ε = 0.1, corrected"),
        # A gain that nobody claimed, or in another ball.
        ([gain("jury_pgd", 0), STANDS], 3, ["D5", "D9"], rule.REAL, "no indicator of gradient masking is triggered."),
        ([CLAIM, FALLS, gain("jury_l2", 9, epsilon="0.5")], 3, [], rule.REAL, "strongest L2 attack, ε = 0.5"),
        ([CLAIM, FALLS], 3, [], rule.VANISHES, "under PGD, paper protocol, ε = 0.1, but +1.0 points [−4.0, 6.0] under"),
        ([CLAIM, FALLS], 1, ["D1", "D13"], rule.VANISHES, "+40.0 points [35.0, 45.0]"),
        ([CLAIM, gain("jury_linf", -20)], 3, [], rule.VANISHES, "but −20.0 points"),
        ([gain("jury_pgd", 0), gain("jury_linf", -20)], 3, [], rule.WORSE, "−20.0 points [−25.0, −15.0]"),
        # One interval of many lies below 0 by chance.
        ([gain("jury_pgd", 0), gain("jury_linf", -6, p=0.3)], 3, [], rule.NO_GAIN, "no interval lies above 0"),
        ([gain("jury_pgd", 2), FALLS], 3, [], rule.NO_GAIN, "+2.0 points [−3.0, 7.0] under PGD, paper protocol"),
        ([CLAIM, STANDS], 2, [], rule.UNDECIDED, "but 2 of at least 3 seeds."),
        ([CLAIM, STANDS], 3, ["D1", "D9", "D13"], rule.UNDECIDED, "but triggered: D1, D13."),
        ([CLAIM, gain("jury_linf", 12, p=0.2)], 3, [], rule.UNDECIDED, "but corrected p = 0.2."),
        # Seeds that were lucky at one of several budgets.
        ([CLAIM, gain("jury_linf", 12, joint=13)], 3, [], rule.UNDECIDED, "but not with all budgets taken together."),
        ([gain("jury_pgd", 0), gain("jury_linf", -12, joint=13)], 3, [], rule.NO_GAIN, "no interval lies above 0"),
        # Who draws at each pass may have been lucky with the draws.
        ([CLAIM, STANDS], 3, ["D12"], rule.UNDECIDED, "but triggered: D12."),
        ([CLAIM, gain("jury_linf", 12, p=0.2)], 1, ["D2"], rule.UNDECIDED, "0.2; 1 of at least 3 seeds; triggered: D2"),
        ([CLAIM], 3, [], rule.UNDECIDED, "no worst case was measured in that ball"),
        ([CLAIM, gain("jury_linf", 0, epsilon="0.2")], 3, [], rule.UNDECIDED, "no worst case was measured in that"),
        # It vanishes only where it vanishes at all claimed budgets.
        ([CLAIM, FALLS, gain("jury_pgd", 9, epsilon="0.05"), gain("jury_linf", 6, p=0.4, epsilon="0.05")]
         , 3, [], rule.UNDECIDED, "corrected p = 0.4"),
        ([], 3, [], rule.NO_GAIN, "Nothing was compared."),
    ],
)  # fmt: skip
def test_the_rule(gains, seeds, flags, said, why):
    found, because = rule.verdict(gains, seeds, flags)
    assert found == said and found in rule.Verdict
    assert why in because and because.endswith(".") and "\n" not in because


@pytest.fixture
def told(tmp_path):
    return four(tmp_path)


def test_rows(told):
    rows = collected(told, CE, ISCE, AT, SCALED, controls=CONTROLS)
    assert all(set(row) <= set(COLUMNS) for row in rows)
    assert [(row["training"], row["attack"], row["epsilon_printed"]) for row in rows[:7]] == [
        *(("ce_isce", attack, epsilon) for attack in ("jury_pgd", "jury_linf") for epsilon in ("0.05", "0.1")),
        *(("ce_isce", "jury_l2", epsilon) for epsilon in ("0.5", "1")),
        ("isce", "jury_pgd", "0.05"),
    ]
    verdicts = {row["training"]: row["verdict"] for row in rows}
    assert verdicts == {"ce_isce": "reference", "isce": "gain vanishes", "at": "real gain", "ce_x100": "control"}
    at = {(row["training"], row["attack"], row["epsilon"]): row for row in rows}
    one = at["isce", "jury_pgd", 0.1]
    correct, other = (np.arange(100) < np.array([[count + k] for k in range(3)]) for count in (70, 5))
    assert (one["accuracy"], one["low"], one["high"]) == pytest.approx(accuracy(correct))
    assert (one["image_low"], one["image_high"]) == pytest.approx(over_images(correct)[1:])
    assert (one["seed_low"], one["seed_high"]) == pytest.approx(over_seeds(100 * correct.mean(1))[1:])
    assert (one["gain"], one["gain_low"], one["gain_high"]) == pytest.approx(difference(correct, other))
    assert (one["clean"], one["twin_accuracy"], one["n_images"], one["seeds"]) == (95, 6, 100, 3)
    assert one["p"] == pytest.approx(2 / 2**65)
    # Two budgets claim, four decide.
    assert (one["joint_low"], one["joint_high"]) == pytest.approx(difference(correct, other, 2)[1:])
    least = at["at", "jury_linf", 0.1]
    correct, other = (np.arange(100) < np.array([[count + k * (count > 0)] for k in range(3)]) for count in (50, 0))
    assert (least["joint_low"], least["joint_high"]) == pytest.approx(difference(correct, other, 4)[1:])
    assert least["joint_low"] < least["gain_low"]
    assert one["flags"] == "D2 D13"  # a sign of the attack's is none of the network's
    assert (one["track"], one["norm"], one["twin"]) == ("printed", "linf", "ce_isce")
    assert at["isce", "jury_l2", 0.5]["norm"] == "l2" and at["isce", "jury_linf", 0.1]["p"] == 1
    assert at["ce_isce", "jury_pgd", 0.1].get("gain") is None
    # All worst cases are one family, larger than that of the claims.
    tested = [row for row in rows if row["track"] == "honest" and "p" in row]
    assert [row["p_corrected"] for row in tested] == corrected([row["p"] for row in tested])
    scaled = at["ce_x100", "jury_pgd", 0.1]
    assert scaled["control"] == CONTROLS["ce_x100"]
    assert scaled["why"].startswith("A control, logits of ce_isce x 100; as others it would be 'gain vanishes': +83.0")


def test_few_seeds_and_no_twin_decide_nothing(told):
    rows = collected(told, AT)
    assert {row["verdict"] for row in rows} == {"undecided"} and rows[0]["why"] == "Its baseline CE was not audited."
    assert "gain" not in rows[0] and rows[0]["accuracy"] == 86
    alone = context(told.root, seeds=1)
    rows = collected(alone, CE, AT)
    assert rows[-1]["verdict"] == "undecided" and rows[-1]["why"].endswith("but 1 of at least 3 seeds.")
    assert rows[-1]["seed_low"] is None


def test_an_invalid_image_counts_as_without_attack(told):
    path = told.root / told.paths.attack(CE, 0, "test", "jury_linf", "npz")
    arrays = read_npz(path)
    arrays["adversarial"][1] = -1
    write_npz(path, arrays)
    rows = [row for row in collected(told, CE) if (row["attack"], row["epsilon"]) == ("jury_linf", 0.1)]
    assert rows[0]["accuracy"] == pytest.approx(95 / 3)


def test_other_images_are_no_comparison(told):
    path = told.root / told.paths.attack(ISCE, 0, "test", "jury_linf", "npz")
    write_npz(path, read_npz(path) | {"index": np.arange(100)})
    with pytest.raises(ValueError, match=r"isce/seed\*/test/jury_linf\.json: seeds were attacked on different images"):
        collected(told, CE, ISCE)
    for seed in (1, 2):
        path = told.root / told.paths.attack(ISCE, seed, "test", "jury_linf", "npz")
        write_npz(path, read_npz(path) | {"index": np.arange(100)})
    with pytest.raises(
        ValueError, match=r"isce/seed\*/test/jury_linf\.json: other images than those of the baseline ce_isce"
    ):
        collected(told, CE, ISCE)


def test_needs():
    needs = JuryVerdicts.needs(declaration(CE, ISCE), {})
    assert needs.diagnoses == needs.runs == [CE, ISCE]
    assert needs.attacks == [(run, attack) for run in (CE, ISCE) for attack in ATTACKS]
    splits = {attack: ["test"] for attack in ATTACKS}
    files = needs.files(Paths("e"), "jury", range(3), splits, diagnosed=2)
    base = "results/e/jury/digits_gray/lenet5"
    assert [path for path in files if path.endswith("diagnostics.json")] == [
        f"{base}/{training}/seed{seed}/diagnostics.json" for training in ("ce_isce", "isce") for seed in (0, 1)
    ]
    assert len([path for path in files if "/attacks/" in path]) == 2 * 3 * 3 * 2
    # Of one seed no two are diagnosed.
    assert len(needs.files(Paths("e"), "jury", range(1), splits, diagnosed=2)) == 2 + 2 * 3 * 2


def test_the_table(told):
    rows = collected(told, CE, ISCE, AT, SCALED, controls=CONTROLS)
    made = exhibit_table("jury", "verdicts", "jury_verdicts", "T", as_text(rows, COLUMNS), [])
    (section,) = made.sections
    assert section.title == "digits gray LeNet-5, 100 images, 3 seeds"
    assert [line.labels for line in section.lines] == [
        *(("CE (isce)", "–"), ("I-SCE", "CE (isce)"), ("adversarial training", "CE (isce)")),
        ("CE, logits × 100 (control)", "CE (isce)"),
    ]
    assert made.columns[:3] == (("", "clean"), ("PGD, paper protocol", "ε = 0.05"), ("PGD, paper protocol", "ε = 0.1"))
    assert [column for _, column in made.columns[-3:]] == ["p", "flags", "verdict"]
    reference, masked, real, _ = (line.texts for line in section.lines)
    assert reference[:2] == ("95.0", "31.0") and reference[-3:] == ("–", "–", "reference")
    assert masked[2].startswith("71.0; +65.0 [") and masked[4] == "0.0; +0.0 [−3.6, 3.6]"  # 0.025 ** (1 / 100) = 0.964
    assert masked[-2:] == ("D2 D13", "gain vanishes") and real[-1] == "real gain" and float(real[-3]) < 1e-10


def test_the_figure_shows_where_a_gain_goes(tmp_path, monkeypatch):
    from lossproof.drawing import style

    seen: list = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    rows = [dict.fromkeys(COLUMNS) | row for row in verdict_rows()]
    write_csv(tmp_path / "e.csv", rows, COLUMNS)
    draw("jury_verdicts", {}, tmp_path / "e.csv", None, tmp_path / "e")
    (axes,) = (axes for part in seen[0].subfigs for axes in part.axes)
    # The twin has no row of its own.
    names = ["I-SCE", "adversarial training", "CE, logits × 100"]
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    verdicts = ["✗ gain vanishes, ε = 0.1", "✓ real gain, ε = 0.05", "◇ control, ε = 0.1"]
    assert [text.get_text() for text in axes.texts if text.get_text()] == verdicts
    dots = {line.get_marker(): line.get_xdata()[0] for line in axes.lines if round(line.get_ydata()[0]) == 0}
    assert (dots["o"], dots["s"], dots["D"]) == (65, 0, 0)
    only = [row for row in rows if row["training"] == "ce_isce"]
    write_csv(tmp_path / "e.csv", only, COLUMNS)
    with pytest.raises(ValueError, match=r"e\.csv: no rows of a network that has a baseline"):
        draw("jury_verdicts", {}, tmp_path / "e.csv", None, tmp_path / "e")


def test_many_networks_stand_in_two_columns(tmp_path, monkeypatch):
    from lossproof.drawing import style

    seen: list = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    rows = [
        dict.fromkeys(COLUMNS) | row | {"arch": arch, "training": f"{row['training']}@{at}"}
        for row in verdict_rows()
        if row["training"] != "ce_isce"
        for arch in ("lenet5", "cnn2", "resnet18")
        for at in range(4)
    ]
    write_csv(tmp_path / "e.csv", rows, COLUMNS)
    draw("jury_verdicts", {}, tmp_path / "e.csv", None, tmp_path / "e")
    panels = [[axes.get_title("left") for axes in part.axes if axes.axison] for part in seen[0].subfigs]
    assert panels == [["digits gray, LeNet-5"], ["digits gray, two-layer CNN", "digits gray, ResNet-18"]] or panels == [
        ["digits gray, LeNet-5", "digits gray, two-layer CNN"],
        ["digits gray, ResNet-18"],
    ]
    assert seen[0].get_figheight() < 6.5
