"""Where a subject's diagnostics are made: its right images, and attacks that several of them look at, run once.

Two kinds of search. A *trace* is PGD as papers print it (``plain``: an image with a gradient of zero stays where it
is), with the logits of every iterate. A *search* is the honest loop, with its guards.
Success is success at any iterate; but of a network that draws at each pass, where one success may be luck, it is what
a fresh look at the last or best point says, averaged over draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from lossproof.attacks.gradient import CLEARLY, attack
from lossproof.attacks.losses import AttackLoss, gap, resolve
from lossproof.attacks.views import Averaged
from lossproof.jury.subject import Subject
from lossproof.models.frozen import frozen
from lossproof.seeding import seed_of
from lossproof.threats.balls import length
from lossproof.training.feeding import BATCH, fitting

DRAWN = 1e-4
"""Outputs of two passes, each over its length, that are farther apart come from draws (auto-attack, checks.py)."""
FEWEST = 2
"""Images that must be right for anything to be judged."""


@dataclass(frozen=True)
class Trace:
    """One run of PGD on N images."""

    points: Tensor | None  # [N, C, H, W]: the last iterate
    losses: Tensor  # [T + 1, N] float64: what was raised, at the start and after each step
    gaps: Tensor  # [T + 1, N]: z_y - max z_other
    drawn: bool

    @cached_property
    def ever(self) -> np.ndarray:
        """[N] bool: fooled at some iterate."""
        return (self.gaps < 0).any(0).cpu().numpy()

    @cached_property
    def last(self) -> np.ndarray:
        """[N] bool: fooled at the last iterate."""
        return (self.gaps[-1] < 0).cpu().numpy()

    @property
    def fooled(self) -> np.ndarray:
        """[N] bool: what counts as success."""
        return self.last if self.drawn else self.ever


@dataclass(frozen=True)
class Note:
    """What became of the points that one attack made, in numbers of images."""

    attack: str
    made: int
    unmoved: int
    broken: int  # not finite
    claimed: int  # fooled what was attacked
    mismatched: int  # of those, clearly right for the deployed network


@dataclass(frozen=True)
class Variant:
    """How one copy of the images is attacked beside the others of a batch."""

    factor: float = 1.0  # on epsilon
    scale: float = 1.0  # on the logits


class _Seen(nn.Module):
    """The model, with the logits of each row multiplied by a number of its own, keeping what every pass gave."""

    def __init__(self, model: nn.Module, scale: Tensor | None) -> None:
        super().__init__()
        self.model, self.scale = model, scale
        self.logits: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.model(images)
        if self.scale is not None:
            logits = logits * self.scale[:, None]
        self.logits.append(logits.detach())
        return logits


class Bench:
    """A subject on the bench. ``images``, ``labels`` [N]: those that it gets right; ``logits`` [N, K] of them."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.norm, self.epsilon = subject.norm, subject.epsilon_value
        self.twin, self.criterion = subject.twin, subject.criterion
        self.deployed = subject.model
        self.notes: list[Note] = []
        self._traces: dict[tuple[object, ...], Trace] = {}
        few = subject.images[: fitting(64, subject.images.shape)]
        self.drawn = self.spread(few, 2) > DRAWN
        self.model = Averaged(self.deployed, subject.draws) if self.drawn and subject.draws > 1 else self.deployed
        logits = self.ask(subject.images)
        right = gap(logits, subject.labels) > 0
        self.images, self.labels, self.logits = subject.images[right], subject.labels[right], logits[right]
        self.clean_accuracy = 100 * float(right.double().mean())

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int | None) -> slice:
        """The first so many of the images, all for None."""
        return slice(0, len(self) if count is None else min(count, len(self)))

    def seed(self, *names: object) -> int:
        """A seed of this subject."""
        return seed_of("diagnose", *self.subject.names, *names)

    def generator(self, *names: object) -> torch.Generator:
        """A generator on the CPU of this subject."""
        return torch.Generator().manual_seed(self.seed(*names))

    def size(self, copies: int = 1) -> int:
        """Images in one batch of which each row stands so many times."""
        draws = self.subject.draws if self.drawn else 1
        return max(1, fitting(BATCH, self.subject.images.shape) // (copies * draws))

    def ask(self, images: Tensor, model: nn.Module | None = None) -> Tensor:
        """Logits [N, K] of images, by default of the subject as an attacker sees it."""
        asked = self.model if model is None else model
        with frozen(asked), torch.no_grad():
            return torch.cat([asked(part) for part in images.split(self.size())])

    def spread(self, images: Tensor, passes: int) -> float:
        """The largest distance between the outputs of ``passes`` passes for an image, each over its length."""
        with frozen(self.deployed), torch.no_grad():
            outputs = torch.stack([self.deployed(images).double() for _ in range(passes)])
        outputs = outputs / (outputs.norm(dim=2, keepdim=True) + 1e-10)
        return max(float((one - outputs).norm(dim=2).amax()) for one in outputs)

    def step(self, radius: float, steps: int) -> float:
        """Of PGD: so long that the edge of the ball is reached from any point of it, at most its radius."""
        return radius * min(1.0, 2.5 / steps)

    def pgd(self, *, steps: int, loss: str = "ce", factors: Sequence[float] = (1.0,)) -> list[Trace]:
        """A trace for each factor on epsilon; those that are known are not made again, the others in one batch.

        loss: a name of ``attacks.losses``, or 'own'. Random starts are the same for all losses, steps and factors.
        """
        missing = [factor for factor in factors if (loss, steps, factor) not in self._traces]
        if missing:
            found = self.trace(f"pgd {loss}", [Variant(factor) for factor in missing], steps=steps, loss=loss)
            for factor, trace in zip(missing, found, strict=True):
                # Points are many numbers, and nobody asks for them later.
                self._traces[loss, steps, factor] = replace(trace, points=None)
        return [self._traces[loss, steps, factor] for factor in factors]

    def objective(self, loss: str) -> AttackLoss:
        """The function behind a loss's name; ValueError for 'own' where the subject has no criterion."""
        if loss != "own":
            return resolve(loss)
        if self.criterion is None:
            raise ValueError("the loss 'own' needs the training's criterion")
        return self.criterion

    def trace(
        self,
        name: str,
        variants: Sequence[Variant] = (Variant(),),
        *,
        steps: int,
        loss: str = "ce",
        rows: np.ndarray | None = None,
        random_start: bool = True,
        start: int = 0,
        model: nn.Module | None = None,
        foreign: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> list[Trace]:
        """PGD as printed on the images, or on ``rows`` of them (bool [N]), once per variant, all in one batch.

        model: what stands for the subject, or, ``foreign``, another network; its numbers are of ``dtype``. start: the
        number of the random start. One step without a random start is FGSM.
        """
        seen = self.model if model is None else model
        chosen = np.flatnonzero(np.ones(len(self), bool) if rows is None else rows)
        copies = len(variants)
        parts: list[list[Trace]] = []
        for at in range(0, len(chosen), size := self.size(copies)):
            part = torch.from_numpy(chosen[at : at + size]).to(self.labels.device)
            clean, labels = self.images[part].to(dtype), self.labels[part]
            several = [torch.tensor(values, dtype=dtype).repeat_interleave(len(part)) for values in (
                [self.epsilon * variant.factor for variant in variants],
                [self.step(self.epsilon * variant.factor, steps) for variant in variants],
                [variant.scale for variant in variants],
            )]  # fmt: skip
            scaled = any(variant.scale != 1 for variant in variants)
            watched = _Seen(seen, several[2].to(clean) if scaled else None)
            made = attack(
                watched, clean.repeat(copies, 1, 1, 1), labels.repeat(copies), norm=self.norm,
                epsilon=several[0], step_size=several[1], steps=steps, loss=self.objective(loss),
                random_start=random_start, plain=True, copies=copies, generator=self.generator("start", start, at),
            )  # fmt: skip
            logits = torch.stack(watched.logits)
            truth = labels.repeat(copies)
            gaps = torch.stack([gap(one, truth) for one in logits])
            with torch.no_grad():
                losses = torch.stack([self.objective(loss)(one.double(), truth) for one in logits])
            split = [part.split(len(labels), dim=-1) for part in (losses, gaps)]
            points = made.images.float().split(len(labels))
            found = []
            for one, raised, seen_gaps in zip(points, *split, strict=True):
                found.append(Trace(one, raised, seen_gaps, self.drawn))
                self.note(name, clean, one, labels, None if foreign else seen_gaps[-1] < 0)
            parts.append(found)
        return [_joined([part[at] for part in parts]) for at in range(copies)]

    def search(
        self,
        name: str,
        rows: np.ndarray,
        *,
        losses: Sequence[str | AttackLoss],
        steps: int,
        restarts: int = 1,
        radius: float | None = None,
        objective: Callable[[Tensor], AttackLoss] | None = None,
        early_drop: bool = True,
    ) -> np.ndarray:
        """Which of the images ``rows`` (bool [N]) the honest loop fools, bool [N]; False for all others.

        The first random start is that of the traces. radius: in place of epsilon. objective: in place of the losses,
        a loss for some of the images (their places [n] among all); it forbids to drop images early, as the loss could
        not follow.
        """
        size, chosen = self.size(), np.flatnonzero(rows)
        ball = self.epsilon if radius is None else radius
        fooled = np.zeros(len(self), bool)
        for at in range(0, len(chosen), size):
            part = torch.from_numpy(chosen[at : at + size]).to(self.labels.device)
            given = [self.objective(one) if isinstance(one, str) else one for one in losses]
            made = attack(
                self.model, self.images[part], self.labels[part], norm=self.norm, epsilon=ball,
                step_size=self.step(ball, steps), steps=steps, loss=given if objective is None else objective(part),
                random_start=True, restarts=restarts, early_drop=early_drop and objective is None and not self.drawn,
                generator=self.generator("start", 0, at),
            )  # fmt: skip
            won = made.fooled
            if self.drawn:
                won = gap(self.ask(made.images), self.labels[part]) < 0
            # An image that comes back as it was had no better iterate: that is no failure to move.
            self.note(name, self.images[part], made.images, self.labels[part], won, still=True)
            fooled[chosen[at : at + size]] = won.cpu().numpy()
        return fooled

    def note(
        self, name: str, clean: Tensor, points: Tensor, labels: Tensor, claimed: Tensor | None, *, still: bool = False
    ) -> None:
        """Look at points that an attack made: do they move, are they numbers, do they fool what is deployed?

        claimed: bool [N], fooled what was attacked; None for points that were made on another network. still: the
        attack gives back the clean image where nothing is more adversarial.
        """
        finite = points.flatten(1).isfinite().all(1)
        unmoved = 0 if still else int((length(points - clean, "linf") == 0).sum())
        mismatched = 0
        if claimed is not None and bool(claimed.any()):
            logits = self.ask(points[claimed], self.deployed)
            # Beyond what the last digits of a batch of another size may differ.
            clearly = gap(logits, labels[claimed]) > CLEARLY * logits.abs().amax(1)
            mismatched = int(clearly.sum())
        count = 0 if claimed is None else int(claimed.sum())
        self.notes.append(Note(name, len(points), unmoved, int((~finite).sum()), count, mismatched))

    @property
    def whole(self) -> float:
        """The radius of a ball that holds every image."""
        return 1.0 if self.norm == "linf" else math.sqrt(self.images[0].numel())


def _joined(parts: Sequence[Trace]) -> Trace:
    return Trace(
        torch.cat([part.points for part in parts if part.points is not None]),
        torch.cat([part.losses for part in parts], 1),
        torch.cat([part.gaps for part in parts], 1),
        parts[0].drawn,
    )
