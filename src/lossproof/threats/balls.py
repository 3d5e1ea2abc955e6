"""The sets in which an attack may move: L-inf and L2 balls around images, cut with the box [0, 1]."""

from __future__ import annotations

import torch
from torch import Tensor

NORMS = ("linf", "l2")
TINY = torch.finfo(torch.float32).tiny


def per_image(value: float | Tensor, images: Tensor) -> Tensor:
    """A number, or a tensor [N] of one per image, as a tensor [N, 1, 1, 1] beside ``images``.

    Raises ValueError where the tensor has another length.
    """
    tensor = torch.as_tensor(value, dtype=images.dtype, device=images.device)
    if tensor.ndim not in (0, 1) or (tensor.ndim == 1 and len(tensor) != len(images)):
        raise ValueError(f"expected one number or {len(images)}, not shape {tuple(tensor.shape)}")
    return tensor.expand(len(images)).view(-1, *[1] * (images.ndim - 1))


def length(vectors: Tensor, norm: str) -> Tensor:
    """The norm of each image-shaped vector, [N]; ValueError for an unknown norm."""
    if norm not in NORMS:
        raise ValueError(f"no norm '{norm}'; known: {', '.join(NORMS)}")
    flat = vectors.flatten(1)
    return flat.abs().amax(1) if norm == "linf" else torch.linalg.vector_norm(flat, dim=1)


def project(points: Tensor, images: Tensor, norm: str, epsilon: Tensor) -> Tensor:
    """The points pulled back into the balls of radius ``epsilon`` [N, 1, 1, 1] and into [0, 1].

    L2: scaling, then clamping; as the images lie in the box, clamping only shortens the way.
    """
    if norm == "linf":
        return torch.clamp(points, images - epsilon, images + epsilon).clamp_(0, 1)
    delta = points - images
    factor = (epsilon / length(delta, norm).clamp_min(TINY).view_as(epsilon)).clamp_max(1)
    return (images + delta * factor).clamp_(0, 1)


def within(points: Tensor, images: Tensor, norm: str, epsilon: float) -> Tensor:
    """The points that lie in the balls of this radius as they are, the others pulled back into them."""
    radius = per_image(epsilon, images)
    inside = length(points - images, norm).view_as(radius) <= radius
    return torch.where(inside, points, project(points, images, norm, radius))


def rescale(gradient: Tensor) -> Tensor:
    """Each image's gradient over its largest entry, so that squares and means of denormal numbers do not underflow."""
    largest = length(gradient, "linf").clamp_min(TINY)
    return gradient / largest.view(-1, *[1] * (gradient.ndim - 1))


def steepest(gradient: Tensor, norm: str) -> Tensor:
    """The direction of unit norm along which a linear function with this gradient grows most."""
    if norm == "linf":
        return gradient.sign()
    gradient = rescale(gradient)
    return gradient / length(gradient, norm).clamp_min(TINY).view(-1, *[1] * (gradient.ndim - 1))


def random_point(images: Tensor, noise: Tensor, radius: Tensor, norm: str, epsilon: Tensor) -> Tensor:
    """A random point of each ball from ``noise`` ~ N(0, 1) and ``radius`` ~ U(0, 1) (the latter for L2 only).

    L-inf: uniform in the ball. L2: uniform direction and uniform radius (as torchattacks.PGDL2).
    """
    delta = 2 * torch.special.ndtr(noise) - 1 if norm == "linf" else steepest(noise, norm) * radius
    return project(images + epsilon * delta, images, norm, epsilon)
