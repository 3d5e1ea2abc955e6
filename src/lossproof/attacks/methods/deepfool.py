"""DeepFool (L2, arXiv:1511.04599) through foolbox 3.3.4, and what of it lies within a radius (isce IS-A18).

Not through torchattacks: its DeepFool clamps at each step without the original's push of 1e-4 over the boundary, so
it creeps up to it and leaves half of MNIST unfooled, image by image and class by class.
Known of foolbox: it moves a model to the first GPU unless told where to stay; it runs every image until the last
one is fooled, with a forward pass per class and step; parameters collect gradients unless frozen; it imports
scipy.ndimage.filters, which SciPy 2 drops.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lossproof.attacks.outcome import Crafted, predict
from lossproof.attacks.parameters import EPSILON, L2
from lossproof.attacks.watched import Watched
from lossproof.models.frozen import frozen
from lossproof.threats.balls import length, within

CATALOGUE = {
    "deepfool": {
        "build": "deepfool",
        "track": "printed",
        # For the plan: passes with a gradient per step, one for each rival class; one run serves all budgets.
        "gradients": 9,
        "shared": True,
        "parameters": {
            "norm": L2,
            "epsilon": EPSILON,
            "steps": {"type": "integer", "minimum": 1, "default": 50, "description": "iterations at most"},
            "overshoot": {
                "type": "number",
                "minimum": 0,
                "default": 0.02,
                "description": "how far beyond the boundary, as a share of the way to it",
            },
        },
    }
}


def deepfool(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: str,
    epsilons: Sequence[float],
    step_sizes: Sequence[float | None],
    seed: int,
    steps: int = 50,
    overshoot: float = 0.02,
) -> Crafted:
    """One DeepFool run against the ten likeliest classes; its points, cut to each of the E radii.

    images [N, C, H, W] in [0, 1], labels [N] true classes; epsilons [E]: L2 radii in pixels. A point within the
    radius counts as it is; a farther one is pulled back onto it. step_sizes and seed are not used: nothing is drawn.

    Figures, the same for each radius: fooled_unlimited, whether the uncut point is misclassified; l2_unlimited,
    its distance where it is and the clean image is not (an image that is wrong from the start needs no way).
    """
    # foolbox imports GitPython, which else refuses to be imported on a machine without git.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from foolbox import PyTorchModel
    from foolbox.attacks import L2DeepFoolAttack
    from foolbox.criteria import Misclassification

    with frozen(model):
        watched = Watched(model).eval()
        kit = PyTorchModel(watched, bounds=(0, 1), device=images.device)
        tool = L2DeepFoolAttack(steps=steps, overshoot=overshoot, loss="logits")
        points = tool.run(kit, images, Misclassification(labels)).detach()
    way = length(points - images, norm)
    fooled = predict(model, points) != labels
    right = predict(model, images) == labels
    figures = {"fooled_unlimited": fooled, "l2_unlimited": way.where(fooled & right, torch.nan)}
    return Crafted(
        torch.stack([within(points, images, norm, epsilon) for epsilon in epsilons]),
        watched.zero.to(images.device).expand(len(epsilons), len(images)),
        figures={name: figure.expand(len(epsilons), -1) for name, figure in figures.items()},
    )
