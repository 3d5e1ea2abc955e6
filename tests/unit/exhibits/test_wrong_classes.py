"""Where newly successful attacks land: counted by hand, beside chance, in rows, table and figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_records import context
from small_kinds import CONFIG, as_text, declared

from lossproof.exhibits.typeset import exhibit_table
from lossproof.exhibits.wrong_class_ranks.kind import COLUMNS, WrongClassRanks
from lossproof.exhibits.wrong_class_ranks.ranks import by_chance, fooled, frequencies, shares, together
from lossproof.paths import Run
from lossproof.planning.plan import Plan
from lossproof.records import write_json, write_npz
from lossproof.settings.faults import SettingsError
from lossproof.statistics.intervals import share

# Six classes; of every image the true one is the most probable.
TOP = np.array([[0, 1, 2, 3, 4, 5], [1, 2, 0, 3, 4, 5], [2, 3, 1, 0, 4, 5], [0, 5, 4, 3, 2, 1], [3, 2, 1, 0, 4, 5]])
LABEL = TOP[:, 0]


def test_an_image_is_new_once_and_only_if_it_was_right():
    clean = np.array([0, 1, 2, 0, 5])  # the last is wrong without attack
    adversarial = np.array([[0, 2, -1, 0, 5], [1, 1, 0, 0, 4], [2, 3, 3, 1, 3]])
    found = fooled(LABEL, clean, adversarial, TOP)
    assert found.image.tolist() == [0, 1, 2, 3]
    # Image 1 is fooled first, then right and wrong again: it counts once. Image 2 has no admissible image at first.
    assert found.budget.tolist() == [1, 0, 1, 2]
    assert found.taken.tolist() == [1, 2, 0, 1] and found.label.tolist() == [0, 1, 2, 0]
    assert found.others[0].tolist() == [1, 2, 3, 4, 5]
    # Second, second, fourth and sixth most probable class.
    assert shares(found).tolist() == [50, 0, 25, 0, 25]
    assert frequencies(found, 6).tolist() == [0.25, 0.5, 0.25, 0, 0, 0]
    assert np.isnan(shares(fooled(LABEL, LABEL, LABEL[None], TOP))).all()


def test_ranks_leave_the_true_class_out():
    # A network that draws may rank the true class lower than it predicted, or out of what is kept.
    top = np.array([[1, 0, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]])
    found = fooled(np.array([0, 0]), np.array([0, 0]), np.array([[2, 1]]), top)
    assert found.others.tolist() == [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]
    assert shares(found).tolist() == [50, 50, 0, 0, 0]


def test_three_classes_have_two_wrong_ones():
    found = fooled(np.array([0, 1]), np.array([0, 1]), np.array([[1, 0]]), np.array([[0, 1, 2], [1, 2, 0]]))
    assert shares(found).tolist() == [50, 50, 0, 0, 0]
    chance = by_chance(found, np.array([0.5, 0.5, 0]), np.random.default_rng(0))
    assert [one.value for one in chance] == [50, 50, 0, 0, 0]


def test_chance_draws_wrong_classes_by_their_frequency():
    generator = np.random.default_rng(0)
    count = 400
    label = np.zeros(count, int)
    top = np.tile(np.arange(6), (count, 1))
    taken = np.repeat([1, 2], [300, 100])
    found = fooled(label, label, taken[None], top)
    prior = frequencies(found, 6)
    second, third, *rest = by_chance(found, prior, generator)
    # All images are of one class and rank alike, so frequency explains everything.
    assert shares(found)[:2].tolist() == [75, 25]
    assert (second.value, third.value) == (75, 25) and all(one == (0, 0, 0) for one in rest)
    # Binomial: 1.96 standard deviations of 400 draws.
    half = 196 * (0.75 * 0.25 / count) ** 0.5
    assert (second.low, second.high) == pytest.approx((75 - half, 75 + half), abs=0.5)
    # Where every image is taken for its own second class, and all classes are alike, chance hits it one time in five.
    label = np.arange(count) % 6
    top = (label[:, None] + np.arange(6)) % 6
    found = fooled(label, label, ((label + 1) % 6)[None], top)
    second, *_ = by_chance(found, frequencies(found, 6), generator)
    assert shares(found)[0] == 100 and second.value == pytest.approx(20, abs=0.1) and second.high < 26
    # Its own class is not drawn, so chances are of the others only.
    assert sum(one.value for one in by_chance(found, frequencies(found, 6), generator)) == pytest.approx(100)


def test_seeds_are_counted_together():
    one = fooled(LABEL, LABEL, np.array([[1, 1, 2, 0, 3]]), TOP)
    both = together([one, one])
    assert both.image.tolist() == [0, 0] and shares(both).tolist() == shares(one).tolist()


PANELS = {
    "kind": "wrong_class_ranks",
    "panels": [{"dataset": "mnist", "arch": "lenet5", "training": "ce", "attack": "pgd_sweep"}],
}


def test_needs(tmp_path):
    panels = [*PANELS["panels"], {"dataset": "cifar10", "arch": "cnn2", "training": "ce", "attack": "fgsm"}]
    plan = Plan(CONFIG, declared(tmp_path, ranks=PANELS | {"panels": panels}))
    runs = [Run("digits_gray", "lenet5", "ce"), Run("digits_colour", "cnn2", "ce")]
    assert plan.needs["isce/ranks"].models == runs
    assert plan.needs["isce/ranks"].attacks == [(runs[0], "pgd_sweep"), (runs[1], "fgsm")]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"attack": "pdg"}, "ranks.panels.attack: unknown attack 'pdg'"),
        ({"dataset": "mnits"}, "ranks.panels.dataset: unknown data set 'mnits'"),
        ({"seeds": 3}, "ranks.panels.0.seeds: unknown key 'seeds'"),
    ],
)
def test_faults_are_named(tmp_path, change, says):
    with pytest.raises(SettingsError) as caught:
        declared(tmp_path, ranks=PANELS | {"panels": [PANELS["panels"][0] | change]})
    assert says in str(caught.value)


def collected(root: Path) -> list[dict]:
    """Two seeds; the record's budgets are not in order, and the attacked images are some of the test split."""
    told = context(root, pgd_sweep=["test"])
    run, index = Run("mnist", "lenet5", "ce"), np.array([1, 2, 4, 5])
    top = np.vstack([TOP[:1], TOP[:2], TOP[:1], TOP[2:4]])
    results = [{"epsilon": text, "epsilon_value": float(text)} for text in ("0.2", "0.1", "0")]
    for seed in range(2):
        arrays = {"test_label": top[:, 0], "test_top": top.astype(np.int16)}
        write_npz(root / told.paths.model(run, seed, "predictions.npz"), arrays)
        write_json(
            root / told.paths.attack(run, seed, "test", "pgd_sweep"),
            {"attack": {"method": "pgd", "track": "printed", "steps": 40, "step_size": None}, "results": results},
        )
        label = top[index, 0]
        adversarial = np.array([[1, 3, 3, 5], [1, 1 + seed, 2, 0], label])
        arrays = {"index": index, "label": label, "clean": label, "adversarial": adversarial}
        write_npz(root / told.paths.attack(run, seed, "test", "pgd_sweep", "npz"), arrays)
    return WrongClassRanks.collect({"panels": PANELS["panels"]}, told).rows


def test_rows(tmp_path):
    rows = collected(tmp_path)
    assert all(set(row) <= set(COLUMNS) for row in rows)
    new = {row["epsilon_printed"]: row["value"] for row in rows if row["quantity"] == "new"}
    # At 0.1 image 0 of both seeds and image 1 of the second; at 0.2 the others.
    assert new == {"0": 0, "0.1": 3, "0.2": 5, "": 8}
    assert not [row for row in rows if row["epsilon_printed"] == "0" and row["quantity"] != "new"]
    share_of = {(row["epsilon_printed"], row["rank"]): row for row in rows if row["quantity"] == "share"}
    assert share_of["0.1", "2"]["value"] == 100
    # Third of image 1 (once), second of image 2, second of image 3.
    assert [share_of["0.2", rank]["value"] for rank in ("2", "4", "later")] == [80, 20, 0]
    # Eight pairs of seed and image, of four images.
    assert share_of["", "2"]["n_images"] == 8 and share_of["", "2"]["ci_low"] == share(7 / 8, 4).low
    chance = {(row["epsilon_printed"], row["rank"]): row for row in rows if row["quantity"] == "chance"}
    assert sum(chance["", rank]["value"] for rank in ("2", "3", "4", "5", "later")) == pytest.approx(100)
    assert collected(tmp_path) == rows


def test_the_table(tmp_path):
    made = exhibit_table("pc", "fig_2", "wrong_class_ranks", "T", as_text(collected(tmp_path), COLUMNS), [])
    (section,) = made.sections
    assert section.title == "MNIST LeNet-5, CE, PGD: 8 newly fooled"
    assert [line.labels[0] for line in section.lines] == [
        *(f"{place} most probable" for place in ("2nd", "3rd", "4th", "5th")),
        "less probable",
    ]
    assert section.lines[0].texts[0].startswith("87.5 [") and "[" in section.lines[0].texts[1]
