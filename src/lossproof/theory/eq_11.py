"""sp, eq. 11: the gradient of SP focal with respect to the true logit, and its zero."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lossproof.criteria.focal import Focal
from lossproof.criteria.stationary_point_focal import StationaryPointFocal
from lossproof.seeding import torch_generator
from lossproof.theory.cases import case, statement
from lossproof.theory.true_logit import Criterion, stationary_points

CATALOGUE = {"eq_11": {"build": "check", "parameters": {}}}

ETAS = (0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1.0)


def equation_11(probability: Tensor, alpha: float, gamma: float, eta: float) -> Tensor:
    """``alpha (1-p)^gamma (gamma p log p - 1 + p) + 2 eta p^2 (1-p)`` as printed; any shape."""
    p = probability
    return alpha * (1 - p) ** gamma * (gamma * p * p.log() - 1 + p) + 2 * eta * p**2 * (1 - p)


def check() -> dict[str, Any]:
    """Eq. 11 against autograd on random logits, and its zeros (sp, eq. 11)."""
    cases = []
    for num_classes in (2, 3, 10, 200):
        for alpha, gamma, eta in ((0.25, 2.0, 0.03), (0.25, 2.0, 0.3), (1.0, 0.5, 0.1), (0.5, 3.0, 1.0)):
            criterion = StationaryPointFocal(alpha=alpha, gamma=gamma, eta=eta)
            error = _difference(criterion, num_classes, alpha, gamma, eta)
            name = f"true-class regulariser, K = {num_classes}, alpha {alpha:g}, gamma {gamma:g}, eta {eta:g}"
            cases.append(case(name, "largest difference from autograd", 0, error))
    for eta in ETAS:
        cases += _zero(eta)
    for num_classes in (3, 10):
        whole = StationaryPointFocal(regulariser="whole_vector")
        cases.append(
            case(
                f"whole-vector regulariser, K = {num_classes}, alpha 0.25, gamma 2, eta 0.03",
                "largest difference from autograd",
                0,
                _difference(whole, num_classes, 0.25, 2.0, 0.03),
                role="counterexample",
            )
        )
    cases.append(
        case(
            "focal loss without regulariser, K = 10",
            "largest difference from autograd",
            0,
            _difference(Focal(), 10, 0.25, 2.0, 0.03),
            role="control",
            note="the text introduces eq. 11 as the gradient of focal loss; it is that of SP focal",
        )
    )
    return statement(
        "The derivative of SP focal by the true logit is alpha (1-p)^gamma (gamma p log p - 1 + p) + 2 eta p^2 (1-p).",
        cases,
        "The regulariser is the square of the true-class probability, not of the whole softmax vector.",
    )


def _difference(criterion: Criterion, num_classes: int, alpha: float, gamma: float, eta: float) -> float:
    generator = torch_generator("theory", "eq_11", num_classes)
    logits = 3 * torch.randn(200, num_classes, generator=generator, dtype=torch.float64)
    targets = torch.randint(num_classes, (200,), generator=generator)
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(criterion(logits, targets).sum(), logits)
    true = targets[:, None]
    printed = equation_11(logits.detach().softmax(dim=1).gather(1, true), alpha, gamma, eta)
    return (gradient.gather(1, true) - printed).abs().max().item()


def _zero(eta: float) -> list[dict[str, Any]]:
    criterion = StationaryPointFocal(eta=eta)
    name = f"true-class regulariser, alpha 0.25, gamma 2, eta {eta:g}"
    zeros = stationary_points(criterion)
    cases = [case(name, "zeros of the gradient in (0, 1)", 1, len(zeros))]
    probability = criterion.stationary_probability(2)
    if zeros and probability is not None:
        cases.append(case(name, "true-class probability at the zero: eq. 11, autograd", probability, zeros[0]))
    return cases
