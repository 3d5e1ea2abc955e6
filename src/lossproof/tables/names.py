"""How ids are spelt in tables and in the report."""

from __future__ import annotations

from collections.abc import Mapping

NAMES = {
    "ce": "CE",
    "focal": "focal",
    "sp_ce": "SP-CE",
    "sp_focal": "SP focal",
    "mmc": "MMC",
    "center": "center loss",
    "lgm": "L-GM",
    "resnet18": "ResNet-18",
    "resnet34": "ResNet-34",
    "googlenet": "GoogleNet",
    "densenet121": "DenseNet-121",
    "fgsm": "FGSM",
    "bim": "BIM",
    "pgd": "PGD",
    "upgd": "UPGD",
    "fgsm_library": "FGSM, library settings",
    "bim_library": "BIM, library settings",
    "upgd_library": "UPGD, library settings",
    "pgd_1of255": "PGD",
    "pgd_sweep": "PGD, sweep",
    "worst_case": "worst case",
    "train_accuracy": "train accuracy",
    "test_accuracy": "test accuracy",
    "adversarial_accuracy": "adversarial accuracy",
}


def name(word: str) -> str:
    """The spelling of an id; an unknown id with blanks for underscores."""
    return NAMES.get(word, word.replace("_", " "))


def quantity(row: Mapping[str, str]) -> str:
    """What a claim or a tidy row measures: 'PGD, ε = 8/255, 40 steps' or 'test accuracy'."""
    if row["attack"] in ("", "none"):
        return name(row["metric"])
    parts = [name(row["attack"])]
    if row["epsilon_printed"] or row["epsilon"]:
        parts.append(f"ε = {row['epsilon_printed'] or row['epsilon']}")
    if row["steps"]:
        parts.append(f"{row['steps']} step{'' if row['steps'] == '1' else 's'}")
    return ", ".join(parts)
