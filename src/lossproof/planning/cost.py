"""What a network costs: multiply-adds, parameters and hours, from a table of counts (no torch at plan time).

``reference/costs.csv`` holds counts at width 1 (benchmarks/costs.py writes it with PyTorch's FlopCounterMode),
in two parts: what grows with the square of the width (layers between scaled channels) and what grows with the
width itself (the first layer, biases, batch norm). The sum is exact where the width makes every channel count
whole, and close otherwise (a quarter off for LeNet-5 at an eighth of its width, a hundredth for a layer of
fixed size).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lossproof.catalogue import catalogue

TABLE = Path(__file__).resolve().parents[3] / "reference/costs.csv"
COLUMNS = (
    "arch",
    "stem",
    "image_size",
    "channels",
    "macs_square",
    "macs_linear",
    "parameters_square",
    "parameters_linear",
    "features",
)

# In units of one forward pass. Training: forward, gradient of the activations, gradient of the weights.
# An attack needs no gradient of the weights.
TRAINING_PASS = 3
ATTACK_PASS = 2
FLOP_PER_MAC = 2
BYTES_PER_PARAMETER = 4
SECONDS_PER_HOUR = 3600
MEGA, GIGA, TERA = 1e6, 1e9, 1e12


@dataclass(frozen=True)
class Cost:
    """One network: multiply-adds of a forward pass per image, parameters, and the features that its head gets.

    ``scaled_from``: the image size that was counted, where this one is in no table, else None.
    """

    macs: float
    parameters: float
    scaled_from: int | None = None
    features: float = 0.0


@cache
def table(path: Path = TABLE) -> dict[tuple[str, str, int, int], dict[str, int]]:
    """The counts by (arch, stem or "", image size, channels)."""
    found = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            counts = {column: int(row[column]) for column in COLUMNS[4:]}
            found[row["arch"], row["stem"], int(row["image_size"]), int(row["channels"])] = counts
    return found


def cost_of(arch: str, model: Mapping[str, Any], *, channels: int, image_size: int, classes: int) -> Cost | None:
    """The cost of a network, None where the table has no row for it.

    ``model``: ``stem`` (absent where the network has none) and ``width``. For an image size that was not counted
    the nearest one is scaled by the number of pixels, as convolutions are.
    """
    stem, width = model.get("stem", ""), model.get("width", 1.0)
    sizes = [size for (name, root, size, depth) in table() if (name, root, depth) == (arch, stem, channels)]
    if not sizes:
        return None
    nearest = min(sizes, key=lambda size: (abs(size - image_size), size))
    counts = table()[arch, stem, nearest, channels]
    head = counts["features"] * width * classes
    pixels = (image_size / nearest) ** 2
    return Cost(
        (counts["macs_square"] * width**2 + counts["macs_linear"] * width) * pixels + head,
        counts["parameters_square"] * width**2 + counts["parameters_linear"] * width + head + classes,
        None if nearest == image_size else nearest,
        counts["features"] * width,
    )


def training_flop(cost: Cost, *, trained: float, evaluated: float) -> float:
    """Floating-point operations of ``trained`` image passes forward and backward and ``evaluated`` forward only."""
    return FLOP_PER_MAC * cost.macs * (TRAINING_PASS * trained + evaluated)


def attack_flop(cost: Cost, *, attacked: float, evaluated: float) -> float:
    """As ``training_flop`` for an attack's passes, whose backward pass goes to the pixels only."""
    return FLOP_PER_MAC * cost.macs * (ATTACK_PASS * attacked + evaluated)


def hours(flop: float, rate: float) -> float:
    """Hours at an effective rate in FLOP/s."""
    return flop / rate / SECONDS_PER_HOUR


def passes(attack: Mapping[str, Any], classes: int = 10) -> tuple[int, int]:
    """Passes forward and backward, and forward only, per image of an attack's settings; an upper bound.

    Steps (those of each constant that is searched; where slopes are sampled, two queries per sample) x losses x
    restarts x outputs x draws x budgets (x wrong classes, where each is a target), one more forward pass to judge each
    budget. A method's entry says where it needs more or fewer: ``gradients`` per step (none: its steps are forward
    passes), or per step of each of its ``members`` (a number, or the setting that says it); and ``shared`` where one
    run serves all budgets. Queries are forward passes beside the steps. An attack that stops with an image once it is
    fooled needs fewer.
    """
    about = catalogue("attacks")[attack["method"]].about if "method" in attack else {}
    budgets = len(attack["epsilon"]) if isinstance(attack.get("epsilon"), list) else 1
    draws, gradients = attack.get("draws", 1), about.get("gradients", 1)
    runs = len(attack.get("losses", ("ce",))) * attack.get("restarts", 1) * (1 + (attack.get("output") == "both"))
    runs *= classes - 1 if attack.get("targeted") == "every" else 1
    repeats = attack.get("binary_search_steps", 1) * (2 * attack["samples"] if "samples" in attack else 1)
    steps = attack.get("steps", 1) * repeats * runs * draws * (1 if about.get("shared") else budgets)
    queries = 0
    if "members" in about:
        each = (about["members"][name] for name in attack["members"])
        gradients = sum(min(attack[one], classes - 1) if isinstance(one, str) else one for one in each)
        queries = attack["queries"] if "square" in attack["members"] else 0
    forward = draws + budgets * (1 + runs * draws * (1 + queries))
    return (steps * gradients, forward) if gradients else (0, forward + steps)


def diagnosis_passes(settings: Mapping[str, Mapping[str, Any]], images: int, classes: int = 10) -> tuple[int, int]:
    """Image passes forward and backward, and forward only, of the jury's diagnostics of ``images`` images.

    An upper bound: trajectories that several diagnostics share are counted for each, and images that are fooled early
    need fewer. ``settings``: all parameters by diagnostic.
    """

    def of(name: str, key: str) -> Any:
        return settings[name][key]

    def some(name: str) -> int:
        cap = settings[name].get("images")
        return images if cap is None else min(cap, images)

    effort = sum(of("effort", "steps")) + of("effort", "restart_steps") * max(of("effort", "restarts"))
    steps = sum(of(name, "steps") for name in ("one_step", "silent_success", "twin_transfer", "noise"))
    steps += of("unbounded", "steps") * of("unbounded", "restarts") + effort
    steps += of("monotone", "steps") * len(of("monotone", "factors"))
    # In float64 a pass is two.
    steps += of("logit_scale", "steps") * (len(of("logit_scale", "scales")) + 2)
    steps += of("loss_swap", "steps") * (4 + min(of("loss_swap", "targets"), classes - 1))
    steps += 2 * of("black_box", "steps") * of("black_box", "restarts")
    both = steps * images
    both += some("minimal_norm") * of("minimal_norm", "steps") * of("minimal_norm", "constants")
    both += some("minimal_norm") * of("minimal_norm", "deepfool_steps") * (classes - 1)
    queries = of("black_box", "queries") + of("noise", "draws") + 2 * of("unstable", "offsets")
    forward = (queries + of("outputs", "passes")) * images
    forward += some("spsa") * 2 * of("spsa", "samples") * of("spsa", "iterations")
    forward += some("simba") * 2 * of("simba", "queries")
    forward += some("surface") * of("surface", "points") ** 2
    return both, forward
