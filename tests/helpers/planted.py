"""Small networks on scikit-learn's digits whose gradients are known to be masked, or not, for tests of the jury."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lossproof.defences.adversarial import Adversarial

LEVEL = 1 / 16
"""Distance of the digits' gray levels."""


@cache
def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training images [1200, 1, 8, 8] in [0, 1] and labels, and 200 images and labels to judge on."""
    from sklearn.datasets import load_digits

    source = load_digits()
    images = torch.from_numpy(source.images).float()[:, None] * LEVEL
    labels = torch.from_numpy(source.target).long()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    train, test = order[:1200], order[1200:1400]
    return images[train], labels[train], images[test], labels[test]


@cache
def trained(epsilon: str = "0", seed: int = 0) -> nn.Module:
    """A small network, trained plainly or adversarially with budget ``epsilon``."""
    images, labels, *_ = digits()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(384, 10),
        )  # fmt: skip
        defence = Adversarial(epsilon=epsilon, steps=5)
        generator = torch.Generator().manual_seed(seed)
        optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
        for _ in range(8):
            for part in torch.randperm(len(labels), generator=generator).split(64):
                moved = defence(net, images[part], labels[part], generator)
                optimiser.zero_grad()
                cross_entropy(net(moved), labels[part]).backward()
                optimiser.step()
    return net.eval().requires_grad_(False)


class _Planted(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net


class Scaled(_Planted):
    """Logits times 100, or another number."""

    def __init__(self, net: nn.Module, scale: float = 100.0) -> None:
        super().__init__(net)
        self.scale = scale

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images) * self.scale


class Rounded(_Planted):
    """Pixels rounded to gray levels before the network sees them: no gradient anywhere."""

    def forward(self, images: Tensor) -> Tensor:
        return self.net((images / LEVEL).round() * LEVEL)


class Reversed(_Planted):
    """The gradient points the other way."""

    def forward(self, images: Tensor) -> Tensor:
        return self.net(2 * images.detach() - images)


class Islands(_Planted):
    """A gradient only within the L-inf distance ``near`` of one of some images."""

    def __init__(self, net: nn.Module, near: float) -> None:
        super().__init__(net)
        self.near, self.places = near, digits()[2].flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        away = torch.cdist(images.detach().flatten(1), self.places.to(images), p=torch.inf).amin(1)
        return self.net(torch.where((away <= self.near).view(-1, 1, 1, 1), images, images.detach()))


class Noisy(_Planted):
    """Pixels with noise of its own at each pass."""

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images + 0.1 * torch.randn_like(images))


class Probable(_Planted):
    """Probabilities where logits are expected."""

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images).softmax(1)


class Constant(_Planted):
    """Always the same class."""

    def forward(self, images: Tensor) -> Tensor:
        return 0 * self.net(images) + torch.nn.functional.one_hot(torch.tensor(0), 10)


class Rippled(_Planted):
    """Logits times a fast ripple over the pixels, which never changes their order."""

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images) * (1 + 0.9 * (400 * images.flatten(1).sum(1, keepdim=True)).sin())


class Decoy(_Planted):
    """An eleventh class that is always second and never wins, behind a ripple; steep logits let nothing else count."""

    def forward(self, images: Tensor) -> Tensor:
        logits = self.net(images)
        ripple = (60 * images.flatten(1).cumsum(1)[:, ::7]).sin().mean(1, keepdim=True)
        return 200 * torch.cat([logits, logits.amax(1, keepdim=True) - 0.2 + 0.1 * ripple], 1)


class Band(nn.Module):
    """Two classes; the other one wins only where the mean pixel is within 0.02 of 0.55."""

    def forward(self, images: Tensor) -> Tensor:
        gap = 10 * ((images.flatten(1).mean(1) - 0.55).abs() - 0.02)
        return torch.stack([gap, torch.zeros_like(gap)], 1)


QUICK = {
    "unbounded": {"steps": 20, "restarts": 2},
    "unfinished": {"steps": 20, "last": 5},
    "black_box": {"queries": 100, "steps": 20, "restarts": 1},
    "noise": {"draws": 100, "steps": 20},
    "spsa": {"samples": 16, "iterations": 20, "images": 30, "steps": 20},
    "simba": {"queries": 60, "images": 30},
    "unstable": {"offsets": 20},
    "effort": {"steps": [5, 20, 40], "restarts": [1, 2, 4], "restart_steps": 20},
    "minimal_norm": {"steps": 30, "constants": 3, "first_constant": 0.1, "rate": 0.03, "images": 10},
    "surface": {"points": 5, "images": 8},
    **{name: {"steps": 20} for name in (
        "one_step", "monotone", "silent_success", "twin_transfer", "logit_scale", "loss_swap"
    )},
}  # fmt: skip
"""Settings that take a second on these networks."""
