"""Many two-layer networks (2 - hidden - 2, ReLU) trained side by side as one batched network.

A toy network is so small that the time of a training step is the time to start its operations. Ten
or sixty of them (toys x seeds) therefore share every operation; they never share a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lossproof.progress import track
from lossproof.seeding import torch_generator

Criterion = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
BETAS = (0.9, 0.999)
EPSILON = 1e-8
SNAPSHOTS = 40


@dataclass(frozen=True)
class Weights:
    """Weights of M networks, float32: w1 [M, 2, H], b1 [M, H], w2 [M, H, 2], b2 [M, 2]."""

    w1: torch.Tensor
    b1: torch.Tensor
    w2: torch.Tensor
    b2: torch.Tensor

    def repeat(self, times: int) -> Weights:
        """The same M networks ``times`` times over: [times * M, ...]."""
        return Weights(*(torch.cat([tensor] * times) for tensor in (self.w1, self.b1, self.w2, self.b2)))


@dataclass(frozen=True)
class History:
    """Snapshots of M networks: weights as in Weights with E snapshots in front, and how they did.

    ``epochs`` [E] int64, ``w1`` [E, M, 2, H], ``b1`` [E, M, H], ``w2`` [E, M, H, 2], ``b2`` [E, M, 2]
    float32, ``loss`` [E, M] float64 (mean over the kept points), ``accuracy`` [E, M] float64, percent
    of the kept points.
    """

    epochs: np.ndarray
    w1: np.ndarray
    b1: np.ndarray
    w2: np.ndarray
    b2: np.ndarray
    loss: np.ndarray
    accuracy: np.ndarray


def initial_weights(seeds: Iterable[int], hidden: int = 20) -> Weights:
    """One network per seed with the initial distribution of ``torch.nn.Linear``.

    Weights and biases are uniform in +-1/sqrt(inputs). They depend on the seed (and the width) alone,
    so that every loss and every toy starts from the same network.
    """

    def draw(seed: int) -> list[torch.Tensor]:
        generator = torch_generator("toy network", hidden, seed)
        shapes = (((2, hidden), 2), ((hidden,), 2), ((hidden, 2), hidden), ((2,), hidden))
        return [(torch.rand(shape, generator=generator) * 2 - 1) / math.sqrt(inputs) for shape, inputs in shapes]

    return Weights(*(torch.stack(tensors) for tensors in zip(*(draw(seed) for seed in seeds), strict=True)))


def snapshot_epochs(epochs: int, requested: Iterable[int] = (100, 1000, 10_000)) -> list[int]:
    """0, about forty log-spaced epochs, the requested ones that are within reach, and the last."""
    spaced = np.geomspace(1, epochs, SNAPSHOTS).round().astype(int).tolist() if epochs else []
    return sorted({0, epochs, *spaced, *(epoch for epoch in requested if 0 <= epoch <= epochs)})


def train(
    points: np.ndarray,
    labels: np.ndarray,
    kept: np.ndarray,
    weights: Weights,
    criterion: Criterion,
    *,
    epochs: int = 10_000,
    learning_rate: float = 0.01,
    snapshots: Sequence[int] | None = None,
    device: torch.device | str = "cpu",
) -> History:
    """Train M networks with full-batch Adam, each on its own points (SP-A23).

    ``points`` [M, N, 2], ``labels`` [M, N], ``kept`` [M, N]; ``weights`` of M networks are not changed.
    The loss of a network is the mean of ``criterion(logits [B, 2], targets [B]) -> [B]`` over its kept
    points. A snapshot at epoch e holds the weights after e updates (default: ``snapshot_epochs``).

    The passes through the two layers are written out, and only the criterion is differentiated by
    autograd: two to three times faster than autograd throughout. Each layer carries its bias as one
    more column, with inputs of 1, and all weights lie in one flat vector, so that one Adam update of
    a few operations serves all networks.

    Raises FloatingPointError where a network's loss is not finite at a snapshot.
    """
    networks, count, _ = points.shape
    hidden = weights.b1.shape[1]
    x = torch.ones(networks, 3, count, device=device)
    x[:, :2] = torch.as_tensor(points, dtype=torch.float32).transpose(1, 2)
    x_rows = x.transpose(1, 2).contiguous()
    targets = torch.as_tensor(labels, dtype=torch.int64, device=device).reshape(-1)
    share = torch.as_tensor(kept, dtype=torch.float32, device=device)
    share = (share / share.sum(1, keepdim=True)).reshape(-1)

    flat = torch.empty(networks * (hidden * 3 + 2 * (hidden + 1)), device=device)
    gradient = torch.zeros_like(flat)
    layer_1, layer_2 = _layers(flat, networks, hidden)
    gradient_1, gradient_2 = _layers(gradient, networks, hidden)
    layer_1[:, :, :2], layer_1[:, :, 2] = weights.w1.transpose(1, 2), weights.b1
    layer_2[:, :, :hidden], layer_2[:, :, hidden] = weights.w2.transpose(1, 2), weights.b2
    outgoing = layer_2[:, :, :hidden].transpose(1, 2)
    adam = _Adam(flat, gradient, learning_rate)

    before = torch.empty(networks, hidden, count, device=device)
    gradient_before = torch.empty_like(before)
    after = torch.ones(networks, hidden + 1, count, device=device)
    wanted = set(snapshot_epochs(epochs) if snapshots is None else snapshots)
    taken: dict[str, list[np.ndarray]] = {name: [] for name in History.__dataclass_fields__}

    for epoch in track(range(epochs + 1), epochs + 1, f"{networks} toy networks"):
        torch.bmm(layer_1, x, out=before)
        torch.clamp_min(before, 0, out=after[:, :hidden])
        logits = torch.bmm(layer_2, after).transpose(1, 2).reshape(-1, 2).requires_grad_()
        with torch.enable_grad():
            losses = criterion(logits, targets)
        if epoch in wanted:
            loss = (losses.detach() * share).reshape(networks, count).sum(1)
            if not bool(loss.isfinite().all()):
                raise FloatingPointError(f"loss of a toy network is not finite at epoch {epoch}")
            correct = ((logits.detach().argmax(1) == targets) * share).reshape(networks, count).sum(1)
            _take(taken, epoch, layer_1, layer_2, loss, correct)
        if epoch == epochs:
            break
        (slope,) = torch.autograd.grad(losses, logits, share)
        slope = slope.reshape(networks, count, 2).transpose(1, 2)
        torch.bmm(slope, after.transpose(1, 2), out=gradient_2)
        torch.bmm(outgoing, slope, out=gradient_before)
        torch.bmm(torch.ops.aten.threshold_backward(gradient_before, before, 0), x_rows, out=gradient_1)
        adam.step()
    return History(**{name: np.stack(values) for name, values in taken.items()})


def _layers(flat: torch.Tensor, networks: int, hidden: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Views of a flat vector: first layer [M, H, 3] and second layer [M, 2, H + 1], bias last."""
    first = networks * hidden * 3
    return flat[:first].view(networks, hidden, 3), flat[first:].view(networks, 2, hidden + 1)


def _take(
    taken: dict[str, list[np.ndarray]],
    epoch: int,
    layer_1: torch.Tensor,
    layer_2: torch.Tensor,
    loss: torch.Tensor,
    correct: torch.Tensor,
) -> None:
    """Append one snapshot to the lists of History's fields."""
    columns_1, columns_2 = layer_1.cpu().numpy().transpose(0, 2, 1), layer_2.cpu().numpy().transpose(0, 2, 1)
    taken["epochs"].append(np.array(epoch, dtype=np.int64))
    taken["w1"].append(columns_1[:, :2].copy())
    taken["b1"].append(columns_1[:, 2].copy())
    taken["w2"].append(columns_2[:, :-1].copy())
    taken["b2"].append(columns_2[:, -1].copy())
    taken["loss"].append(loss.double().cpu().numpy())
    # a share of float32 ninths and thirds does not sum to 1 exactly
    taken["accuracy"].append((100 * correct.double()).cpu().numpy().round(4))


class _Adam:
    """Adam (as ``torch.optim.Adam`` with its default settings) on one flat vector, in six operations."""

    def __init__(self, flat: torch.Tensor, gradient: torch.Tensor, learning_rate: float) -> None:
        self.flat, self.gradient, self.learning_rate = flat, gradient, learning_rate
        self.mean, self.square, self.scale = (torch.zeros_like(flat) for _ in range(3))
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        unbias_mean = 1 - BETAS[0] ** self.steps
        unbias_scale = math.sqrt(1 - BETAS[1] ** self.steps)
        self.mean.lerp_(self.gradient, 1 - BETAS[0])
        self.square.mul_(BETAS[1]).addcmul_(self.gradient, self.gradient, value=1 - BETAS[1])
        torch.sqrt(self.square, out=self.scale).add_(EPSILON * unbias_scale)
        self.flat.addcdiv_(self.mean, self.scale, value=-self.learning_rate * unbias_scale / unbias_mean)
