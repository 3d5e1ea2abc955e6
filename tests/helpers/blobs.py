"""A small trained network and its images, for tests of attacks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

CLASSES = 5


class Scaled(nn.Module):
    """A network whose logits are multiplied and shifted."""

    def __init__(self, model: nn.Module, scale: float = 1.0, shift: float = 0.0) -> None:
        super().__init__()
        self.model, self.scale, self.shift = model, scale, shift

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images) * self.scale + self.shift


def blobs() -> tuple[Tensor, Tensor]:
    """64 images: blobs around a pattern per class."""
    generator = torch.Generator().manual_seed(3)
    labels = torch.arange(64) % CLASSES
    patterns = torch.rand(CLASSES, 2, 6, 6, generator=generator)
    noise = 0.15 * torch.randn(64, 2, 6, 6, generator=generator)
    return (0.3 + 0.4 * patterns[labels] + noise).clamp(0, 1), labels


def trained(data: tuple[Tensor, Tensor]) -> nn.Module:
    """A small smooth network, trained on the blobs by cross entropy."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), nn.Softplus(), nn.Flatten(), nn.Linear(288, CLASSES))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(40):
        optimiser.zero_grad()
        cross_entropy(net(data[0]), data[1]).backward()
        optimiser.step()
    optimiser.zero_grad()
    net.eval()
    assert accuracy(net, *data) > 0.95
    return net


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        return float((model(images).argmax(1) == labels).float().mean())


def agree(ours: Tensor, theirs: Tensor) -> None:
    """Equal up to rounding; a sign of a gradient near zero may differ in at most 1 pixel of 500."""
    assert ((ours - theirs).abs() > 2e-6).float().mean() <= 0.002
