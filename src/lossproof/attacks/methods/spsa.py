"""SPSA (arXiv:1802.05666): a black-box attack that estimates slopes from pairs of queries along random directions.

Our own, as the libraries share one direction among the images of a batch. Otherwise as advertorch's LinfSPSAAttack:
Adam from the clean image, final iterate, queries that may lie outside the box (by delta) and outside the ball.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from lossproof.attacks.losses import resolve
from lossproof.attacks.outcome import Crafted
from lossproof.attacks.parameters import EPSILON, LINF
from lossproof.models.frozen import frozen
from lossproof.threats.balls import length, per_image, project
from lossproof.threats.epsilon import PATTERN, parse
from lossproof.training.feeding import BATCH, fitting

CATALOGUE = {
    "spsa": {
        "build": "spsa",
        "track": "printed",
        # For the plan: no step needs a gradient.
        "gradients": 0,
        "parameters": {
            "norm": LINF,
            "epsilon": EPSILON,
            "steps": {"type": "integer", "minimum": 1, "default": 10, "description": "steps"},
            "samples": {
                "type": "integer",
                "minimum": 1,
                "default": 128,
                "description": "pairs of queries per estimate",
            },
            "delta": {
                "type": "string",
                "pattern": PATTERN,
                "default": "0.01",
                "description": "how far a query moves every pixel",
            },
            "step_size": {
                "type": "string",
                "pattern": PATTERN,
                "default": "0.01",
                "description": "learning rate of Adam: no pixel moves much further in a step",
            },
            "loss": {
                "enum": ["margin", "ce"],
                "default": "margin",
                "description": "what is raised: the lead of the likeliest wrong class, or cross entropy",
            },
        },
    }
}

BETAS, TINY = (0.9, 0.999), 1e-8  # of Adam


def spsa(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
    steps: int = 10,
    samples: int = 128,
    delta: str | float = "0.01",
    loss: str = "margin",
) -> Crafted:
    """The last iterates [E, N, C, H, W], one run per budget, with the same directions in all of them.

    images [N, C, H, W] in [0, 1], labels [N] true classes; epsilons [E] and delta in pixels; step_sizes [E]: Adam's
    learning rate. Each point is put back into its ball and the box after each step. An estimate that is exactly zero
    counts as a gradient that is.

    *Memory*: no pass needs a gradient, and none holds more than ``feeding.fitting`` images, or one direction's 2 N.

    Figure: reached, the L-inf distance really gone, as a few steps do not reach the edge of a large ball.
    ValueError for a delta of 0.
    """
    objective, reach = resolve(loss), parse(delta)
    if not reach:
        raise ValueError(f"delta: found {delta!r}; a query must move the image")
    made, zeros = [], []
    with frozen(model), torch.no_grad():
        for epsilon, size in zip(epsilons, step_sizes, strict=True):
            generator = torch.Generator().manual_seed(seed)
            radius, point = per_image(epsilon, images), images
            mean, square = torch.zeros_like(images), torch.zeros_like(images)
            zero = torch.zeros_like(labels, dtype=torch.bool)
            for step in range(steps):
                slope = torch.zeros_like(images)
                for ways in directions(images, samples, generator):
                    queries = torch.cat([point + reach * ways, point - reach * ways]).flatten(0, 1)
                    found = objective(model(queries), labels.repeat(2 * len(ways))).view(2, len(ways), -1)
                    rise = (found[0] - found[1]) / (2 * reach)
                    slope += torch.einsum("sn,sn...->n...", rise, ways)
                zero |= ~slope.flatten(1).any(1)
                slope /= samples
                mean = torch.lerp(slope, mean, BETAS[0])
                square = torch.lerp(slope.square(), square, BETAS[1])
                scale = (square / (1 - BETAS[1] ** (step + 1))).sqrt_().add_(TINY)
                point = point + size / (1 - BETAS[0] ** (step + 1)) * mean / scale
                point = project(point, images, norm, radius)
            made.append(point)
            zeros.append(zero)
    reached = torch.stack([length(points - images, norm) for points in made])
    return Crafted(torch.stack(made), torch.stack(zeros), figures={"reached": reached})


def directions(images: Tensor, samples: int, generator: torch.Generator) -> Iterator[Tensor]:
    """``samples`` random directions of +1 and -1 for each image, in parts [s, N, C, H, W].

    Drawn on the CPU, equal on every device and however they are parted; eight numbers from a random byte.
    """
    count, numbers = len(images), images[0].numel()
    at_once = max(1, fitting(BATCH, images.shape) // (2 * count))
    places = torch.arange(8, device=images.device, dtype=torch.uint8)
    for start in range(0, samples, at_once):
        several = min(at_once, samples - start)
        drawn = torch.randint(256, (several, count, -(-numbers // 8)), dtype=torch.uint8, generator=generator)
        bits = (drawn.to(images.device)[..., None] >> places) & 1
        yield bits.flatten(2)[..., :numbers].view(several, *images.shape).to(images.dtype) * 2 - 1
