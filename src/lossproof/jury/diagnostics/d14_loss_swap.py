"""D14: do losses that pull towards one class at a time achieve what the usual ones do not?"""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import Tensor

from lossproof.attacks.losses import AttackLoss, others
from lossproof.jury.bench import Bench
from lossproof.jury.finding import Finding, paired, standing
from lossproof.jury.parameters import STEPS

CATALOGUE = {
    "loss_swap": {
        "build": "loss_swap",
        "id": "D14",
        "of": "model",
        "title": "what targets gain over cross entropy and the margin together",
        "unit": "points",
        "threshold": 2,
        "flag": "above",
        "source": "arXiv:2003.01690; arXiv:2006.13726 (imbalanced gradients)",
        "parameters": {
            "steps": STEPS,
            "targets": {
                "type": "integer",
                "minimum": 1,
                "default": 9,
                "description": "wrong classes that are aimed at in turn, the likeliest first",
            },
        },
    }
}


class Towards:
    """The targeted DLR loss (arXiv:2003.01690, eq. 9) with a class for each image to reach, [N].

    -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2); with three classes or fewer the plain difference.
    """

    def __init__(self, targets: Tensor) -> None:
        self.targets = targets

    def of(self, rows: Tensor) -> AttackLoss:
        """The loss of a batch that holds the images at these places [n]."""
        return partial(self._loss, self.targets[rows])

    @staticmethod
    def _loss(targets: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        lead = logits.gather(1, targets[:, None])[:, 0] - logits.gather(1, labels[:, None])[:, 0]
        if logits.shape[1] < 4:
            return lead
        top = logits.topk(4, dim=1).values
        return lead / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2).clamp_min(1e-12)


def loss_swap(bench: Bench, *, steps: int, targets: int) -> Finding:
    """By how much accuracy under the targeted DLR loss is below that under cross entropy and the margin together.

    Together: per image the worse of the two. That many targets do more than either of them alone is usual, also of
    adversarially trained networks. One run per loss, that of cross entropy as printed, and one per target for the
    images that stand.
    """
    every = np.ones(len(bench), bool)
    names = ["ce", "margin", "dlr", "own"]
    if bench.logits.shape[1] < 3:
        names.remove("dlr")
    if bench.criterion is None:
        names.remove("own")
    fooled = {"ce": bench.pgd(steps=steps)[0].fooled}
    fooled |= {name: bench.search(f"pgd {name}", every, losses=[name], steps=steps) for name in names[1:]}
    ranked = others(bench.logits, bench.labels)
    aimed = np.zeros(len(bench), bool)
    for rank in range(min(targets, ranked.shape[1])):
        towards = Towards(ranked[:, rank])
        aimed |= bench.search("targets", ~aimed, losses=[], steps=steps, objective=towards.of)
    order = [name for name in names if name != "own"] + ["targeted dlr"] + (["own"] if "own" in names else [])
    levels = {name: standing(found) for name, found in fooled.items()} | {"targeted dlr": standing(aimed)}
    either = fooled["ce"] | fooled["margin"]
    each = ", ".join(f"{name} {levels[name]:.1f} %" for name in order)
    return Finding(
        max(0.0, standing(either) - levels["targeted dlr"]),
        f"accuracy by the loss that PGD-{steps} follows: {each}; cross entropy and margin together "
        f"{standing(either):.1f} %",
        len(bench),
        p=paired(aimed, either),
        curves={"loss": order, "accuracy": [levels[name] for name in order], "ce and margin": standing(either)},
    )
