"""A training as a schedule of phases: each has its criterion, defence, optimiser and epochs, and starts these anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lossproof.catalogue import load
from lossproof.defences.choice import defence_of
from lossproof.models.classifier import Classifier
from lossproof.training.optimiser import learning_rate, optimiser_of


@dataclass(frozen=True)
class Phase:
    """One phase: ``settings`` has criterion, optimiser, epochs, batch_size, augmentation and perhaps a defence."""

    number: int  # from 1
    first: int  # its first epoch, from 0, among those of all phases
    settings: dict[str, Any]

    @property
    def end(self) -> int:
        """The epoch behind its last one."""
        return self.first + int(self.settings["epochs"])

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch that is counted over all phases."""
        return learning_rate(self.settings["optimiser"], epoch - self.first, self.settings["epochs"])


def phases_of(settings: dict[str, Any]) -> list[Phase]:
    """The phases of a run's resolved settings: those of ``warm_up`` in order, then the run's own."""
    found: list[Phase] = []
    for number, part in enumerate([*settings.get("warm_up", ()), settings], 1):
        found.append(Phase(number, found[-1].end if found else 0, part))
    return found


@dataclass
class Means:
    """What takes the steps of a phase."""

    criterion: nn.Module
    optimiser: torch.optim.Optimizer
    adversary: Callable[[nn.Module, Tensor, Tensor, torch.Generator], Tensor] | None


def begin(phase: Phase, model: Classifier, num_classes: int, device: torch.device) -> Means:
    """A phase's criterion, optimiser and adversary, all fresh."""
    settings = phase.settings
    criterion = load("criteria", settings["criterion"]["name"])(**settings["criterion"]["parameters"])
    if hasattr(criterion, "prepare"):
        criterion.prepare(num_classes, model.backbone.feature_dim)
    craft = defence_of(settings, "batch")
    return Means(
        criterion.to(device),
        optimiser_of(model, settings["optimiser"]),
        craft(**settings["defence"]["parameters"]) if craft else None,
    )
