"""isce, the min-max argument: a network's worst loss in a ball under either softmax."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lossproof.seeding import torch_generator
from lossproof.theory.cases import case, statement
from lossproof.theory.inference_softmax import CLASSES, marked

CATALOGUE = {"isce_minmax_1": {"build": "check", "parameters": {}}}

POINTS, SIDE, NETWORKS, HIDDEN = 200, 21, 10, 20
SMALL, LARGE = 0.2, 2.0  # half the side of the ball; points are normal with deviation 1


class Outcome(NamedTuple):
    """The means over points of the largest loss in the ball under either softmax, and accuracies in percent."""

    inferred: float
    plain: float
    accuracy_inferred: float
    accuracy_plain: float


def check() -> dict[str, Any]:
    """The largest loss on a grid in the ball around every point, for random networks (isce, min-max objective)."""
    networks = [_logits(index, SMALL) for index in range(NETWORKS)]
    cases = []
    for s, m in ((1.0, 0.1), (1.0, 1.0)):
        found = [_outcome(*network, s, m) for network in networks]
        name = f"{NETWORKS} random networks, normalised logits, s = {s:g}, m = {m:g}"
        cases += [
            case(name, "share with the lower objective", 1, _share(one.inferred < one.plain for one in found)),
            case(
                name,
                "largest difference of accuracies under that attack",
                0,
                max(abs(one.accuracy_inferred - one.accuracy_plain) for one in found),
                role="control",
                note="the lower objective is another loss of the same outputs: no image is classified otherwise",
            ),
        ]
        bound = max(one.plain - one.inferred for one in found)
        cases.append(
            case(
                name,
                "largest gain of the objective exceeds m (1: yes)",
                0,
                float(bound > m),
                note=f"the gain lies between 0 and m: up to {bound:.4f} here",
            )
        )
    networks = [_logits(index, LARGE) for index in range(NETWORKS)]
    for s, m in ((1.0, 0.1), (2.0, 0.05), (1.5, 0.1)):
        found = [_outcome(*network, s, m) for network in networks]
        cases.append(
            case(
                f"{NETWORKS} random networks, normalised logits, large ball, s = {s:g}, m = {m:g}",
                "share with the lower objective",
                1,
                _share(one.inferred < one.plain for one in found),
                role="check" if s == 1 else "counterexample",
                note="" if s == 1 else "attacked true logits are negative: there a factor s > 1 lowers P_I below P",
            )
        )
    return statement(
        "For the same network the min-max objective is lower under the inference softmax, since P_I > P.",
        cases,
        "(s-1) f + m > 0 at the attacked points, as always for s = 1. It compares two losses of one network, not two "
        "networks, and so says nothing of robustness.",
    )


def _logits(index: int, radius: float) -> tuple[Tensor, Tensor]:
    """Normalised logits [points, places in the ball, K] of a random two-layer network, and labels [points].

    The labels are what the network says of the points themselves, so that only the attack makes mistakes.
    """
    generator = torch_generator("theory", "isce_minmax_1", index)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    axis = torch.linspace(-radius, radius, SIDE, dtype=torch.float64)
    moves = torch.cartesian_prod(axis, axis)
    middle = len(moves) // 2  # the point itself
    first, second, bias = normal(2, HIDDEN), normal(HIDDEN, CLASSES) / math.sqrt(HIDDEN), normal(HIDDEN)
    hidden = ((normal(POINTS, 2)[:, None] + moves) @ first + bias).relu()
    logits = torch.nn.functional.normalize(hidden @ second, dim=-1)
    return logits, logits[:, middle].argmax(1)


def _outcome(logits: Tensor, labels: Tensor, s: float, m: float) -> Outcome:
    true = labels[:, None, None].expand(-1, logits.shape[1], 1)
    f = logits.gather(2, true)[..., 0]
    rest = logits.scatter(2, true, -math.inf).logsumexp(2)
    found = []
    for loss in (-marked(f, rest, s, m).log(), -marked(f, rest).log()):
        worst = loss.argmax(1)
        attacked = logits[torch.arange(len(logits)), worst]
        found.append((loss.amax(1).mean().item(), 100 * _share(attacked.argmax(1) == labels)))
    (inferred, accuracy_inferred), (plain, accuracy_plain) = found
    return Outcome(inferred, plain, accuracy_inferred, accuracy_plain)


def _share(right: Any) -> float:
    return torch.tensor(list(right), dtype=torch.float64).mean().item()
