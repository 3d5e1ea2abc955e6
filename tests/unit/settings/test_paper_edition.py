"""What the recipes of the paper edition come to, run by run."""

from __future__ import annotations

import pytest

from editions import edition, load
from lossproof.settings.resolved import run_settings

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
