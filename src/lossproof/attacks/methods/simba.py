"""SimBA (arXiv:1905.07121): a black-box attack that tries steps along random directions of a basis, one by one.

Our own, batched over images, as the authors' code (cg563/simple-blackbox-attack) shares one order of directions among
the images of a batch, always computes both signs but counts one or two queries, and knows no L2 budget. The paper's
score, the true class's probability, no longer falls where float32 rounds it to 1; the margin does not stall there.
As there, a step that clipping undoes costs its query; so does one that would leave the budget.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lossproof.attacks.losses import gap
from lossproof.attacks.outcome import TOLERANCE, Crafted
from lossproof.attacks.parameters import EPSILON, L2
from lossproof.models.frozen import frozen
from lossproof.threats.balls import length
from lossproof.threats.epsilon import PATTERN

CATALOGUE = {
    "simba": {
        "build": "simba",
        "track": "printed",
        # For the plan: no step needs a gradient.
        "gradients": 0,
        "parameters": {
            "norm": L2,
            "epsilon": EPSILON,
            "steps": {
                "type": "integer",
                "minimum": 1,
                "default": 300,
                "description": "queries per image at most: model calls, the clean image's included",
            },
            "step_size": {
                "type": "string",
                "pattern": PATTERN,
                "default": "0.2",
                "description": "length of a step in pixels",
            },
            "basis": {
                "enum": ["pixel", "dct"],
                "default": "pixel",
                "description": "directions: single pixels, or cosines of all frequencies over a channel",
            },
            "score": {
                "enum": ["probability", "margin"],
                "default": "probability",
                "description": "what must fall: the true class's probability, or its logit's lead",
            },
        },
    }
}


def basis_of(name: str, size: int) -> Tensor:
    """The 'pixel' or 'dct' basis of a line of pixels: orthonormal rows, float64 [size, size]."""
    if name == "pixel":
        return torch.eye(size, dtype=torch.float64)
    from scipy.fft import dct

    return torch.from_numpy(dct(torch.eye(size, dtype=torch.float64).numpy(), axis=0, norm="ortho"))


def orders(count: int, directions: int, seed: int) -> Tensor:
    """For each of ``count`` images a random order of the directions, int64 [count, directions]."""
    return torch.rand(count, directions, generator=torch.Generator().manual_seed(seed)).argsort(dim=1, stable=True)


def simba(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
    steps: int = 300,
    basis: str = "pixel",
    score: str = "probability",
) -> Crafted:
    """One search per budget, each image with the same order of directions in all of them.

    images [N, C, H, W] in [0, 1], labels [N] true classes; epsilons [E]: total L2 budgets, step_sizes [E], in pixels.
    Of each direction -step is tried, then +step. A try is one query; it is clipped to [0, 1] and accepted if it moves
    the image, stays in the budget and lowers the score. An image ends with its first misclassification, with its
    queries or with its directions.

    Figures: queries, model calls including the first, on the clean image; acceptance, percent of tries accepted.
    """
    budgets = len(epsilons)
    order = orders(len(images), images[0].numel(), seed).to(images.device).repeat(budgets, 1)
    axes = [basis_of(basis, size).to(images) for size in images.shape[-2:]]
    with frozen(model), torch.no_grad():
        # All budgets in one batch: passes with few images are bound by what a pass costs anyway.
        images, labels = images.repeat(budgets, 1, 1, 1), labels.repeat(budgets)
        radii, sizes = (torch.tensor(one).repeat_interleave(len(images) // budgets) for one in (epsilons, step_sizes))
        found = _search(model, images, labels, radii.to(images), sizes.to(images), order, axes, steps, score)
    points, queries, accepted = (part.view(budgets, -1, *part.shape[1:]) for part in found)
    return Crafted(
        points,
        torch.zeros(points.shape[:2], dtype=torch.bool, device=images.device),
        figures={"queries": queries.float(), "acceptance": 100 * accepted / (queries - 1)},
    )


def _score(logits: Tensor, labels: Tensor, kind: str) -> Tensor:
    if kind == "margin":
        return gap(logits, labels)
    return logits.softmax(1).gather(1, labels[:, None])[:, 0]


def _directions(which: Tensor, axes: Sequence[Tensor], shape: Sequence[int]) -> Tensor:
    """The basis images [n, C, H, W] with these numbers in 0 .. C x H x W - 1."""
    rows, columns = axes
    channel, rest = which // (len(rows) * len(columns)), which % (len(rows) * len(columns))
    planes = rows[rest // len(columns), :, None] * columns[rest % len(columns), None, :]
    found = torch.zeros(len(which), *shape, dtype=planes.dtype, device=planes.device)
    found[torch.arange(len(which), device=planes.device), channel] = planes
    return found


def _search(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: Tensor,
    step: Tensor,
    order: Tensor,
    axes: Sequence[Tensor],
    steps: int,
    kind: str,
) -> tuple[Tensor, Tensor, Tensor]:
    """Points [N, C, H, W], queries and accepted tries [N]; epsilon and step [N]: a try of each open image per round."""
    point, logits = images.clone(), model(images)
    best, standing = _score(logits, labels, kind), logits.argmax(1) == labels
    at = torch.zeros_like(labels)  # the place in the order
    sign = torch.full_like(labels, -1)
    queries, accepted = torch.ones_like(labels), torch.zeros_like(labels)
    for _ in range(steps - 1):
        rows = (standing & (at < order.shape[1])).nonzero()[:, 0]
        if not len(rows):
            break
        here, signs = point[rows], sign[rows]
        way = _directions(order[rows, at[rows]], axes, images.shape[1:])
        tried = (here + (step[rows] * signs).view(-1, 1, 1, 1) * way).clamp_(0, 1)
        logits = model(tried)
        queries[rows] += 1
        score = _score(logits, labels[rows], kind)
        allowed = length(tried - images[rows], "l2") <= epsilon[rows] + TOLERANCE / 2
        better = (score < best[rows]) & allowed & (length(tried - here, "linf") > 0)
        won = rows[better]
        point[won], best[won] = tried[better], score[better]
        standing[won] = logits[better].argmax(1) == labels[won]
        accepted[won] += 1
        done = better | (signs > 0)
        at[rows] += done.long()
        sign[rows] = torch.where(done, -1, 1)
    return point, queries, accepted
