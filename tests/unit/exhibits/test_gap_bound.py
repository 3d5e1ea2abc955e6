"""The gradient bound: who lies inside it, among those who survive an attack and those who do not."""

from __future__ import annotations

import numpy as np
import pytest
from fake_records import attacked, context, sensitive
from small_kinds import BOUND, CONFIG, as_text, declared

from lossproof.exhibits.gap_bound.kind import COLUMNS, GapBound
from lossproof.exhibits.typeset import exhibit_table
from lossproof.paths import Run
from lossproof.planning.plan import Plan
from lossproof.records import read_npz, write_json, write_npz
from lossproof.statistics.intervals import accuracy, over_seeds

RUN = Run("mnist", "lenet5", "ce_isce")
DECLARED = {"datasets": ["mnist"], "archs": ["lenet5"], "trainings": ["ce_isce"], "attacks": ["pgd"]}
LINF = {"method": "pgd", "track": "printed", "norm": "linf", "steps": 40}


def collected(tmp_path, settings=LINF, inside=(12, 12)):
    """Twenty images of which the first ten survive; ``inside`` the bound at 0.02 are so many, by seed."""
    told = context(tmp_path, seeds=len(inside), pgd=["test"])
    for seed, count in enumerate(inside):
        attacked(told, RUN, seed, "pgd", settings, 10)
        gap = np.arange(1, 21, dtype=np.float32)
        # The bound is gap / 0.02 for the norm that counts.
        factor = np.where(np.arange(20) < count, 0.99, 1.01) * (2 if settings["norm"] == "l2" else 1)
        sensitive(told, RUN, seed, gap, (gap / 0.02 * factor).astype(np.float32))
    return told, GapBound.collect(DECLARED, told)


def values(tidy, seeds):
    return {
        (row["group"], row["quantity"]): (row["value"], row.get("ci_low"), row.get("ci_high"), row["n_images"])
        for row in tidy.rows
        if (row.get("seed") is None) == (seeds is None) and row.get("seed") in (None, seeds)
    }


def test_shares_inside_the_bound_by_outcome(tmp_path):
    _, tidy = collected(tmp_path)
    assert all(set(row) <= set(COLUMNS) for row in tidy.rows)
    one = values(tidy, 0)
    assert one["survives", "inside_bound"] == (*accuracy(np.ones((1, 10))), 10)
    share = np.arange(10) < 2
    assert one["fooled", "inside_bound"] == (*accuracy(share[None]), 10)
    assert one["survives", "median_gap"][0] == 5.5 and one["fooled", "median_gap"][0] == 15.5
    assert one["fooled", "median_gradient"][0] == pytest.approx(15.5 / 0.02 * 1.01)
    assert one["fooled", "median_gradient"][1] is None
    assert {(row["epsilon"], row["norm"], row["steps"]) for row in tidy.rows} == {(0.02, "linf", 40)}


def test_the_mean_over_seeds_has_an_interval_over_seeds(tmp_path):
    _, tidy = collected(tmp_path, inside=(12, 14))
    mean, low, high = over_seeds(np.array([20.0, 40.0]))
    assert values(tidy, None)["fooled", "inside_bound"] == (mean, max(low, 0), min(high, 100), 10)
    assert values(tidy, None)["survives", "inside_bound"][0] == 100
    (row,) = [row for row in tidy.rows if row["quantity"] == "inside_bound" and row["group"] == "fooled" and
              "seed" not in row]  # fmt: skip
    assert row["seeds"] == 2 and row["record"].endswith("seed*/test/pgd.json")


def test_an_l2_attack_is_read_with_the_l2_norm(tmp_path):
    _, tidy = collected(tmp_path, LINF | {"norm": "l2"})
    assert values(tidy, 0)["fooled", "inside_bound"][0] == 20


def test_wrong_images_belong_to_no_group_and_invalid_ones_survive(tmp_path):
    told, _ = collected(tmp_path, inside=(12,))
    path = told.root / told.paths.attack(RUN, 0, "test", "pgd", "npz")
    arrays = read_npz(path)
    arrays["clean"][:4] += 1  # wrong without attack
    arrays["adversarial"][0, 15:] = -1  # no admissible image
    # The attack saw the last images only, in another order than the gradients.
    write_npz(path, {name: array[..., 2:][..., ::-1] for name, array in arrays.items()})
    tidy = GapBound.collect(DECLARED, told)
    assert values(tidy, None)["survives", "median_gap"] == (np.median([*range(5, 11), *range(16, 21)]), None, None, 11)
    assert values(tidy, None)["fooled", "median_gap"][-1] == 5
    place = "mnist/lenet5/ce_isce/pgd"
    assert tidy.arrays is not None
    assert tidy.arrays[f"gap/{place}"].tolist() == list(range(20, 4, -1))
    assert tidy.arrays[f"survives/{place}"].shape == (1, 16) and tidy.arrays[f"survives/{place}"].sum() == 11


def test_no_image_no_figure(tmp_path):
    told, _ = collected(tmp_path, inside=(12,))
    attacked(told, RUN, 0, "pgd", LINF, 20)
    tidy = GapBound.collect(DECLARED, told)
    assert values(tidy, 0)["fooled", "inside_bound"] == (None, None, None, 0)
    assert ("fooled", "inside_bound") not in values(tidy, None)
    made = exhibit_table("pc", "x", "gap_bound", "T", as_text(tidy.rows, COLUMNS), [])
    assert made.sections[0].lines[0].texts[4:] == ("0", "–", "–", "–")


def test_what_has_no_bound_is_refused(tmp_path):
    told, _ = collected(tmp_path, inside=(12,))
    attacked(told, RUN, 0, "pgd", LINF | {"norm": "l0"}, 10)
    with pytest.raises(ValueError, match=r"pgd\.json: a bound on gradients needs .*norm linf or l2"):
        GapBound.collect(DECLARED, told)
    attacked(told, RUN, 0, "pgd", LINF, 10)
    record = {"attack": LINF, "results": [{"epsilon": "none", "epsilon_value": None}]}
    write_json(told.root / told.paths.attack(RUN, 0, "test", "pgd"), record)
    with pytest.raises(ValueError, match="a bound on gradients needs an attack in a ball"):
        GapBound.collect(DECLARED, told)
    attacked(told, RUN, 0, "pgd", LINF, 10, images=21)
    with pytest.raises(ValueError, match=r"sensitivity\.npz: no gradient for image 20, which pgd attacks"):
        GapBound.collect(DECLARED, told)


def test_needs(tmp_path):
    plan = Plan(CONFIG, declared(tmp_path, bound=BOUND))
    needs = plan.needs["isce/bound"]
    runs = [Run("digits_gray", "lenet5", training) for training in ("ce_isce", "isce")]
    assert needs.sensitivities == needs.runs == runs and needs.attacks == [(run, "pgd") for run in runs]
    inputs = plan.inputs(plan.exhibit("isce", "bound"))
    base = "results/embedded/jury/digits_gray/lenet5/isce"
    assert [path for path in inputs if path.startswith(base)] == [
        f"{base}/seed{seed}/sensitivity.{suffix}" for seed in range(3) for suffix in ("json", "npz")
    ]


def test_the_table(tmp_path):
    _, tidy = collected(tmp_path)
    made = exhibit_table("pc", "x", "gap_bound", "T", as_text(tidy.rows, COLUMNS), [])
    (section,) = made.sections
    assert section.title == "MNIST LeNet-5: PGD, ε = 0.02, 40 steps"
    (line,) = section.lines
    assert line.labels == ("CE",)
    assert line.texts[0] == line.texts[4] == "10"
    assert line.texts[1] == "100.0 [100.0, 100.0]" and line.texts[5].startswith("20.0 [")
    assert line.texts[2] == "5.5 [5.5, 5.5]"
    assert made.columns[0] == ("right under attack", "images")
