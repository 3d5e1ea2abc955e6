"""Where the papers are silent: the ids in the configuration, so that a reader finds each default and flips it."""

from __future__ import annotations

import re

import pytest

from editions import BASE, EXHIBITS, edition, load
from lossproof.settings.resolved import run_settings

FILES = (BASE, edition("paper"))
LAST = {"SP": 28, "IS": 21, "PC": 24}
# Every place where the stationary-point paper is silent, but for those that are no setting of an edition.
NO_SETTING = {
    4: "which SP-CE: used by the theory checks only, which look at every form",
    15: "network of table_3: declared in exhibits/sp.yaml",
    20: "GoogLeNet without auxiliary heads: the architecture's file",
    21: "gray images: every network is built for the channels of its data set",
    22: "evaluation mode under attack: no attack of ours can be run otherwise",
    24: "axis of fig_2 c, d: the file of the check loss_curves",
}


# The same of the probabilistically compact loss's paper.
NO_SETTING_PC = {
    14: "network of CIFAR-100: declared in exhibits/pc.yaml",
    20: "evaluation mode under attack: no attack of ours can be run otherwise",
    22: "t-SNE: the file in src/lossproof/embeddings",
}


def named() -> set[tuple[str, int]]:
    """Paper and number of the ids beside keys; a file's opening comment only explains what an id is."""
    text = "\n".join(re.sub(r"\A(#.*\n)+", "", path.read_text()) for path in FILES)
    return {(paper, int(number)) for paper, number in re.findall(r"\b(SP|IS|PC)-A(\d+)\b", text)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_id_has_the_right_form(path):
    text = path.read_text()
    # Anything that looks like an id, mistyped ones too.
    found = re.findall(r"\b(?:SP|IS|ISCE|PC)[-_ ]?A[-_ ]?\d+\w*", text, re.IGNORECASE)
    assert found
    for one in found:
        assert re.fullmatch(r"(SP|IS|PC)-A[1-9]\d?", one), one
        paper, number = one.split("-A")
        assert 1 <= int(number) <= LAST[paper], one


def test_every_silence_of_the_first_paper_is_a_setting_or_excused():
    settings = {number for paper, number in named() if paper == "SP"}
    assert settings | set(NO_SETTING) == set(range(1, LAST["SP"] + 1))
    assert not settings & set(NO_SETTING), "a setting needs no excuse"
    assert "SP-A15" in (EXHIBITS / "sp.yaml").read_text()


def test_the_other_papers_trainings_name_their_defaults():
    assert {("IS", number) for number in (7, 8, 9, 21)} <= named()


def test_every_silence_of_the_third_paper_is_a_setting_or_excused():
    settings = {number for paper, number in named() if paper == "PC"}
    assert settings | set(NO_SETTING_PC) == set(range(1, LAST["PC"] + 1))
    assert not settings & set(NO_SETTING_PC), "a setting needs no excuse"
    assert {"PC-A14", "PC-A22"} <= set(re.findall(r"PC-A\d+", (EXHIBITS / "pc.yaml").read_text()))


PRINTED_EPOCHS = [
    *[("ce", name, 50) for name in ("mnist", "fashion_mnist")],
    *[("sp_focal", name, epochs) for name, epochs in (("cifar10", 200), ("cinic10", 100), ("voc2007", 500))],
    ("focal", "clothing1m", 100),
    *[("ce_isce", "mnist", 40), ("ce_isce", "cifar10", 200)],
    *[("ce_pc", name, 100) for name in ("mnist", "kmnist", "fashion_mnist")],
    *[("ce_pc", name, 300) for name in ("cifar10", "cifar100", "svhn", "tiny_imagenet")],
]


@pytest.mark.parametrize(("training", "dataset", "epochs"), PRINTED_EPOCHS)
def test_every_data_set_has_its_papers_epochs(training, dataset, epochs):
    assert run_settings(load(edition("paper")), dataset, "lenet5", training)["epochs"] == epochs


def test_the_other_papers_trainings_resolve():
    config = load(edition("paper"))
    isce = run_settings(config, "cifar10", "lenet5", "ce_isce")
    assert (isce["optimiser"]["learning_rate"], isce["batch_size"], isce["selection"]) == (0.001, 128, "last")
    assert isce["augmentation"] == "crop_flip"
    compact = run_settings(config, "cifar100", "lenet5", "ce_pc")
    assert (compact["optimiser"]["learning_rate"], compact["batch_size"]) == (0.01, 256)
    assert compact["augmentation"] == "crop_flip"
    for training, dataset in (("ce_isce", "mnist"), ("ce_pc", "svhn"), ("ce", "cifar10")):
        assert run_settings(config, dataset, "lenet5", training)["augmentation"] == "none"
    # The other papers' recipes leave the first paper's alone.
    first = run_settings(config, "cifar10", "resnet18", "ce")
    assert (first["batch_size"], first["selection"], first["model"]["stem"]) == (128, "best_test", "imagenet")
