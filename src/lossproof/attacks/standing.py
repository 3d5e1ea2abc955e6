"""Which images still stand against a sequence of attacks, and the judge of what the attacks come up with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lossproof.attacks.losses import gap, others
from lossproof.threats.balls import within


class Standing:
    """N images within balls that may only grow: what is found in a smaller one counts for the larger one too.

    points [N, C, H, W]: the misclassified point that was found, or of an image that stands the one that came nearest
    to being misclassified; right [N] bool: the image stands (one that is misclassified as it is does not); zero [N]
    bool: some attack met a gradient that is exactly zero; likely [N, K - 1]: the wrong classes of the clean image by
    falling logit. ``epsilon``, in pixels, is set by the owner.

    Points are judged in a batch of all N images, so that a later judge who takes the same batch sees the same logits.
    """

    def __init__(self, model: nn.Module, images: Tensor, labels: Tensor, norm: str) -> None:
        self.model, self.images, self.labels, self.norm = model, images, labels, norm
        self.epsilon = 0.0
        self.points = images.clone()
        logits = self._logits(images)
        self.gap, self.right = gap(logits, labels), logits.argmax(1) == labels
        self.zero = torch.zeros_like(self.right)
        self.classes = logits.shape[1]
        self.likely = others(logits, labels)

    def _logits(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            logits: Tensor = self.model(images)
        return logits

    @property
    def rows(self) -> Tensor:
        """The places of the images that stand."""
        return self.right.nonzero()[:, 0]

    def offer(self, rows: Tensor, points: Tensor) -> None:
        """Judge a point [n, C, H, W] for each of the images at ``rows`` [n], no image twice.

        One outside the ball or the box is pulled back first, one that is not finite is not considered.
        """
        if not len(rows):
            return
        points, images = points.detach().to(self.images), self.images[rows]
        finite = points.flatten(1).isfinite().all(1)
        rows, points, images = rows[finite], points[finite].clamp(0, 1), images[finite]
        candidates = self.points.clone()
        candidates[rows] = within(points, images, self.norm, self.epsilon)
        logits = self._logits(candidates)
        found, wrong = gap(logits, self.labels), logits.argmax(1) != self.labels
        asked = torch.zeros_like(self.right)
        asked[rows] = self.right[rows]
        taken = asked & (wrong | (found < self.gap))
        self.points = torch.where(taken.view(-1, *[1] * (images.ndim - 1)), candidates, self.points)
        self.gap = torch.where(taken, found, self.gap)
        self.right &= ~(taken & wrong)
