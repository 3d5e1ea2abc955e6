"""Invented tidy rows of the paper that compares ten trainings: tables, sweeps, embeddings."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

TRAININGS = ("ce_isce", "nce", "center", "lgm", "arcface", "mmc", "random", "label_smoothing", "at", "isce")
NETWORKS = (("mnist", "digits_gray", "lenet5"), ("cifar10", "digits_colour", "cnn8"))
# id, norm, epsilon, steps, targeted, reading
ATTACKS = (
    ("pgd_l2_10", "l2", "0.02", 10, "untargeted", "step"),
    ("pgd_l2_50", "l2", "0.02", 50, "untargeted", "step"),
    ("pgd_l2_50", "l2", "0.04", 50, "untargeted", "step"),
    ("pgd_l2_50_tar", "l2", "0.02", 50, "least_likely", "step"),
    ("pgd_l2_50_tar", "l2", "0.04", 50, "least_likely", "step"),
    ("pgd_l2_radius", "l2", "0.04", 50, "untargeted", "radius"),
    ("deepfool", "l2", "1.5", 50, "untargeted", ""),
    ("simba", "l2", "0.5", 300, "untargeted", ""),
    ("simba", "l2", "1.5", 300, "untargeted", ""),
)
Rows = list[dict[str, Any]]


def accuracies(
    trainings: tuple[str, ...] = TRAININGS,
    networks: tuple[tuple[str, str, str], ...] = NETWORKS,
    attacks: tuple[tuple[Any, ...], ...] = ATTACKS,
    seeds: int = 3,
    splits: tuple[str, ...] = ("test",),
) -> Rows:
    """Rows of every network under every attack, each seed and over the seeds; no seed is better than another."""
    generator = np.random.default_rng(0)
    found: Rows = []
    for (dataset, data, arch), training in product(networks, trainings):
        for split in splits:
            shared = {"dataset": dataset, "data": data, "arch": arch, "training": training, "split": split}
            clean = {"metric": f"{split}_accuracy", "attack": "none"}
            told = [(clean, 97.0)] + [
                (
                    dict(zip(("attack", "norm", "epsilon", "steps", "targeted", "reading"), attack, strict=True))
                    | {"metric": "adversarial_accuracy", "track": "printed", "epsilon_printed": attack[2]},
                    float(generator.uniform(0, 90)),
                )
                for attack in attacks
            ]
            for what, level in told:
                values = np.clip(level + generator.normal(0, 2, seeds), 0, 100)
                found += [
                    shared | what | {"seed": seed, "value": value, "ci_low": value - 8, "ci_high": min(100, value + 8)}
                    for seed, value in enumerate(values)
                ]
                mean = float(values.mean())
                found.append(shared | what | {"value": mean, "ci_low": max(0, mean - 5), "ci_high": min(100, mean + 5)})
    return found


def sweep(
    over: dict[str, tuple[float, ...]],
    networks: tuple[tuple[str, str, str], ...] = NETWORKS,
    attacks: tuple[tuple[Any, ...], ...] = ATTACKS[2:3] + ATTACKS[6:7],
    half: float = 6.0,
) -> Rows:
    """Rows of a sweep over one or two settings, over the seeds: a hill under noise of its intervals' size."""
    generator = np.random.default_rng(1)
    keys = list(over)
    found: Rows = []
    clean = ("none", "", "", "", "", "")
    for (dataset, data, arch), attack in product(networks, (clean, *attacks)):
        what = dict(zip(("attack", "norm", "epsilon", "steps", "targeted", "reading"), attack, strict=True))
        what |= {"epsilon_printed": attack[2], "track": "" if attack == clean else "printed", "split": "test"}
        what |= {"metric": "test_accuracy" if attack == clean else "adversarial_accuracy"}
        panel: Rows = []
        for values in product(*over.values()):
            height = 60 - sum(
                40 * ((value - min(row)) / (max(row) - min(row) or 1) - 0.4) ** 2
                for value, row in zip(values, over.values(), strict=True)
            )
            value = float(np.clip(95 if attack == clean else height + generator.normal(0, half / 3), 0, 100))
            axes = {}
            for axis, key, at in zip("xy", keys, values, strict=False):
                axes |= {f"{axis}_parameter": key, axis: at}
            training = ".".join(["sweep", *(f"{key}={at}" for key, at in zip(keys, values, strict=True))])
            row = {"dataset": dataset, "data": data, "arch": arch, "training": training}
            panel.append(
                row | what | axes | {"value": value, "ci_low": value - half, "ci_high": min(100, value + half)}
            )
        best = max(panel, key=lambda row: row["value"])
        for row in panel:
            found.append(row)
            if row is not best:
                gap = row["value"] - best["value"]
                change = {"metric": "difference", "rival": best["training"], "value": gap}
                found.append(row | change | {"ci_low": gap - half, "ci_high": gap + half})
    return found


GRID = {"s": (1.0, 1.25, 1.5, 1.75, 2.0), "m": (0.02, 0.04, 0.06, 0.08, 0.1)}
LEVELS = {"defence.epsilon": (0.0, 0.55, 1.11, 1.66, 2.22, 2.77, 3.33)}


def embeddings(
    trainings: tuple[str, ...] = ("ce_isce", "center", "lgm", "mmc", "isce"),
    datasets: tuple[tuple[str, str], ...] = (("mnist", "digits_gray"), ("cifar10", "digits_colour")),
    images: int = 500,
    seeds: int = 3,
) -> tuple[Rows, dict[str, np.ndarray]]:
    """Rows and points of ten classes on a sphere, wider from training to training."""
    generator = np.random.default_rng(2)
    found: Rows = []
    arrays: dict[str, np.ndarray] = {}
    for (dataset, data), (at, training) in product(datasets, enumerate(trainings)):
        labels = np.arange(images) % 10
        centres = generator.normal(size=(10, 3))
        centres *= 5 / np.linalg.norm(centres, axis=1, keepdims=True)
        points = centres[labels] + generator.normal(0, 0.3 + 0.3 * at, (images, 3))
        place = f"{dataset}/{training}"
        arrays |= {f"points/{place}": points.astype(np.float32), f"labels/{place}": labels.astype(np.int16)}
        arrays[f"share/{place}"] = np.array(0.87)
        named = {"dataset": dataset, "data": data, "arch": "resnet32", "training": training, "n_images": images}
        for quantity in ("separation", "silhouette", "dimension"):
            value = 64.0 if quantity == "dimension" else 5.0 - at
            found += [named | {"seed": seed, "quantity": quantity, "value": value} for seed in range(seeds)]
            over = {"quantity": quantity, "value": value, "ci_low": value - 1, "ci_high": value + 1}
            found.append(named | over)
    return found, arrays


def gap_bounds(
    trainings: tuple[str, ...] = ("ce_pc", "pc"),
    networks: tuple[tuple[str, str, str], ...] = (("mnist", "digits_gray", "lenet5"), ("cifar10", "cifar10", "vgg13")),
    images: int = 500,
    epsilons: tuple[str, ...] = ("0.1", "0.2", "0.3"),
) -> tuple[Rows, dict[str, np.ndarray]]:
    """Rows and points of networks whose gradients grow with the gap."""
    generator = np.random.default_rng(3)
    found: Rows = []
    arrays: dict[str, np.ndarray] = {}
    said = {"attack": "pgd", "norm": "linf", "steps": 40, "targeted": "untargeted", "track": "printed"}
    for (dataset, data, arch), (at, training) in product(networks, enumerate(trainings)):
        gap = generator.lognormal(1 - 0.3 * at, 1, images)
        gradient = gap / 0.15 * generator.lognormal(0, 1, images)
        place = f"{dataset}/{arch}/{training}/pgd"
        survives = np.stack([gradient * float(epsilon) < gap for epsilon in epsilons])
        arrays |= {f"gap/{place}": gap, f"gradient/{place}": gradient, f"survives/{place}": survives}
        named = {"dataset": dataset, "data": data, "arch": arch, "training": training, "n_images": images, **said}
        for epsilon, group in product(epsilons, ("survives", "fooled")):
            over = {"epsilon": epsilon, "epsilon_printed": epsilon, "group": group, "quantity": "inside_bound"}
            found.append(named | over | {"value": 50.0})
    return found, arrays


def scatters(
    trainings: tuple[str, ...] = ("ce_isce", "isce"),
    datasets: tuple[tuple[str, str], ...] = (("mnist", "digits_gray"),),
    images: int = 400,
    fooling: int = 120,
) -> tuple[Rows, dict[str, np.ndarray]]:
    """Rows and points in two dimensions of ten classes on a ring, and of attacked images between them."""
    generator = np.random.default_rng(3)
    found: Rows = []
    arrays: dict[str, np.ndarray] = {}
    for (dataset, data), training in product(datasets, trainings):
        place = f"{dataset}/{training}"
        for kind, more in (("clean", 0), ("attacked", fooling)):
            labels = np.arange(images + more) % 10
            angle = 0.2 * np.pi * labels
            points = 20 * np.stack([np.cos(angle), np.sin(angle)], 1) + generator.normal(0, 2, (images + more, 2))
            points[images:] *= generator.uniform(0.1, 1, (more, 1))
            found_here = {"points": points.astype(np.float32), "labels": labels.astype(np.int16)}
            found_here |= {"fooling": np.arange(images + more) >= images, "perplexity": np.array(30.0)}
            arrays |= {f"{part}/{kind}/{place}": array for part, array in found_here.items()}
        named = {"dataset": dataset, "data": data, "arch": "lenet5", "training": training, "n_images": images}
        under = {"attack": "fgsm_gray", "epsilon": 0.3, "epsilon_printed": "0.3", "n_images": fooling}
        for quantity, what in (("separation", {"attack": "none"}), ("centre_distance", under)):
            found += [named | what | {"seed": seed, "quantity": quantity, "value": 0.7} for seed in range(3)]
            over = {"quantity": quantity, "value": 0.7, "ci_low": 0.5, "ci_high": 0.9}
            found.append(named | what | over)
    return found, arrays


PANELS = (
    ("cifar10", "digits_colour", "vgg13", "fgsm_fine"),
    ("cifar100", "cifar100", "vgg13", "fgsm_fine"),
    ("cifar10", "digits_colour", "vgg13", "mim_fine"),
    ("cifar100", "cifar100", "vgg13", "mim_fine"),
)


def wrong_classes(
    panels: tuple[tuple[str, str, str, str], ...] = PANELS, budgets: int = 20, images: int = 9000
) -> Rows:
    """Rows of newly fooled images that fall in number and spread over the ranks as the budget grows."""
    found: Rows = []
    for dataset, data, arch, attack in panels:
        shared = {"dataset": dataset, "data": data, "arch": arch, "training": "ce_isce", "attack": attack}
        for at in [*range(budgets + 1), None]:
            text = "" if at is None else f"{0.005 * at:.3f}"
            new = images if at is None else int(images * at / budgets**2 * np.exp(2 - at / 4))
            here = shared | {"epsilon_printed": text, "epsilon": text, "n_images": new}
            found.append(here | {"quantity": "new", "value": new})
            second = 80 - 2 * (at or 5)
            shares = (second, 0.5 * (100 - second), 0.25 * (100 - second), 0.15 * (100 - second), 0.1 * (100 - second))
            for rank, share in zip(("2", "3", "4", "5", "later"), shares, strict=True):
                if new:
                    half = 100 / new**0.5
                    chance = {"2": 18.0, "later": 45.0}.get(rank, 12.0)
                    for quantity, value in (("share", share), ("chance", chance)):
                        interval = {"ci_low": max(0.0, value - half), "ci_high": min(100.0, value + half)}
                        found.append(here | {"rank": rank, "quantity": quantity, "value": value} | interval)
    return found


MASKING = {
    "single_step": ("1", "fgsm_gray", "pgd_gray"),
    "black_box_worst": ("2", "transfer_mim_gray", ""),
    "black_box_pgd": ("2", "transfer_mim_gray", "pgd_gray"),
    "growth": ("3", "bim_gray_library", "bim_gray_library"),
    "remaining": ("3", "mim_gray", ""),
}


def masking(trainings: tuple[str, ...] = TRAININGS, networks: tuple[tuple[str, str, str], ...] = NETWORKS) -> Rows:
    """Rows of every network in every test; outcomes in turn."""
    found: Rows = []
    outcomes = ("holds", "fails", "undecided")
    for (dataset, data, arch), (at, training) in product(networks, enumerate(trainings)):
        named = {"dataset": dataset, "data": data, "arch": arch, "training": training, "role": "summary"}
        named |= {"control": "no" if at else "yes", "n_images": 1000}
        found.append(named | {"test": "clean", "value": 99.0, "ci_low": 98.5, "ci_high": 99.4})
        for number, (test, (argument, attack, against)) in enumerate(MASKING.items()):
            outcome = outcomes[(at + number) % 3]
            value = {"holds": 12.3, "fails": -14.2, "undecided": -0.4}[outcome]
            value = abs(value) if test == "remaining" else value
            said = {"argument": argument, "test": test, "attack": attack, "against": against, "outcome": outcome}
            said |= {
                "value": value,
                "ci_low": value - 2,
                "ci_high": value + 2,
                "epsilon_printed": "0.3",
                "epsilon": 0.3,
            }
            found.append(named | said | {"comparisons": 9})
            found.append(named | said | {"role": "comparison"})
    return found
