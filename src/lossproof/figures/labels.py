"""Printed names of data sets, networks, attacks and splits."""

from __future__ import annotations

NAMES = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "cinic10": "CINIC-10",
    "clothing1m": "Clothing1M",
    "voc2007": "VOC2007",
    "resnet18": "ResNet-18",
    "resnet34": "ResNet-34",
    "googlenet": "GoogLeNet",
    "densenet121": "DenseNet-121",
    "cnn2": "two-layer CNN",
    "none": "no attack",
    "fgsm": "FGSM",
    "bim": "BIM",
    "pgd": "PGD",
    "upgd": "UPGD",
    "worst_case": "worst case",
    "library": "library",
    "1of255": "step 1/255",
    "sweep": "",
    "train": "training images",
    "test": "test images",
    "filter_normalised": "filter-normalised",
    "package": "loss-landscapes package",
}
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def name(key: str) -> str:
    """The printed name of a component; an unknown one is shown as it is written, with spaces."""
    return NAMES.get(key, key.replace("_", " "))


def attack(key: str) -> str:
    """The printed name of an attack's id, e.g. ``upgd_library`` -> "UPGD, library"."""
    method, _, variant = key.partition("_")
    if key in NAMES or method not in NAMES or not variant:
        return name(key)
    if variant.isdigit():
        return f"{NAMES[method]}-{variant}"
    return ", ".join(filter(None, (NAMES[method], name(variant))))


def dataset(paper_name: str, ran_on: str) -> str:
    """The paper's data set and, where another one stood in for it, which."""
    return name(paper_name) if ran_on in ("", paper_name) else f"{name(paper_name)} (here: {name(ran_on)})"


def short(value: float) -> str:
    """A number for a label: three significant digits; a power of ten below 0.001 and from 100,000 on."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}×10{str(int(exponent)).translate(SUPERSCRIPT)}"
