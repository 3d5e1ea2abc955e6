"""FGSM, BIM, PGD and MIM in one function, with the guards that the libraries lack.

It keeps the most adversarial iterate, moves images whose gradient is exactly zero (and counts them),
takes one budget per image (so that a sweep is one batch) and may drop images that are fooled already;
or, ``plain``, it does without them.
FGSM: one step of size epsilon. BIM: no random start. PGD: random start. MIM: momentum > 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from lossproof.attacks.losses import AttackLoss, gap, resolve
from lossproof.models.frozen import frozen
from lossproof.threats.balls import TINY, per_image, project, random_point, rescale, steepest

# An image is dropped early only when its gap is this far below 0, relative to its largest logit:
# in a batch of another size the logits differ in their last digits.
CLEARLY = 1e-5


@dataclass(frozen=True)
class AttackResult:
    """What an attack found for each image."""

    images: Tensor  # [N, C, H, W]: the most adversarial iterate (the clean image, where none is more so), or the last
    gap: Tensor  # [N]: z_y - max z_other there; targeted: max z_other - z_target; below 0 = success
    fooled: Tensor  # [N] bool: gap < 0
    zero_gradient: Tensor  # [N] bool: at some step the gradient was exactly zero (or not finite)


@dataclass
class _Pursuit:
    """The rows of the batch that are still attacked."""

    rows: Tensor
    images: Tensor
    labels: Tensor
    epsilon: Tensor
    step: Tensor
    point: Tensor
    gradient: Tensor
    velocity: Tensor

    def select(self, keep: Tensor) -> _Pursuit:
        return _Pursuit(*(getattr(self, field.name)[keep] for field in fields(self)))


class _Draws:
    """Random numbers on the CPU (equal on every device), one set for all copies of the images."""

    def __init__(self, images: Tensor, copies: int, generator: torch.Generator | None) -> None:
        if copies < 1 or len(images) % copies:
            raise ValueError(f"{len(images)} images are not {copies} copies of the same ones")
        self.images, self.copies, self.generator = images, copies, generator
        self.shape = (len(images) // copies, *images.shape[1:])

    def _spread(self, numbers: Tensor) -> Tensor:
        return numbers.to(self.images).repeat(self.copies, *[1] * (numbers.ndim - 1))

    def normal(self) -> Tensor:
        return self._spread(torch.randn(self.shape, generator=self.generator))

    def radius(self) -> Tensor:
        return self._spread(torch.rand(self.shape[0], *[1] * (len(self.shape) - 1), generator=self.generator))


def attack(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilon: float | Tensor,
    steps: int,
    step_size: float | Tensor,
    loss: str | AttackLoss | Sequence[str | AttackLoss] = "ce",
    targeted: bool = False,
    momentum: float = 0.0,
    random_start: bool = False,
    start: Tensor | None = None,
    restarts: int = 1,
    early_drop: bool = False,
    plain: bool = False,
    copies: int = 1,
    generator: torch.Generator | None = None,
) -> AttackResult:
    """Search each image's ball for an adversarial point by steps along the gradient of ``loss``.

    images [N, C, H, W] in [0, 1]; labels [N]: true classes, or with ``targeted`` the classes to reach (the loss
    is then minimised). norm: 'linf' (sign steps) or 'l2' (normalised gradient steps). epsilon, step_size: pixels
    (L2: Euclidean length over the image), one number or one per image. loss: see ``losses``; several are tried
    in turn; summed over the batch, so no image's gradient depends on the batch size. momentum: decay of MIM
    (arXiv:1710.06081, eq. 6). random_start: see ``balls.random_point``; start [N, C, H, W] takes its place in
    the first run of each loss. restarts: runs per loss; more than one need random_start. early_drop: stop with an
    image once it is clearly fooled (same success, fewer passes, but the first adversarial point rather than the
    most adversarial one). plain: the loop as papers print it, which gives back the last iterate and leaves an image
    where it is, or to its velocity, while its gradient is exactly zero (counted all the same). copies: the batch is
    that many copies of the same images in a row, which share their random numbers.

    The clean image is a candidate too, unless ``plain``. The model is put in evaluation mode and its parameters
    frozen for the time of the attack. Raises ValueError for settings that make no sense together.
    """
    if steps < 1 or restarts < 1 or (restarts > 1 and not random_start):
        raise ValueError("needs steps >= 1, restarts >= 1, and a random start for more than one run")
    given = loss if isinstance(loss, Sequence) and not isinstance(loss, str) else [loss]
    if plain and (early_drop or len(given) * restarts > 1):
        raise ValueError("the plain loop is one run of one loss on every image")
    objectives, sign = [resolve(one) for one in given], -1 if targeted else 1
    radius, size = per_image(epsilon, images), per_image(step_size, images)
    draws = _Draws(images, copies, generator)
    images = images.detach()
    best = images.clone()
    best_gap = torch.full((len(images),), torch.inf, dtype=images.dtype, device=images.device)
    dropped = torch.zeros(len(images), dtype=torch.bool, device=images.device)
    zero = dropped.clone()
    rows = torch.arange(len(images), device=images.device)

    def keep(now: _Pursuit, logits: Tensor) -> _Pursuit:
        """Note the points that are the best so far; give back what is still to be attacked."""
        found = sign * gap(logits, now.labels)
        better = torch.ones_like(found, dtype=torch.bool) if plain else found < best_gap[now.rows]
        best_gap[now.rows] = torch.where(better, found, best_gap[now.rows])
        best[now.rows] = torch.where(better.view_as(now.epsilon), now.point, best[now.rows])
        if not early_drop:
            return now
        done = found < -CLEARLY * logits.abs().amax(1)
        dropped[now.rows] |= done
        return now.select(~done) if bool(done.any()) else now

    with frozen(model):
        if (random_start or start is not None) and not plain:
            with torch.no_grad():
                keep(_Pursuit(rows, images, labels, radius, size, images, images, images), model(images))
        for objective, run in product(objectives, range(restarts)):
            point = images
            if run == 0 and start is not None:
                point = start.detach()
            elif random_start:
                point = random_point(images, draws.normal(), draws.radius(), norm, radius)
            now = _Pursuit(rows, images, labels, radius, size, point, point, torch.zeros_like(images))
            now = now.select(~dropped) if early_drop else now
            for _ in range(steps):
                if not len(now.rows):
                    break
                now.point = now.point.detach().requires_grad_(True)
                with torch.enable_grad():
                    logits = model(now.point)
                    (now.gradient,) = torch.autograd.grad(sign * objective(logits, now.labels).sum(), now.point)
                now.point = now.point.detach()
                now = keep(now, logits.detach())
                direction = _usable(now, zero, None if plain else draws)
                if momentum:
                    direction = rescale(direction)
                    direction = direction / direction.flatten(1).abs().mean(1).clamp_min(TINY).view_as(now.step)
                    now.velocity = direction = direction + momentum * now.velocity
                now.point = project(now.point + now.step * steepest(direction, norm), now.images, norm, now.epsilon)
            if len(now.rows):
                with torch.no_grad():
                    keep(now, model(now.point))
    return AttackResult(best, best_gap, best_gap < 0, zero)


def _usable(now: _Pursuit, zero: Tensor, draws: _Draws | None) -> Tensor:
    """The gradient, with a random direction where it is exactly zero or not finite (marked in ``zero``).

    Without ``draws`` it is zero there, and no step follows.
    """
    largest = now.gradient.flatten(1).abs().amax(1)
    dead = ~((largest > 0) & largest.isfinite())
    if not bool(dead.any()):
        return now.gradient
    zero[now.rows] |= dead
    instead = torch.zeros_like(now.gradient) if draws is None else draws.normal()[now.rows]
    return torch.where(dead.view_as(now.step), instead, now.gradient)


def per_budget(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilons: Sequence[float],
    step_sizes: Sequence[float],
    seed: int,
    **settings: Any,
) -> AttackResult:
    """The plain ``attack`` once per budget, [E, ...] in every field; all E runs draw the same random numbers.

    epsilons, step_sizes [E] in pixels; settings: of ``attack``.
    """
    runs = [
        attack(
            model,
            images,
            labels,
            epsilon=epsilon,
            step_size=size,
            plain=True,
            generator=torch.Generator().manual_seed(seed),
            **settings,
        )
        for epsilon, size in zip(epsilons, step_sizes, strict=True)
    ]
    return AttackResult(*(torch.stack([getattr(run, field.name) for run in runs]) for field in fields(AttackResult)))
