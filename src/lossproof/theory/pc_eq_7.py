"""pc, eq. 7: the gradient of the probabilistically compact loss by the logits, and where it vanishes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lossproof.seeding import torch_generator
from lossproof.theory.cases import case, statement
from lossproof.theory.pc_objective import XI, terms

CATALOGUE = {"pc_eq_7": {"build": "check", "parameters": {}}}

DRAWS = 1000
FAR = (1e-2, 1e-4, 1e-8)
LOW_MARGIN = 0.3  # so that random logits have active and inactive terms


def check() -> dict[str, Any]:
    """One active term, the sum over all, and the sum where the true probability is small (pc, eqs. 6 and 7)."""
    cases = []
    for num_classes in (3, 10, 100):
        logits = 3 * torch.randn(
            DRAWS, num_classes, generator=torch_generator("theory", "pc_eq_7", num_classes), dtype=torch.float64
        )
        cases += [*_one_term(logits), *(_all_terms(logits, xi) for xi in (XI, LOW_MARGIN))]
    cases += [found for p in FAR for found in _far(p)]
    return statement(
        "An active term f_j + xi - f_y of the PC loss has the gradient -f_y (1 - f_y + f_j) by the true logit.",
        cases,
        "It holds for every active term. Its factor f_y makes it vanish where the true class is improbable; with all "
        "terms active the loss is K (1 - f_y) plus a constant, so training begins with another loss.",
    )


def _gradient(values: Tensor, logits: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(values.sum(), logits, retain_graph=True)
    return found


def _largest(difference: Tensor) -> float:
    return difference.abs().max().item()


def _one_term(logits: Tensor) -> list[dict[str, Any]]:
    """The term of the first false class by its three kinds of logits; ``logits`` [N, K]."""
    logits = logits.clone().requires_grad_()
    found = _gradient(terms(logits)[:, 0], logits)
    f = logits.detach().softmax(1)
    true, rival, third = f[:, 0], f[:, 1], f[:, 2:]
    printed = {
        "true logit: -f_y (1 - f_y + f_j)": (-true * (1 - true + rival), found[:, 0]),
        "rival logit: f_j (1 - f_j + f_y)": (rival * (1 - rival + true), found[:, 1]),
        "third logits: f_k (f_y - f_j)": (third * (true - rival)[:, None], found[:, 2:]),
    }
    return [
        case(
            f"one active term by the {name}, K = {logits.shape[1]}",
            "largest difference from autograd",
            0,
            _largest(ours - autograd),
            note="" if name.startswith("true") else "not reported",
        )
        for name, (ours, autograd) in printed.items()
    ]


def _all_terms(logits: Tensor, xi: float) -> dict[str, Any]:
    """Eq. 6 with its hinge, by all logits: n active terms, whose false classes have the probability S together."""
    logits = logits.clone().requires_grad_()
    hinges = terms(logits, xi)
    found = _gradient(hinges.relu(), logits)
    f, active = logits.detach().softmax(1), (hinges.detach() > 0).double()
    n, share = active.sum(1, keepdim=True), (active * f[:, 1:]).sum(1, keepdim=True)
    true = -f[:, :1] * (n * (1 - f[:, :1]) + share)
    false = f[:, 1:] * (active - share + n * f[:, :1])
    mixed = int(((n > 0) & (n < active.shape[1])).sum())
    return case(
        f"sum over the active terms, xi = {xi:g}, K = {logits.shape[1]}",
        "largest difference from autograd",
        0,
        _largest(torch.cat([true, false], 1) - found),
        note=f"xi = {xi:g}, K = {logits.shape[1]}: {mixed} of {len(logits)} draws have active and inactive terms",
    )


def _far(probability: float) -> list[dict[str, Any]]:
    """A sample whose true class has a small probability, with unequal false logits: all terms are active."""
    num_classes = 10
    false = torch.linspace(0, 3, num_classes - 1, dtype=torch.float64)
    odds = torch.tensor(probability / (1 - probability), dtype=torch.float64).log()
    logits = torch.cat([(odds + false.logsumexp(0))[None], false])[None].requires_grad_()
    compact = _gradient(terms(logits).relu(), logits)
    entropy = _gradient(-logits.log_softmax(1)[:, 0], logits)
    name = f"f_y = {probability:g}, K = {num_classes}"
    return [
        case(
            f"{name}, all terms active",
            "sum of the gradient's absolute values",
            2 * num_classes * probability * (1 - probability),
            compact.abs().sum().item(),
            note="-K f_y (1 - f_y) by the true logit, and as much by all others together",
        ),
        case(
            f"{name}, cross entropy",
            "gradient by the true logit",
            -1,
            entropy[0, 0].item(),
            digits=1,
            role="control",
            note="cross entropy keeps its gradient there",
        ),
    ]
