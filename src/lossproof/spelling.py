"""How ids are spelt for readers: the one home of printed names."""

from __future__ import annotations

NAMES = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "kmnist": "KMNIST",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "svhn": "SVHN",
    "cinic10": "CINIC-10",
    "tiny_imagenet": "Tiny ImageNet",
    "clothing1m": "Clothing1M",
    "voc2007": "VOC2007",
    "resnet18": "ResNet-18",
    "resnet34": "ResNet-34",
    "googlenet": "GoogLeNet",
    "densenet121": "DenseNet-121",
    "cnn2": "two-layer CNN",
    "ce": "CE",
    "sp_ce": "SP-CE",
    "sp_focal": "SP focal",
    "ce+l2": "CE + L2",
    "mmc": "MMC",
    "center": "center loss",
    "lgm": "L-GM",
    "none": "no attack",
    "fgsm": "FGSM",
    "bim": "BIM",
    "pgd": "PGD",
    "upgd": "UPGD",
    "train": "training images",
    "test": "test images",
    "filter_normalised": "filter-normalised",
    "package": "loss-landscapes package",
}
# What follows an attack's name in its id. A radius is shown anyway, so ids that hold one add nothing.
VARIANTS = {"library": "library settings", "1of255": "", "sweep": ""}


def name(key: str) -> str:
    """The printed name of a component; an unknown one is shown as it is written, with spaces."""
    return NAMES.get(key, key.replace("_", " "))


def attack(key: str) -> str:
    """The printed name of an attack's id, e.g. ``upgd_library`` -> "UPGD, library settings"."""
    method, _, variant = key.partition("_")
    if key in NAMES or method not in NAMES or not variant:
        return name(key)
    if variant.isdigit():
        return f"{NAMES[method]}-{variant}"
    return ", ".join(filter(None, (NAMES[method], VARIANTS.get(variant, variant.replace("_", " ")))))
