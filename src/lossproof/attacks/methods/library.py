"""The papers' tool, torchattacks 3.5.1, exactly as it is: its algorithm, its final iterate, its faults.

Known of it: cross entropy is averaged over the batch; the last iterate is given back even where an earlier one was
adversarial; UPGD divides by the mean absolute gradient, so an image whose gradient is zero once gets a NaN momentum,
sign(NaN) = 0, and stays where it is. The images come back unchecked: ``outcome.judge`` finds what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lossproof.attacks.outcome import Crafted
from lossproof.attacks.parameters import EPSILON, LINF, RANDOM_START, STEP_SIZE, STEPS
from lossproof.attacks.watched import Watched
from lossproof.models.frozen import frozen

CATALOGUE = {
    "fgsm": {"build": "fgsm", "track": "printed", "parameters": {"norm": LINF, "epsilon": EPSILON}},
    "bim": {
        "build": "bim",
        "track": "printed",
        "parameters": {"norm": LINF, "epsilon": EPSILON, "steps": STEPS, "step_size": STEP_SIZE},
    },
    "pgd": {
        "build": "pgd",
        "track": "printed",
        "parameters": {
            "norm": LINF,
            "epsilon": EPSILON,
            "steps": STEPS,
            "step_size": STEP_SIZE,
            "random_start": RANDOM_START,
        },
    },
    "upgd": {
        "build": "upgd",
        "track": "printed",
        "parameters": {
            "norm": LINF,
            "epsilon": EPSILON,
            "steps": STEPS,
            "step_size": STEP_SIZE,
            "random_start": {"type": "boolean", "default": False, "description": "the library starts at the image"},
            "momentum": {"type": "number", "minimum": 0, "default": 1.0, "description": "the library's 'decay'"},
        },
    },
}


Maker = Callable[[Any, nn.Module, float, float], Any]


def _run(
    make: Maker,
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
) -> Crafted:
    """One library run per budget; its draws come from torch's global generator, seeded for the run and put back."""
    import torchattacks

    if norm != "linf":
        raise ValueError(f"the library's FGSM, BIM, PGD and UPGD are L-inf attacks, not '{norm}'")
    made, zero = [], []
    devices = [images.device] if images.device.type == "cuda" else []
    with frozen(model), torch.random.fork_rng(devices=devices):
        for epsilon, size in zip(epsilons, step_sizes, strict=True):
            watched = Watched(model).eval()
            torch.manual_seed(seed)
            made.append(make(torchattacks, watched, epsilon, size)(images, labels).detach())
            zero.append(watched.zero)
    return Crafted(torch.stack(made), torch.stack(zero))


def fgsm(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
) -> Crafted:
    """torchattacks.FGSM: one step of size epsilon (step_sizes are not used)."""
    return _run(
        lambda kit, net, eps, _: kit.FGSM(net, eps=eps), model, images, labels, norm, epsilons, step_sizes, seed
    )


def bim(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
    steps: int,
) -> Crafted:
    """torchattacks.BIM: sign steps from the clean image."""

    def make(kit: Any, net: nn.Module, eps: float, size: float) -> Any:
        return kit.BIM(net, eps=eps, alpha=size, steps=steps)

    return _run(make, model, images, labels, norm, epsilons, step_sizes, seed)


def pgd(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
    steps: int,
    random_start: bool = True,
) -> Crafted:
    """torchattacks.PGD: sign steps from a point uniform in the ball."""

    def make(kit: Any, net: nn.Module, eps: float, size: float) -> Any:
        return kit.PGD(net, eps=eps, alpha=size, steps=steps, random_start=random_start)

    return _run(make, model, images, labels, norm, epsilons, step_sizes, seed)


def upgd(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
    steps: int,
    random_start: bool = False,
    momentum: float = 1.0,
) -> Crafted:
    """torchattacks.UPGD on cross entropy: with its defaults the same numbers as its MIFGSM."""

    def make(kit: Any, net: nn.Module, eps: float, size: float) -> Any:
        return kit.UPGD(net, eps=eps, alpha=size, steps=steps, random_start=random_start, decay=momentum)

    return _run(make, model, images, labels, norm, epsilons, step_sizes, seed)
