"""Adversarial training: steps on images that a gradient attack has moved (Madry et al., arXiv:1706.06083)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from lossproof.models.frozen import frozen
from lossproof.threats.balls import per_image, project, random_point, steepest
from lossproof.threats.epsilon import PATTERN, SHARE, STEP_PATTERN, parse
from lossproof.threats.epsilon import step_size as pixels

CATALOGUE = {
    "adversarial": {
        "build": "Adversarial",
        "acts": "batch",
        "parameters": {
            "norm": {"enum": ["linf", "l2"], "default": "linf", "description": "the ball's norm"},
            "epsilon": {
                "type": ["string", "array"],
                "pattern": PATTERN,
                "items": {"type": "string", "pattern": PATTERN},
                "minItems": 2,
                "maxItems": 2,
                "default": "8/255",
                "description": "radius in pixels, fraction or decimal; [low, high]: uniform between them per image",
            },
            "steps": {"type": "integer", "minimum": 1, "default": 10, "description": "gradient steps; 1 = FGSM"},
            "step_size": {
                "type": ["string", "null"],
                "pattern": STEP_PATTERN,
                "default": None,
                "description": "step in pixels, or epsilon/4; null = 2.5 epsilon / steps, at most epsilon",
            },
            "random_start": {"type": "boolean", "default": True, "description": "start at a random point of the ball"},
            "clean_share": {
                "type": "number",
                "minimum": 0,
                "exclusiveMaximum": 1,
                "default": 0.0,
                "description": "share of each batch that stays clean",
            },
        },
    }
}


class Adversarial:
    """Images of a training batch moved within their balls to raise cross entropy on the deployed logits.

    Crafted in evaluation mode with the weights of the moment, final iterate; the step itself is taken in training
    mode. All draws come from the generator that is given, on the CPU. Raises ValueError for a reversed range.
    """

    def __init__(
        self,
        *,
        norm: str = "linf",
        epsilon: str | Sequence[str] = "8/255",
        steps: int = 10,
        step_size: str | None = None,
        random_start: bool = True,
        clean_share: float = 0.0,
    ) -> None:
        given = [epsilon] * 2 if isinstance(epsilon, str) else list(epsilon)
        self.low, self.high = map(parse, given)
        if self.low > self.high:
            raise ValueError(f"adversarial training needs epsilon [low, high], not {given}")
        self.norm, self.steps, self.random_start, self.clean_share = norm, steps, random_start, clean_share
        # The step as a share of each radius, or in pixels.
        self.share, self.step = min(1.0, 2.5 / steps), None
        if step_size and step_size.startswith(SHARE):
            self.share = pixels(step_size, 1.0, steps)
        elif step_size is not None:
            self.step = parse(step_size)

    def __call__(self, model: nn.Module, images: Tensor, targets: Tensor, generator: torch.Generator) -> Tensor:
        """Images [B, C, H, W] in [0, 1] and targets [B] -> images [B, C, H, W], the first ``clean_share`` as given."""
        if not self.high:
            return images
        clean = round(self.clean_share * len(images))
        moved = self._craft(model, images[clean:], targets[clean:], generator)
        return torch.cat([images[:clean], moved]) if clean else moved

    def _craft(self, model: nn.Module, images: Tensor, targets: Tensor, generator: torch.Generator) -> Tensor:
        count = len(images)
        radii = self.low + (self.high - self.low) * torch.rand(count, generator=generator)
        epsilon = per_image(radii, images)
        step = epsilon * self.share if self.step is None else per_image(self.step, images)
        points = images
        if self.random_start:
            noise = torch.randn(images.shape, generator=generator).to(images)
            radius = torch.rand(count, 1, 1, 1, generator=generator).to(images)
            points = random_point(images, noise, radius, self.norm, epsilon)
        with frozen(model):
            for _ in range(self.steps):
                points = points.detach().requires_grad_(True)
                loss = functional.cross_entropy(model(points), targets, reduction="sum")
                (gradient,) = torch.autograd.grad(loss, points)
                points = project(points.detach() + step * steepest(gradient, self.norm), images, self.norm, epsilon)
        return points.detach()
