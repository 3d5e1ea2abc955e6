"""The model as a library's attack can bear it: finite logits, no vanishing gradient, nothing found forgotten."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lossproof.attacks.gradient import CLEARLY
from lossproof.attacks.losses import gap
from lossproof.threats.balls import length, rescale

# In the place of infinite logits: differences and sums of a few of them stay finite in float32.
HUGE = 1e30


class AllFound(Exception):  # noqa: N818 (not an error)
    """Ends a library's loop: what it looks for is found."""


class Connected(nn.Module):
    """Finite logits that hang on the images, even where the model cuts the graph: its gradient is then zero."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.nan_to_num(self.model(images), nan=-HUGE, posinf=HUGE, neginf=-HUGE)
        if images.requires_grad and not logits.requires_grad:
            logits = logits + 0 * images.flatten(1).sum(1, keepdim=True)
        return logits


class Guarded(nn.Module):
    """A connected model for one run of a library on R rows, that watches what it is asked.

    A row whose gradient is exactly zero or not finite gets a random direction instead, and is marked in ``zero`` [R].
    rescaled: give each row's gradient over its largest entry (a library adds 1e-12 to the length it divides by, so
    small gradients would make small steps); for attacks that use its direction only.

    ``points`` [R, C, H, W]: the nearest clearly misclassified input so far, ``distance`` [R] its distance, infinite
    where there is none. Raises ``AllFound`` once each image has one within ``epsilon``; the rows are ``copies`` copies
    of the same images in a row. watching = False: notes nothing but zero gradients, for a model that draws at each
    pass, where one success may be luck.
    """

    def __init__(
        self,
        model: Connected,
        images: Tensor,
        labels: Tensor,
        norm: str,
        epsilon: float,
        *,
        copies: int = 1,
        rescaled: bool = False,
        watching: bool = True,
    ) -> None:
        super().__init__()
        self.model, self.images, self.labels, self.norm, self.epsilon = model, images, labels, norm, epsilon
        self.copies, self.rescaled, self.watching = copies, rescaled, watching
        self.points = images.clone()
        self.distance = torch.full_like(images.flatten(1)[:, 0], torch.inf)
        self.zero = torch.zeros_like(labels, dtype=torch.bool)

    def forward(self, images: Tensor) -> Tensor:
        if images.requires_grad:
            images.register_hook(self._usable)
        logits: Tensor = self.model(images)
        # A library may drop rows that it sees otherwise than we do.
        if self.watching and len(images) == len(self.images):
            self._watch(images.detach(), logits.detach())
        return logits

    @property
    def found(self) -> Tensor:
        """[R] bool: rows with a misclassified point in the ball."""
        return self.distance <= self.epsilon

    def _watch(self, images: Tensor, logits: Tensor) -> None:
        wrong = gap(logits, self.labels) < -CLEARLY * logits.abs().amax(1)
        if not bool(wrong.any()):
            return
        distance = length(images - self.images, self.norm)
        # Rounding may set a point of the ball just outside it.
        distance = torch.where(distance <= self.epsilon * (1 + CLEARLY), distance.clamp_max(self.epsilon), distance)
        nearer = wrong & (distance < self.distance)
        self.distance = torch.where(nearer, distance, self.distance)
        self.points = torch.where(nearer.view(-1, *[1] * (images.ndim - 1)), images, self.points)
        if bool(self.found.view(self.copies, -1).any(0).all()):
            raise AllFound

    def _usable(self, gradient: Tensor) -> Tensor:
        largest = gradient.flatten(1).abs().amax(1)
        dead = ~((largest > 0) & largest.isfinite())
        if bool(dead.any()):
            if len(dead) == len(self.zero):
                self.zero |= dead
            noise = torch.randn(gradient.shape).to(gradient)
            gradient = torch.where(dead.view(-1, *[1] * (gradient.ndim - 1)), noise, gradient)
        return rescale(gradient) if self.rescaled else gradient
