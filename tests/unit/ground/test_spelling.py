"""How the ids of attacks are spelt."""

from __future__ import annotations

import pytest

from lossproof.display_names import attack, budget, in_full, name


@pytest.mark.parametrize(
    ("key", "beside", "spelt"),
    [
        ("fgsm_gray", (), "FGSM"),
        ("pgd_many", (), "PGD"),
        ("bim_colour_library", (), "BIM, library settings"),
        ("mim_gray", (), "MIM"),
        ("mim_40", (), "MIM-40"),
        ("mim_40", ("40",), "MIM"),
        ("cw_100", (), "C&W-100"),
        ("cw_100", ("100",), "C&W"),
        ("spsa_10", (), "SPSA-10"),
        ("spsa_many", ("10",), "SPSA"),
        ("transfer_pgd_gray", ("40",), "PGD, transferred"),
        ("transfer_mim_colour", (), "MIM, transferred"),
        ("cw_free", (), "C&W, pixels free"),
        ("pgd_1of255", (), "PGD"),
        ("pgd_of_mine", (), "PGD, of mine"),
        ("gray_thing", (), "gray thing"),
    ],
)
def test_names_of_attacks(key, beside, spelt):
    assert attack(key, beside) == spelt


def test_budgets():
    assert [budget(printed) for printed in ("8/255", "unbounded", "")] == ["ε = 8/255", "unbounded", ""]


def test_names_of_several_papers_trainings():
    names = [in_full(training) for training in ("ce", "ce_isce", "ce_pc@last", "mmc_sp", "sp_ce", "nce", "mine_pc")]
    assert names == ["CE", "CE (isce)", "CE @last (pc)", "MMC (sp)", "SP-CE", "CE, normalised logits", "mine pc"]


def test_names_of_a_sweep_s_trainings():
    names = [name(training) for training in ("isce_grid.s=1.m=0.02", "at_level.epsilon=8of255", "mine.wide_net=2")]
    assert names == ["I-SCE, s = 1, m = 0.02", "adversarial training, ε = 8/255", "mine, wide net = 2"]
    assert in_full("isce_grid.s=1.m=0.02") == names[0]
