"""sp, theorem 1: cross entropy prefers no boundary."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lossproof.criteria.cross_entropy import CrossEntropy
from lossproof.criteria.stationary_point_ce import StationaryPointCE
from lossproof.criteria.stationary_point_focal import StationaryPointFocal
from lossproof.seeding import torch_generator
from lossproof.theory.cases import case, statement

CATALOGUE = {
    "theorem_1": {
        "build": "check",
        "parameters": {
            "networks": {
                "type": "integer",
                "minimum": 1,
                "default": 10,
                "description": "random two-layer networks per number of classes",
            }
        },
    }
}

SCALES = (1.1, 2.0, 5.0)
CLASSES = (2, 3, 10)


class Network:
    """A random two-layer ReLU network on the plane and 100 points that it classifies perfectly by construction."""

    def __init__(self, num_classes: int, index: int) -> None:
        generator = torch_generator("theory", "theorem_1", num_classes, index)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        self.w1, self.b1, self.w2, self.b2 = normal(20, 2), normal(20), normal(num_classes, 20), normal(num_classes)
        self.points, self.direction = normal(100, 2), normal(2)
        self.labels = self.logits().argmax(dim=1)

    def logits(self, scale: float | Tensor = 1.0, shift: Tensor | float = 0.0) -> Tensor:
        """Logits [100, K] with the last layer times ``scale`` and the first layer's bias changed to
        ``b - W shift``, which moves the boundary by ``shift`` [2]."""
        bias = self.b1 - self.w1 @ shift if isinstance(shift, Tensor) else self.b1
        return functional.linear(functional.linear(self.points, self.w1, bias).relu(), scale * self.w2, scale * self.b2)

    def harmless_shift(self) -> Tensor:
        """A shift of the boundary that changes no training decision."""
        shift = self.direction
        while not torch.equal(self.logits(shift=shift).argmax(dim=1), self.labels):
            shift = shift / 2
        return shift


def check(*, networks: int = 10) -> dict[str, Any]:
    """Scale the last layers of perfect networks and shift their boundaries (sp, theorem 1 and its proof)."""
    cases = []
    for num_classes in CLASSES:
        nets = [Network(num_classes, index) for index in range(networks)]
        cases += _scaling(nets, f"K = {num_classes}, {networks} networks")
        cases += _shift(nets, f"K = {num_classes}, {networks} networks")
    cases += _padded_convolution()
    nets = [Network(3, index) for index in range(networks)]
    cases += [_turning_point(nets, name, criterion) for name, criterion in CONTROLS.items()]
    return statement(
        "A network that classifies its training set perfectly can be changed into one with the same decisions "
        "on it and a smaller cross entropy, so cross entropy settles on no boundary.",
        cases,
        "Every training sample is classified correctly; the proof's shift through the first layer is exact for "
        "a fully connected layer or a convolution without padding.",
    )


def _scaling(nets: list[Network], name: str) -> list[dict[str, Any]]:
    criterion = CrossEntropy()
    same, smaller, change, slope_error = [], [], [], 0.0
    for net in nets:
        before = net.logits()
        for scale in SCALES:
            after = net.logits(scale)
            same.append(torch.equal(after.argmax(dim=1), net.labels))
            change.append((criterion(after, net.labels).mean() - criterion(before, net.labels).mean()).item())
            smaller.append(change[-1] < 0)
        factor = torch.ones((), dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(criterion(net.logits(factor), net.labels).mean(), factor)
        true = before.gather(1, net.labels[:, None])[:, 0]
        formula = ((before.softmax(dim=1) * before).sum(dim=1) - true).mean()
        slope_error = max(slope_error, (slope - formula).abs().item())
    scales = f"last layer times {SCALES[0]}, {SCALES[1]:g}, {SCALES[2]:g}"
    return [
        case(name, f"share with equal decisions, {scales}", 1, sum(same) / len(same)),
        case(
            name,
            f"share with smaller mean CE, {scales}",
            1,
            sum(smaller) / len(smaller),
            note=f"change of the mean CE between {min(change):.3g} and {max(change):.3g}",
        ),
        case(
            name,
            "largest difference between d CE / d scale and sum_k p_k z_k - z_y",
            0,
            slope_error,
            note="the formula of the proof, never positive on a correct sample, against autograd",
        ),
    ]


def _shift(nets: list[Network], name: str) -> list[dict[str, Any]]:
    exact, same, smaller = 0.0, [], []
    criterion = CrossEntropy()
    for net in nets:
        shift = net.harmless_shift()
        moved = functional.linear(functional.linear(net.points - shift, net.w1, net.b1).relu(), net.w2, net.b2)
        exact = max(exact, (net.logits(shift=shift) - moved).abs().max().item())
        loss, scale = criterion(net.logits(), net.labels).mean(), 1.0
        while criterion(net.logits(scale, shift), net.labels).mean() >= loss and scale < 1e6:
            scale *= 2
        smaller.append(bool(criterion(net.logits(scale, shift), net.labels).mean() < loss))
        same.append(torch.equal(net.logits(scale, shift).argmax(dim=1), net.labels))
    return [
        case(name, "largest difference between bias b - W d and inputs x - d", 0, exact),
        case(name, "share with equal decisions, boundary shifted and last layer scaled", 1, sum(same) / len(same)),
        case(name, "share with smaller mean CE, boundary shifted and last layer scaled", 1, sum(smaller) / len(nets)),
    ]


def _padded_convolution() -> list[dict[str, Any]]:
    generator = torch_generator("theory", "theorem_1", "convolution")
    images = torch.randn(4, 3, 8, 8, generator=generator, dtype=torch.float64)
    weight = torch.randn(5, 3, 3, 3, generator=generator, dtype=torch.float64)
    shift = torch.randn(3, generator=generator, dtype=torch.float64)
    bias = -(weight.sum(dim=(2, 3)) @ shift)
    by_input = functional.conv2d(images - shift[:, None, None], weight, padding=1)
    difference = (functional.conv2d(images, weight, bias, padding=1) - by_input).abs()
    name = "first layer a 3x3 convolution, padding 1"
    quantity = "largest difference between bias b - W d and inputs x - d"
    return [
        case(name, f"{quantity}, inner pixels", 0, difference[..., 1:-1, 1:-1].max().item(), role="control"),
        case(
            name,
            f"{quantity}, all pixels",
            0,
            difference.max().item(),
            role="control",
            note="the padding zeros do not move with the inputs, so the proof's shift is not exact here",
        ),
    ]


CONTROLS: dict[str, StationaryPointCE | StationaryPointFocal] = {
    "sp_ce, form C, eta 0.75": StationaryPointCE(eta=0.75),
    "sp_focal, eta 0.03": StationaryPointFocal(eta=0.03),
}


def _turning_point(
    nets: list[Network], name: str, criterion: StationaryPointCE | StationaryPointFocal
) -> dict[str, Any]:
    scales = torch.logspace(-2, 3, 61, dtype=torch.float64).tolist()
    inside = []
    for net in nets:
        losses = torch.stack([criterion(net.logits(scale), net.labels).mean() for scale in scales])
        lowest = int(losses.argmin())
        inside.append(0 < lowest < len(scales) - 1 and bool(losses[-1] > losses[lowest]))
    return case(
        f"{name}, K = 3, {len(nets)} networks",
        "share whose mean loss has its minimum at a finite scale of the last layer and grows beyond it",
        1,
        sum(inside) / len(inside),
        role="control",
        note="scales from 0.01 to 1000",
    )
