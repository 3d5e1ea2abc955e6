"""How ids are spelt for readers: the one home of printed names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

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
    "resnet32": "ResNet-32",
    "resnet56": "ResNet-56",
    "resnet32_3d": "ResNet-32, three units",
    "lenet5_3d": "LeNet-5, three units",
    "resnet34": "ResNet-34",
    "lenet5": "LeNet-5",
    "cnn8": "eight-layer CNN",
    "vgg13": "VGG-13",
    "googlenet": "GoogLeNet",
    "densenet121": "DenseNet-121",
    "cnn2": "two-layer CNN",
    "cnn3": "three-layer CNN",
    "ce": "CE",
    "sp_ce": "SP-CE",
    "sp_focal": "SP focal",
    "ce+l2": "CE + L2",
    "mmc": "MMC",
    "center": "center loss",
    "lgm": "L-GM",
    "arcface": "ArcFace",
    "random": "random resize",
    "label_smoothing": "label smoothing",
    "at": "adversarial training",
    "at_steps": "adversarial training, steps",
    "at_level": "adversarial training",
    "isce": "I-SCE",
    "isce_grid": "I-SCE",
    "pc": "PC",
    "pc_sum": "PC, sum",
    "pc_hard": "PC, hard",
    "pc_sum_hard": "PC, reported form",
    "pc_only": "PC without LC",
    "lc_only": "CE + LC",
    "gce": "GCE",
    "ce+at": "CE + AT",
    "gce+at": "GCE + AT",
    "pc+at": "PC + AT",
    "nce": "CE, normalised logits",
    "isce_minus": "I-SCE, negative margin",
    "ce_x100": "CE, logits × 100",
    "ce_like_isce": "CE, confidence-matched to I-SCE",
    "ce_like_sp_focal": "CE, confidence-matched to SP focal",
    "ce_like_pc": "CE, confidence-matched to PC",
    "none": "no attack",
    "fgsm": "FGSM",
    "bim": "BIM",
    "pgd": "PGD",
    "upgd": "UPGD",
    "mim": "MIM",
    "cw": "C&W",
    "spsa": "SPSA",
    "transfer_pgd": "PGD, transferred",
    "transfer_mim": "MIM, transferred",
    "pgd10_8of255": "PGD-10",
    "pgd50_8of255": "PGD-50",
    "pgd10_16of255": "PGD-10",
    "pgd50_16of255": "PGD-50",
    "pgd_l2": "L2 PGD",
    "deepfool": "DeepFool",
    "simba": "SimBA",
    "worst_case": "worst case",
    "every_target": "every target",
    "worst_case_l2": "worst case, L2",
    "jury_pgd": "PGD, paper protocol",
    "jury_linf": "strongest L∞ attack",
    "jury_l2": "strongest L2 attack",
    "between_within": "scatter between / within classes",
    "nearest_centroid": "nearest centroid right (%)",
    "separation": "smallest centre distance / mean spread",
    "mean_probability_gap": "mean probability gap",
    "survives": "right under attack",
    "fooled": "fooled",
    "inside_bound": "inside the bound (%)",
    "median_gap": "median gap",
    "median_gradient": "median gradient",
    "fooled_share": "fooled, of right images (%)",
    "centre_distance": "distance from the common centre",
    "centre_distance_before": "… of the same images before the attack",
    "nearest_class": "taken for the nearest class (%)",
    "single_step": "one step − iterative",
    "black_box_worst": "black box − worst white box",
    "black_box_pgd": "black box − PGD",
    "growth": "ε − next larger ε",
    "remaining": "left at the largest ε",
    "train": "training images",
    "test": "test images",
    "filter_normalised": "filter-normalised",
    "package": "loss-landscapes package",
}
# Trainings at the settings of one paper end in its name, e.g. ce_isce; a reader of that paper's exhibit knows it.
PAPERS = ("_sp", "_isce", "_pc")
# Words that follow an attack's name in its id. A radius is shown anyway, and so is the data set, so that ids which
# hold one, or tell the attacks on one kind of data (gray, colour, many classes) from those on another, add nothing.
VARIANTS = {
    "library": "library settings",
    "long": "more steps",
    "free": "pixels free",
    "1of255": "",
    "sweep": "",
    "gray": "",
    "colour": "",
    "many": "",
    "fine": "",
    "grid": "",
}
# Whose choice is shown in words of its own, where an exhibit has both.
TARGETED = {"untargeted": "untargeted", "least_likely": "targeted: least likely", "every": ""}  # the last in its name
# What the budget of an attack is taken to mean, where a paper leaves it open.
READINGS = {
    "radius": "ε: L2 radius",
    "rms": "ε: RMS radius",
    "linf": "ε: L∞ radius",
    "per_step": "ε: each L2 step",
    "per_step_rms": "ε: each RMS step",
    "per_step_sign": "ε: each sign step",
}
# Words of an attack's id that say what is shown anyway.
AIMS = ("un", "untargeted", "tar", "targeted")


def recipe(training: str) -> str:
    """A training's id without the paper whose settings it has: ``ce_isce`` -> ``ce``, also with a selection."""
    base, at, selection = training.partition("@")
    shorter = next((base.removesuffix(paper) for paper in PAPERS if base.endswith(paper)), "")
    return (shorter if shorter in NAMES else base) + at + selection


def in_full(training: str) -> str:
    """A training's name where those of several papers stand together: ``ce_isce`` -> "CE (isce)"."""
    base, at, selection = training.partition("@")
    paper = base.removeprefix(recipe(base)).removeprefix("_")
    return " ".join(filter(None, (name(base), at + selection, f"({paper})" if paper else "")))


def as_printed(rows: Iterable[Mapping[str, str]], reported_as: Mapping[str, str]) -> list[dict[str, str]]:
    """Tidy rows whose trainings have the paper's own names: ``reported_as`` by ours where the two differ."""
    names = ("training", "rival")
    return [dict(row) | {key: reported_as.get(row[key], row[key]) for key in names if row.get(key)} for row in rows]


def name(key: str) -> str:
    """The printed name of a component; an unknown one is shown as it is written, with spaces.

    Of a sweep's training the settings follow: ``isce_grid.s=1.m=0.05`` -> "I-SCE, s = 1, m = 0.05".
    """
    if "=" in key:
        base, *settings = re.split(r"\.(?=[a-z_]+=)", key)
        said = (one.partition("=") for one in settings)
        return ", ".join([name(base), *(f"{parameter(one)} = {value.replace('of', '/')}" for one, _, value in said)])
    return NAMES.get(key) or NAMES.get(recipe(key), key.replace("_", " "))


def parameter(key: str) -> str:
    """A swept setting as on an axis; of ``defence.epsilon`` the last part."""
    last = key.rpartition(".")[2]
    return {"epsilon": "ε"}.get(last, last.replace("_", " "))


def attack(key: str, beside: Collection[str] = ()) -> str:
    """The printed name of an attack's id, e.g. ``upgd_library`` -> "UPGD, library settings".

    Its words that are among ``beside`` (what is shown beside the name: steps, reading) are left out.
    """
    words = [word for word in key.split("_") if word not in (*AIMS, *beside)]
    # The longest known beginning is the method: ``pgd_l2`` is another one than ``pgd``.
    method = next((at for at in range(len(words), 0, -1) if "_".join(words[:at]) in NAMES), 0)
    known = "_".join(words[:method])
    variant = "_".join(word for word in words[method:] if VARIANTS.get(word) != "")
    if not known or not variant:
        return name(known or "_".join(words))
    if variant.isdigit():
        return f"{NAMES[known]}-{variant}"
    return f"{NAMES[known]}, {VARIANTS.get(variant, variant.replace('_', ' '))}"


def opponents(one: str, other: str) -> str:
    """Two attacks whose accuracies are compared: "FGSM − PGD"; one where it is compared with itself or with nothing."""
    return attack(one) if other in ("", one) else f"{attack(one)} − {attack(other)}"


def rank(key: str, *, short: bool = False) -> str:
    """A class by how probable it was: "2" -> "2nd most probable", in short "2nd"; "later": all behind the others."""
    if key == "later":
        return "less probable"
    place = {"1": "", "2": "2nd", "3": "3rd"}.get(key, f"{key}th")
    return place if short else f"{place} most probable".lstrip()


def targeted(key: str) -> str:
    """What an attack aims at, in words: ``least_likely`` -> "targeted: least likely"; nothing for nothing."""
    return TARGETED.get(key, f"targeted: {name(key)}" if key else "")


def steps(key: str, count: str) -> str:
    """How long an attack goes on: '40 steps', or '300 queries' of one that only asks the network; '' where not said."""
    one, more = ("query", "queries") if key.startswith("simba") else ("step", "steps")
    return f"{count} {one if count == '1' else more}" if count else ""


def budget(printed: str) -> str:
    """The size of a perturbation: 'ε = 8/255', 'unbounded'; nothing for nothing."""
    return "unbounded" if printed == "unbounded" else printed and f"ε = {printed}"


def reading(key: str) -> str:
    """How an attack's budget is read, in words; nothing where there is only one way."""
    return READINGS.get(key, f"ε: {name(key)}" if key else "")


def substituted(paper_name: str, ran: str) -> str:
    """The paper's data set or network and, where another one ran in its place, which."""
    return name(paper_name) if ran in ("", paper_name) else f"{name(paper_name)} (here: {name(ran)})"
