"""Printed claims of ``sp`` against synthetic measurements."""

from __future__ import annotations

import pytest
from tidy_rows import CLAIMS, PRINTED, REAL, STAND_INS, answer, curve, printed, tables

from lossproof.claims.ledger import COLUMNS, build_ledger
from lossproof.claims.match import agree, find, find_difference
from lossproof.claims.setting import describe, narrows
from lossproof.claims.verdict import Verdict
from lossproof.tidy import number


def ledger(tidy, *, full=False, data_for=None, **more):
    return build_ledger(
        CLAIMS,
        tidy,
        full_protocol=full,
        edition="paper" if full else "embedded",
        data_for=data_for or (REAL if full else STAND_INS),
        attacked_split="train",
        **more,
    )


def pick(rows, exhibit="table_2", **wanted):
    found = [one for one in rows if one["exhibit"] == exhibit and all(one[key] == wanted[key] for key in wanted)]
    assert len(found) == 1, (exhibit, wanted, len(found))
    return found[0]


def cell(arch="resnet18", training="sp_focal", attack="bim"):
    return {"arch": arch, "training": training, "attack": attack}


def test_every_claim_gets_a_verdict_and_a_reason():
    rows = ledger(tables())
    assert len(rows) == len(CLAIMS) == 262
    assert all(tuple(one) == COLUMNS for one in rows)
    assert {one["verdict"] for one in rows} <= {str(one) for one in Verdict}
    assert all(len(one["reason"]) > 20 and one["plausible"] for one in rows)
    # No stand-in can reproduce a number, or fail to.
    assert not {"reproduced", "not reproduced"} & {one["verdict"] for one in rows}


def test_embedded_verdicts():
    rows = ledger(tables(gain=10.0))
    holds = pick(rows, **cell())
    assert holds["verdict"] == "direction holds"
    assert (holds["measured"], holds["ci_low"], holds["split"]) == (70.0, 69.0, "train")
    assert (holds["measured_test"], holds["n_images"], holds["seeds"], holds["record"]) == (
        65.0,
        "360",
        "3",
        "a/b.json",
    )
    assert pick(rows, **cell(training="ce"))["verdict"] == "baseline"
    assert pick(ledger(tables(gain=-10.0)), **cell())["verdict"] == "direction fails"
    assert pick(ledger(tables(gain=1.0, half=1.0)), **cell())["verdict"] == "undecided"


def test_a_row_says_how_far_off_it_may_be():
    rows = ledger(tables())
    assert pick(rows, **cell())["tolerance"] == "sign"
    assert pick(rows, **cell(training="ce"))["tolerance"] == ""
    assert pick(ledger(tables(), full=True), **cell())["tolerance"] == "2"
    assert {one["tolerance"] for one in rows if one["verdict"] in ("lost", "not run")} == {""}


def test_printed_tie_is_no_direction():
    # Train accuracy is printed as 100 for both losses.
    one = pick(ledger(tables(gain=10.0)), arch="resnet18", training="sp_focal", metric="train_accuracy")
    assert one["verdict"] == "direction fails"
    assert "no difference" in one["reason"]


def test_full_protocol_compares_values():
    tidy = {"sp/table_2": []}
    for claim in CLAIMS:
        if claim["exhibit"] == "table_2":
            off = 3.0 if claim["attack"] == "pgd" else 1.5
            tidy["sp/table_2"].append(answer(claim, float(claim["value"]) + off))
    rows = [one for one in ledger(tidy, full=True) if one["exhibit"] == "table_2"]
    assert {one["verdict"] for one in rows if one["attack"] == "pgd"} == {"not reproduced"}
    assert {one["verdict"] for one in rows if one["attack"] != "pgd"} == {"reproduced"}
    # A stand-in stays a stand-in, whatever the settings are.
    rows = ledger(tidy, full=True, data_for=STAND_INS)
    assert pick(rows, **cell())["verdict"] == "undecided"


def test_table_3_names_its_missing_trainings():
    rows = [one for one in ledger(tables()) if one["exhibit"] == "table_3"]
    assert {one["verdict"] for one in rows} == {"not run"}
    assert all("mmc, center, lgm" in one["reason"] for one in rows)
    assert {one["training"] for one in rows} >= {"sp_focal", "ce"}
    rows = ledger(tables(), missing={"sp/table_3": "needs mmc, about 9 GPU hours"})
    assert all("9 GPU hours" in one["reason"] for one in rows if one["exhibit"] == "table_3")


def test_table_3_is_matched_once_it_runs():
    claims = [one for one in CLAIMS if one["exhibit"] == "table_3" and one["training"] in ("sp_focal", "ce")]
    tidy = {"sp/table_3": [answer(one, 40.0) for one in claims]}
    tidy["sp/table_3"] += [answer(one, 20.0, rival="ce") for one in claims if one["training"] == "sp_focal"]
    rows = [one for one in ledger(tidy) if one["exhibit"] == "table_3"]
    verdicts = {one["training"]: one["verdict"] for one in rows}
    assert verdicts == {
        "sp_focal": "direction holds",
        "ce": "baseline",
        "mmc": "not run",
        "center": "not run",
        "lgm": "not run",
    }


def test_a_network_that_did_not_learn():
    tidy = tables()
    for one in tidy["sp/table_2"]:
        if (one["arch"], one["metric"]) == ("googlenet", "test_accuracy") and one["training"] == "ce":
            one["value"] = "19.9"
    rows = ledger(tidy)
    failed = [one for one in rows if one["verdict"] == "failed to train"]
    assert {(one["exhibit"], one["arch"]) for one in failed if one["exhibit"] != "text_4.b.2"} == {
        ("table_2", "googlenet")
    }
    assert "19.90" in pick(rows, **cell("googlenet"))["reason"]
    # 20 classes halve the floor.
    card = {"digits_colour": {"classes": [str(one) for one in range(20)]}}
    assert "failed to train" not in {one["verdict"] for one in ledger(tidy, cards=card)}


def test_pgd_of_table_4_uses_its_own_budget():
    tidy = tables()
    decoy = [dict(one) | {"epsilon": "0.03137255", "attack": "pgd", "value": "1"} for one in tidy["sp/table_4"]]
    tidy["sp/table_4"] += [
        one for one, old in zip(decoy, tidy["sp/table_4"], strict=True) if old["attack"] == "pgd_1of255"
    ]
    assert pick(ledger(tidy), "table_4", **cell(attack="pgd"))["measured"] == 70.0


def test_only_the_printed_track_and_budget_answer_a_claim():
    claim = pick(CLAIMS, **cell())
    right = answer(claim, 70.0)
    wrong = [
        answer(claim, 1.0, track="honest"),
        answer(claim, 1.0, attack="bim_library", epsilon="0.01568627", steps="5"),
        answer(claim, 1.0, steps="10"),
        answer(claim, 1.0, arch="resnet34"),
        answer(claim, 1.0, method="upgd"),
        answer(claim | {"momentum": "1"}, 1.0, momentum="0", method="upgd"),
        answer(claim, 1.0, split="test"),
        answer(claim, 1.0, rival="ce"),
        answer(claim, 1.0, seed="0"),
    ]
    assert find(claim, [*wrong, right], split="train") is right
    assert find(claim, wrong[:-1], split="train") is None


def least_likely_and_untargeted():
    """The two claims of one cell of another paper that differ in their aim alone, by aim."""
    cells = [one for one in printed("isce", "table_2") if (one["training"], one["epsilon"]) == ("isce", "0.01")]
    found = {one["targeted"]: one for one in cells}
    assert set(found) == {"untargeted", "least_likely"} and len(cells) == 2
    return found


def test_an_attack_answers_the_claim_that_aims_as_it_does():
    claims = least_likely_and_untargeted()
    shared = {"split": "test", "attack": "pgd_l2_50", "norm": "l2"}
    tidy = [answer(claims["least_likely"], 1.0, **shared), answer(claims["untargeted"], 2.0, **shared)]
    gaps = [one | {"metric": "difference", "rival": "ce"} for one in tidy]
    for at, aim in enumerate(("least_likely", "untargeted")):
        assert find(claims[aim], tidy, split="test") is tidy[at]
        assert find_difference(claims[aim], gaps, split="test", rival="ce") is gaps[at]
        # The other one is no answer, even where it is the only row.
        assert find(claims[aim], [tidy[1 - at]], split="test") is None
    # A claim that does not state its aim leaves a choice between the two.
    assert find(claims["untargeted"] | {"targeted": ""}, tidy, split="test") is None
    assert find(claims["untargeted"] | {"targeted": ""}, tidy[:1], split="test") is tidy[0]


def test_the_reading_that_is_declared_first_answers():
    claim = least_likely_and_untargeted()["untargeted"]
    shared = {"split": "test", "norm": "l2"}
    radius = answer(claim, 1.0, attack="pgd_l2_radius", reading="radius", **shared)
    step = answer(claim, 2.0, attack="pgd_l2_step", reading="step", **shared)
    assert find(claim, [radius, step], split="test") is radius
    assert find(claim, [step, radius], split="test") is step
    assert find(claim, [radius, dict(radius)], split="test") is None


def without_budget():
    """A claim of an attack that no budget bounds, and the row that answers it."""
    claim = next(one for one in printed("pc", "table_1") if (one["dataset"], one["attack"]) == ("mnist", "cw"))
    assert not claim["epsilon"] and not claim["epsilon_printed"]
    return claim, answer(claim, 40.0, split="test", norm="l2", attack="cw_100", epsilon_printed="unbounded")


def test_an_unbounded_attack_answers_a_claim_without_a_budget_and_no_other():
    claim, row = without_budget()
    assert find(claim, [row], split="test") is row
    assert find(claim | {"epsilon": "0.3", "epsilon_printed": "0.3"}, [row], split="test") is None
    assert find(claim, [row | {"steps": "1000"}], split="test") is None
    assert find(claim, [row | {"epsilon_printed": ""}], split="test") is None
    radius = row | {"epsilon": "2", "epsilon_printed": "2"}
    assert find(claim, [radius, row], split="test") is row
    gap = row | {"metric": "difference", "rival": "ce"}
    assert find_difference(claim, [gap], split="test", rival="ce") is gap


def test_of_several_attacks_that_agree_with_a_claim_the_one_declared_first_answers():
    claim, row = without_budget()
    free = row | {"attack": "cw_free", "value": "1"}
    assert find(claim, [row, free], split="test") is row
    assert find(claim, [free, row], split="test") is free
    assert find(claim, [row, dict(row)], split="test") is None


def test_a_text_claim_covers_the_cells_that_aim_as_it_says():
    claims = least_likely_and_untargeted()
    text = claims["untargeted"] | {"metric": "difference"}
    assert narrows(text, claims["untargeted"]) and not narrows(text, claims["least_likely"])
    assert narrows(text | {"targeted": ""}, claims["least_likely"])
    assert describe(claims["least_likely"]).endswith("(eps 0.01, 50 steps, least likely)")


def test_seeds_without_an_aggregate():
    claim = pick(CLAIMS, **cell())
    seeds = [answer(claim, value, seed=str(seed), seeds="1") for seed, value in enumerate((70.0, 72.0))]
    assert find(claim, seeds[:1], split="train") is seeds[0]
    # No mean is invented here, so two seeds are no answer.
    assert find(claim, seeds, split="train") is None
    one = pick(ledger({"sp/table_2": seeds}), **cell())
    assert one["verdict"] == "not run"
    assert "bim (eps 8/255, 40 steps)" in one["reason"]


def test_only_test_images_attacked():
    claim = pick(CLAIMS, **cell())
    one = pick(ledger({"sp/table_2": [answer(claim, 65.0, split="test")]}), **cell())
    assert (one["verdict"], one["measured"], one["measured_test"]) == ("not run", None, 65.0)
    assert "training images" in one["reason"]


def test_numbers_and_fractions():
    assert number("8/255") == pytest.approx(0.031372549)
    assert agree("8/255", "0.03137255")
    assert not agree("1/255", "0.007")
    assert agree("", "0.007")
    assert number("") is None
    assert number("nan") is None
    assert number("1/0") is None


TEXT = "text_4.b.2"


def gains(tidy, exhibit, values):
    """Set difference rows on training images by (arch, attack)."""
    for one in tidy[exhibit]:
        if one["rival"] and one["split"] == "train" and (one["arch"], one["attack"]) in values:
            value = values[one["arch"], one["attack"]]
            one.update(value=str(value), ci_low=str(value - 1), ci_high=str(value + 1))


def test_wording_decides_the_reduction():
    tidy = tables()
    gains(tidy, "sp/table_2", {("googlenet", "upgd"): 2.0, ("resnet18", "bim"): 30.0})
    gains(tidy, "sp/table_1", {("resnet34", "bim"): 44.0})
    rows = ledger(tidy)
    least = pick(rows, TEXT, value="20")
    assert (least["measured"], least["verdict"]) == (2.0, "direction holds")
    assert "smallest of 16" in least["reason"]
    assert "googlenet, upgd" in least["reason"]
    nearly = pick(rows, TEXT, value="40")
    assert nearly["measured"] == 44.0
    assert "largest of 12" in nearly["reason"]
    around = pick(rows, TEXT, value="50")
    assert around["measured"] == pytest.approx((30.0 + 10 + 10 + 10) / 4)
    assert "mean of 4" in around["reason"]
    assert around["ci_high"] - around["measured"] == pytest.approx(1.0)
    assert pick(rows, TEXT, value="41.13")["measured"] == 10.0
    assert pick(rows, TEXT, value="11.05")["verdict"] == "direction holds"


def test_at_least_fails_in_one_cell():
    tidy = tables()
    gains(tidy, "sp/table_2", {("googlenet", "upgd"): -2.0})
    assert pick(ledger(tidy), TEXT, value="20")["verdict"] == "direction fails"


def test_a_minimum_needs_every_cell():
    tidy = tables()
    tidy["sp/table_2"] = [one for one in tidy["sp/table_2"] if not (one["rival"] and one["arch"] == "densenet121")]
    one = pick(ledger(tidy), TEXT, value="20")
    assert one["verdict"] == "not run"
    assert "densenet121" in one["reason"]


def test_best_competitor_waits_for_all_of_them():
    one = pick(ledger(tables()), TEXT, value="10")
    assert one["verdict"] == "not run"
    assert "mmc, center, lgm" in one["reason"]


def test_radius_of_good_accuracy():
    tidy = {
        "sp/fig_5": curve({0.01: 99, 0.05: 90, 0.1: 85, 0.2: 40, 0.3: 95}) + curve({0.01: 99, 0.05: 79}, "resnet34")
    }
    one = pick(ledger(tidy), TEXT, value="0.1")
    assert (one["measured"], one["verdict"]) == (0.01, "baseline")
    tidy = {"sp/fig_5": curve({0.05: 90, 0.1: 85, 0.2: 40}) + curve({0.05: 99, 0.1: 81, 0.2: 80}, "resnet34")}
    one = pick(ledger(tidy, full=True), TEXT, value="0.1")
    assert (one["measured"], one["verdict"]) == (0.1, "reproduced")
    missing = pick(ledger({"sp/fig_5": curve({0.1: 99})}), TEXT, value="0.1")
    assert missing["verdict"] == "not run"
    assert "resnet34" in missing["reason"]


def test_data_set_facts_need_the_real_data():
    assert pick(ledger({}), TEXT, value="270000")["verdict"] == "not run"
    cards = {
        "cinic10": {"classes": list("0123456789"), "sizes": {"train": 90_000, "valid": 90_000, "test": 90_000}},
        "cifar10": {"classes": list("0123456789"), "sizes": {"train": 50_000, "test": 10_000}},
        "clothing1m": {"classes": [str(one) for one in range(14)], "sizes": {"train": 47_570, "valid": 14_313}},
    }
    rows = ledger({}, full=True, cards=cards)
    verdicts = {one["value"]: one["verdict"] for one in rows if one["metric"] == "dataset_fact"}
    assert verdicts == {
        "270000": "reproduced",
        "4.5": "reproduced",
        "14": "reproduced",
        "14000": "reproduced",
        "50000": "not reproduced",
        "1000000": "not run",
    }


def test_a_folder_with_a_published_name_is_not_the_published_set():
    tidy = {"sp/table_2": [answer(claim, float(claim["value"])) for claim in CLAIMS if claim["exhibit"] == "table_2"]}
    card = {"cifar10": {"classes": list(range(10)), "sizes": {"train": 5, "test": 5}, "note": "JPEG, lossy"}}
    real = [one for one in ledger(tidy, full=True) if one["exhibit"] == "table_2"]
    mine = ledger(tidy, full=True, sources={"cifar10": "folder"}, cards=card)
    mine = [one for one in mine if one["exhibit"] == "table_2"]
    assert {one["verdict"] for one in real} == {"reproduced"}
    assert "reproduced" not in {one["verdict"] for one in mine}
    assert all(one["reason"].endswith("Measured on cifar10: JPEG, lossy.") for one in mine)


GRAY = ("mnist", "kmnist", "fashion_mnist")


def success_rate(
    accuracies: dict[tuple[str, str], float], *, full: bool = True, half: float = 1.0, clean: float = 99.0
) -> dict[str, object]:
    """The ledger's row of the success rate near 100 percent, after accuracies of PC by data set and attack."""
    claims = [one for one in PRINTED if one["paper"] == "pc"]
    known = dict.fromkeys(GRAY, "digits_gray") | {"cifar10": "digits_colour", "svhn": "digits_colour"}
    rows = []
    for claim in printed("pc", "table_1"):
        place = (claim["dataset"], claim["attack"])
        at = {"paper": "pc", "data": known[claim["dataset"]], "arch": claim["arch"], "split": "test"}
        if claim["training"] == "pc" and claim["epsilon_printed"] == "0.3" and place in accuracies:
            rows.append(answer(claim, accuracies[place], half, **at))
        elif claim["attack"] == "cw" or (claim["training"] == "pc" and claim["epsilon_printed"] in ("0.1", "0.2")):
            rows.append(answer(claim, 98.0, **at))  # none of the claim's business
        elif claim["metric"] == "clean_accuracy":
            rows.append(answer(claim, clean, metric="test_accuracy", **at))
    data_for = {name: name for name in known} if full else known
    told = {"full_protocol": full, "edition": "e", "data_for": data_for}
    return pick(build_ledger(claims, {"pc/table_1": rows}, **told), exhibit="text_gradient_masking")


def every(value: float) -> dict[tuple[str, str], float]:
    return {(dataset, attack): value for dataset in GRAY for attack in ("fgsm", "bim", "pgd", "mim")}


def test_close_to_all_attacks_succeed():
    found = success_rate(every(2.0))
    assert (found["verdict"], found["measured"], found["ci_low"], found["ci_high"]) == ("reproduced", 98.0, 97.0, 99.0)
    assert "of 12 cells" in str(found["reason"]) and found["split"] == "test"


def test_one_cell_in_which_attacks_fail_is_enough():
    found = success_rate(every(2.0) | {("kmnist", "bim"): 60.0})
    assert (found["verdict"], found["measured"]) == ("not reproduced", 40.0)
    assert "kmnist / lenet5 / pc under bim" in str(found["reason"])
    # Far off, it needs no other cell; close, it does.
    only = {("mnist", "pgd"): 30.0}
    assert success_rate(only)["verdict"] == "not reproduced" and "11 more did not run" in str(
        success_rate(only)["reason"]
    )
    found = success_rate({("mnist", "pgd"): 1.0})
    assert found["verdict"] == "not run" and "11 cell(s)" in str(found["reason"])
    # Not told from close by its interval.
    assert success_rate({("mnist", "pgd"): 7.0}, half=4.0)["verdict"] == "not run"


def test_a_success_rate_elsewhere():
    assert success_rate(every(2.0), full=False)["verdict"] == "undecided"
    assert success_rate({})["verdict"] == "not run"
    assert success_rate(every(2.0), clean=12.0)["verdict"] == "failed to train"


def table_5(dataset: str) -> dict[str, dict[str, object]]:
    """The ledger of table 5's PGD on one data set, by training: PC 10 above CE with adversarial training, others 5."""
    claims = [one for one in PRINTED if one["paper"] == "pc"]
    rows = []
    for claim in printed("pc", "table_5"):
        if (claim["dataset"], claim["attack"]) == (dataset, "pgd"):
            at = {"paper": "pc", "split": "test"}
            gap = {"ce+at": 0.0, "pc": 10.0}.get(claim["training"], 5.0)
            rows.append(answer(claim, 50 + gap, **at))
            if gap:
                rows.append(answer(claim, gap, rival="ce+at", **at))
    told = {"full_protocol": False, "edition": "e", "data_for": STAND_INS}
    found = build_ledger(claims, {"pc/table_5": rows}, **told)
    wanted = {"exhibit": "table_5", "dataset": dataset, "attack": "pgd"}
    return {one["training"]: one for one in found if all(one[key] == value for key, value in wanted.items())}


def test_the_only_training_with_cross_entropy_is_the_rival():
    found = table_5("mnist")
    assert {name: one["verdict"] for name, one in found.items()} == {
        "ce+at": "baseline",
        "gce+at": "direction holds",
        "pc+at": "direction holds",
        "pc": "direction holds",  # its twin, CE without adversarial training, is not printed there
    }
    assert "Difference to CE + AT: measured +10.00" in str(found["pc"]["reason"])
    assert {name: one["verdict"] for name, one in table_5("cifar10").items()} == {
        "ce+at": "baseline",
        "pc+at": "direction holds",
    }
