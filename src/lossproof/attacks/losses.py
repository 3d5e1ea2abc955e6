"""What an attack maximises, by name: functions of logits [N, K] and labels [N] to losses [N].

All are larger where the label is predicted less. They hold for logits of either sign (a maximum over
``(1 - onehot) * logits``, as some libraries take it, is wrong where all logits are negative).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

AttackLoss = Callable[[Tensor, Tensor], Tensor]


def gap(logits: Tensor, labels: Tensor) -> Tensor:
    """z_y - max_{k != y} z_k, [N]: negative exactly where another class wins."""
    chosen = logits.gather(1, labels[:, None])
    rivals = logits.scatter(1, labels[:, None], -torch.inf)
    return chosen[:, 0] - rivals.amax(1)


def others(logits: Tensor, labels: Tensor) -> Tensor:
    """The wrong classes by falling logit, [N, K - 1]."""
    return logits.scatter(1, labels[:, None], torch.inf).argsort(1, descending=True)[:, 1:]


def ce(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy; exactly 0 with an exactly zero gradient for gaps above about 104 in float32."""
    return functional.cross_entropy(logits, labels, reduction="none")


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """max_{k != y} z_k - z_y, not clamped, so its gradient never vanishes (Carlini & Wagner's f without the clamp)."""
    return -gap(logits, labels)


def dlr(logits: Tensor, labels: Tensor) -> Tensor:
    """Difference of logits ratio (arXiv:2003.01690, eq. 6): the margin over z_(1) - z_(3); needs 3 classes."""
    if logits.shape[1] < 3:
        raise ValueError(f"the DLR loss needs at least 3 classes, not {logits.shape[1]}")
    top = logits.topk(3, dim=1).values
    return -gap(logits, labels) / (top[:, 0] - top[:, 2]).clamp_min(1e-12)


def logit(logits: Tensor, labels: Tensor) -> Tensor:
    """-z_y: only presses the label's own logit."""
    return -logits.gather(1, labels[:, None])[:, 0]


def unit_gap(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of the logits over each image's |z_y - max_{k != y} z_k|, which is held fixed.

    No factor on the logits changes it, and where one blinds ``ce`` its gradient is neither zero nor one class's alone.
    """
    with torch.no_grad():
        # Logits that (almost) tie are not blown up beyond what float32 tells apart.
        floor = (1e-6 * logits.abs().amax(1)).clamp_min(torch.finfo(torch.float32).tiny)
        size = torch.maximum(gap(logits, labels).abs(), floor)
    return ce(logits / size[:, None], labels)


LOSSES: Mapping[str, AttackLoss] = {"ce": ce, "margin": margin, "dlr": dlr, "logit": logit, "unit_gap": unit_gap}


def resolve(loss: str | AttackLoss) -> AttackLoss:
    """The function behind a name; a callable (any criterion of ``lossproof.criteria``) as it is.

    Raises ValueError for an unknown name.
    """
    if callable(loss):
        return loss
    if loss not in LOSSES:
        raise ValueError(f"no attack loss '{loss}'; known: {', '.join(LOSSES)}")
    return LOSSES[loss]
