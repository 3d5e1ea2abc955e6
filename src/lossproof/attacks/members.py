"""The attacks of the ensemble, each on the images that still stand.

Those of AutoAttack (arXiv:2003.01690) are pyautoattack's own classes, single runs of them; which images, targets and
restarts come together is decided here, so that what is found is not searched for again. What differs:

* they attack the model behind ``guarded.Guarded``, and end as soon as all images of a call are found;
* where few images are left, several targets share a call;
* FAB looks for the nearest point whatever the budget, so one search serves all of them. Its hyperplanes are scaled,
  as its projections take weights below 1e-8 for zero;
* APGD-T's loss needs four classes. With fewer it is the library's targeted cross entropy.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import torch
from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted
from pyautoattack.fab_pt import FABAttack_PT
from pyautoattack.square import SquareAttack
from torch import Tensor, nn
from torch.nn import functional

from lossproof.attacks.gradient import attack
from lossproof.attacks.guarded import AllFound, Connected, Guarded
from lossproof.attacks.standing import Standing
from lossproof.attacks.views import passes, view
from lossproof.threats.balls import TINY, length
from lossproof.training.feeding import BATCH, fitting

NORMS = {"linf": "Linf", "l2": "L2"}
# Rows of a library's call on a CPU. More are hardly faster per row, and a call ends when all its images are found.
ROWS = 32
# The library's first squares of an L2 attack are a fifth of the image.
SQUARE_SIDE = 5

QUIET = logging.getLogger("lossproof.pyautoattack")
QUIET.disabled = True


@dataclass
class Search:
    """What all members share in one call of the ensemble."""

    model: nn.Module
    steps: int
    targets: int
    queries: int
    restarts: int
    draws: int = 1
    substitute: nn.Module | None = None
    # FAB's nearest misclassified points [N, C, H, W] and their distances [N] (infinite: none); images it has had [N].
    near: dict[str, Tensor] = field(default_factory=dict)

    @property
    def certain(self) -> bool:
        """Whether equal inputs give equal logits, as far as the model tells."""
        return getattr(self.model, "transform", None) is None and passes(self.model, self.draws) == 1

    @property
    def shown(self) -> Connected:
        """The model as attacks see it."""
        return Connected(view(self.model, draws=self.draws))

    def rows(self, images: Tensor) -> int:
        """How many rows a library gets in one call."""
        if images.device.type == "cpu":
            return ROWS
        return max(1, fitting(BATCH, images.shape) // passes(self.model, self.draws))


Member = Callable[[Standing, Search], None]


@dataclass(frozen=True)
class Found:
    """What one call of a library comes to, per row."""

    points: Tensor  # [R, C, H, W]
    distance: Tensor  # [R]: 0 for a misclassified point in the ball, or its distance; infinite for any other point
    zero: Tensor  # [R] bool: a gradient was zero


# From a guarded model, images [R, C, H, W], labels [R] and goals [R] (or None).
Run = Callable[[Guarded, Tensor, Tensor, "Tensor | None"], Found]


def _waves(
    standing: Standing, search: Search, ranks: int = 0, among: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """The rows that stand (of those in ``among``) with their next goals [t, n], as many targets as fit a call.

    ranks: how many targets; 0 for one wave without goals.
    """
    done, targets = 0, max(1, min(ranks, standing.classes - 1))
    while done < targets:
        rows = standing.rows if among is None else (standing.right & among).nonzero()[:, 0]
        if not len(rows):
            return
        together = min(targets - done, max(1, search.rows(standing.images) // len(rows)))
        yield rows, standing.likely[rows, done : done + together].T if ranks else None
        done += together


def _searched(
    standing: Standing, search: Search, rows: Tensor, goals: Tensor | None, run: Run, *, rescaled: bool
) -> Found:
    """The nearest of what the runs find for each of the ``rows`` [n], goals [t, n]."""
    copies = 1 if goals is None else len(goals)
    size = max(1, search.rows(standing.images) // copies)
    parts = []
    for at in range(0, len(rows), size):
        some = rows[at : at + size]
        images = standing.images[some].repeat(copies, *[1] * (standing.images.ndim - 1))
        labels = standing.labels[some].repeat(copies)
        model = Guarded(
            search.shown, images, labels, standing.norm, standing.epsilon,
            copies=copies, rescaled=rescaled, watching=search.certain,
        )  # fmt: skip
        one = run(model, images, labels, None if goals is None else goals[:, at : at + size].flatten())
        distance = one.distance.view(copies, -1)
        nearest, place = distance.argmin(0), torch.arange(len(some), device=some.device)
        parts.append(
            Found(
                one.points.view(copies, len(some), *images.shape[1:])[nearest, place],
                distance[nearest, place],
                one.zero.view(copies, -1).any(0),
            )
        )
    standing.zero[rows] |= torch.cat([part.zero for part in parts])
    return Found(*(torch.cat([getattr(part, name) for part in parts]) for name in ("points", "distance", "zero")))


def _auto_pgd(model: Guarded, images: Tensor, labels: Tensor, goals: Tensor | None, *, loss: str, steps: int) -> Found:
    library = APGDAttack if goals is None else APGDAttack_targeted
    made = library(model, n_iter=steps, norm=NORMS[model.norm], eps=model.epsilon, logger=QUIET)
    made.loss, made.y_target = loss, goals
    made.init_hyperparam(images)
    try:
        best, right, _, points = made.attack_single_run(images, labels)
    except AllFound:
        points, found = model.points, model.found
    else:
        found = right == 0
        points = torch.where(_wide(found, images), points, best)
        points = torch.where(_wide(model.found, images), model.points, points)
    return Found(points, torch.where(found | model.found, 0.0, torch.inf), model.zero)


def apgd(standing: Standing, search: Search, *, loss: str) -> None:
    """Auto-PGD on cross entropy ('ce'), or the untargeted ('dlr') or targeted ('targeted') difference of logits."""
    ranks = search.targets if loss == "targeted" else 0
    if loss == "targeted":
        loss = "dlr-targeted" if standing.classes > 3 else "ce-targeted"
    for _ in range(search.restarts):
        for rows, goals in _waves(standing, search, ranks):
            run = partial(_auto_pgd, loss=loss, steps=search.steps)
            standing.offer(rows, _searched(standing, search, rows, goals, run, rescaled=True).points)


class _Fab(FABAttack_PT):
    """FAB with a target for each row; the library has one rank for all."""

    def __init__(self, model: nn.Module, goals: Tensor, classes: int, **settings: Any) -> None:
        super().__init__(model, targeted=True, **settings)
        self.target_class, self.goals, self.classes = 1, goals, classes

    def _predict_fn(self, x: Tensor) -> Tensor:
        """What the library sorts to find the class of rank ``target_class``."""
        return functional.one_hot(self.goals, self.classes).float()

    def _get_predicted_label(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            logits: Tensor = self.predict(x)
        return logits.argmax(1)

    def get_diff_logits_grads_batch_targeted(self, imgs: Tensor, la: Tensor, la_target: Tensor) -> tuple[Any, Any]:
        away, gradient = super().get_diff_logits_grads_batch_targeted(imgs, la, la_target)
        size = gradient.flatten(1).abs().amax(1).clamp_min(TINY)
        return (away / size[:, None]).clamp(-1e12, 1e12), gradient / size.view(-1, *[1] * (gradient.ndim - 1))


def _boundary(
    model: Guarded, images: Tensor, labels: Tensor, goals: Tensor | None, *, classes: int, steps: int, restart: int
) -> Found:
    assert goals is not None
    made = _Fab(model, goals, classes, norm=NORMS[model.norm], n_iter=steps, eps=model.epsilon)
    try:
        points = made.attack_single_run(images, labels, use_rand_start=restart > 0, is_targeted=True)
    except AllFound:
        points = images
    if not model.watching:
        away = length(points - images, model.norm)
        return Found(points, torch.where(away > 0, away, torch.inf), model.zero)
    return Found(model.points, model.distance, model.zero)


def fab(standing: Standing, search: Search) -> None:
    """FAB-T: the nearest points for each target, searched for once, at the smallest budget that an image stands."""
    near = search.near or {
        "points": standing.images.clone(),
        "distance": torch.full_like(standing.gap, torch.inf),
        "had": torch.zeros_like(standing.right),
    }
    search.near = near

    def offer() -> None:
        rows = (standing.right & (near["distance"] <= standing.epsilon)).nonzero()[:, 0]
        standing.offer(rows, near["points"][rows])

    offer()
    fresh = ~near["had"] & standing.right
    near["had"] |= fresh
    for restart in range(search.restarts):
        for rows, goals in _waves(standing, search, search.targets, fresh):
            run = partial(_boundary, classes=standing.classes, steps=search.steps, restart=restart)
            found = _searched(standing, search, rows, goals, run, rescaled=False)
            nearer = rows[found.distance < near["distance"][rows]]
            better = found.distance < near["distance"][rows]
            near["points"][nearer], near["distance"][nearer] = found.points[better], found.distance[better]
            offer()


class _Square(SquareAttack):
    """Square, which draws the same shapes again and again."""

    @cache  # noqa: B019 (lives as long as one attack)
    def eta_rectangles(self, x: int, y: int) -> Tensor:
        shape: Tensor = super().eta_rectangles(x, y)
        return shape


def square(standing: Standing, search: Search) -> None:
    """Square (arXiv:1912.00049): random squares, judged by the margin alone; AutoAttack's schedule."""
    for _ in range(search.restarts):
        rows = standing.rows
        if not len(rows):
            return
        images, labels = standing.images[rows], standing.labels[rows]
        made = _Square(
            search.shown, norm=NORMS[standing.norm], n_queries=search.queries, eps=standing.epsilon,
            resc_schedule=False,
        )  # fmt: skip
        made.init_hyperparam(images)
        standing.offer(rows, made.attack_single_run(images, labels)[1])


def steps(standing: Standing, search: Search, *, loss: str, double: bool = False) -> None:
    """Our own loop from random starts; double: along the gradients of a copy of the model in double precision."""
    model, rows = search.model, standing.rows
    if double:
        model = copy.deepcopy(model).double()
    _own(standing, search, rows, model, loss=loss, early_drop=search.certain, double=double)


def transfer(standing: Standing, search: Search) -> None:
    """Points made on the substitute: MIM on cross entropy, and PGD on the margin, as far as they go there."""
    assert search.substitute is not None
    for loss, momentum in (("ce", 1.0), ("margin", 0.0)):
        rows = standing.rows
        if len(rows):
            _own(standing, search, rows, search.substitute, loss=loss, momentum=momentum)


def _own(
    standing: Standing, search: Search, rows: Tensor, model: nn.Module, *, double: bool = False, **how: Any
) -> None:
    images = standing.images[rows]
    found = attack(
        Connected(view(model, draws=search.draws)),
        images.double() if double else images,
        standing.labels[rows],
        norm=standing.norm,
        epsilon=standing.epsilon,
        steps=search.steps,
        step_size=2.5 * standing.epsilon / search.steps,
        random_start=True,
        restarts=search.restarts,
        # Of a generator of its own, so that the start does not depend on what the model draws.
        generator=torch.Generator().manual_seed(torch.initial_seed()),
        **how,
    )
    standing.zero[rows] |= found.zero_gradient
    standing.offer(rows, found.images)


def _wide(flags: Tensor, images: Tensor) -> Tensor:
    return flags.view(-1, *[1] * (images.ndim - 1))


MEMBERS: Mapping[str, Member] = {
    "apgd-ce": partial(apgd, loss="ce"),
    "apgd-dlr": partial(apgd, loss="dlr"),
    "apgd-t": partial(apgd, loss="targeted"),
    "fab-t": fab,
    "margin": partial(steps, loss="margin"),
    "unit_gap": partial(steps, loss="unit_gap"),
    "float64": partial(steps, loss="ce", double=True),
    "square": square,
    "transfer": transfer,
}


def sound(name: str, standing: Standing, search: Search) -> bool:
    """Whether a member can be run on such images and classes at all."""
    match name:
        case "apgd-dlr":
            return standing.classes > 2
        case "square":
            return standing.norm == "linf" or min(standing.images.shape[-2:]) >= SQUARE_SIDE
        case "transfer":
            return search.substitute is not None
    return True
