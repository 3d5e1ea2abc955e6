"""Multiply-adds, parameters and passes of the plan against PyTorch's own count."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lossproof.attacks.protocol import AttackData, run_bundle
from lossproof.catalogue import catalogue
from lossproof.models.classifier import build
from lossproof.planning.cost import attack_flop, cost_of, hours, passes, table, training_flop
from lossproof.training.feeding import Resident


def counted(arch: str, size: int, **options) -> tuple[int, int]:
    """Multiply-adds of one image and parameters of a classifier with ten classes, nothing run."""
    with torch.device("meta"):
        model = build(arch, num_classes=10, image_size=size, **options).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(torch.zeros(1, options["in_channels"], size, size))
    return counter.get_total_flops() // 2, sum(p.numel() for p in model.parameters())


def test_every_architecture_is_in_the_table():
    # After a new architecture: python benchmarks/costs.py
    assert {arch for arch, *_ in table()} == set(catalogue("models"))


@pytest.mark.parametrize("width", [1.0, 0.5, 0.125])
@pytest.mark.parametrize("arch", sorted(catalogue("models")))
def test_the_table_is_what_torch_counts(arch, width):
    stem = {"stem": "imagenet"} if "stem" in catalogue("models")[arch].parameters else {}
    size = 32 if arch == "vgg13" else 28  # the smallest that it takes
    cost = cost_of(arch, {"width": width, **stem}, channels=1, image_size=size, classes=10)
    macs, parameters = counted(arch, size, in_channels=1, width=width, **stem)
    # An eighth of 6 channels or of 100 units is no whole number; three units are three at any width.
    uneven = {"lenet5": 0.25, "lenet5_3d": 0.25, "mlp2": 0.25, "cnn3": 0.05} if width == 0.125 else {}
    close = {"rel": ({"resnet32_3d": 0.01, "lenet5_3d": 0.01} | uneven).get(arch, 1e-9)}
    assert cost.macs == pytest.approx(macs, **close)
    assert cost.parameters == pytest.approx(parameters, **close)
    assert cost.scaled_from is None


def test_stem_size_and_channels_are_told_apart():
    options = {"in_channels": 3, "stem": "cifar"}
    cost = cost_of("resnet18", {"width": 1.0, "stem": "cifar"}, channels=3, image_size=32, classes=10)
    assert (cost.macs, cost.parameters) == counted("resnet18", 32, **options)
    assert round(cost.macs / 1e6) == 555  # the CIFAR ResNet-18 that everybody quotes
    large = cost_of("resnet18", {"width": 1.0, "stem": "imagenet"}, channels=3, image_size=224, classes=1000)
    assert round(large.macs / 1e7) == 181  # 1.8 billion, 11.7 million parameters
    assert round(large.parameters / 1e5) == 117


def test_an_image_size_that_was_not_counted_is_scaled_and_says_so():
    cost = cost_of("resnet18", {"width": 1.0, "stem": "cifar"}, channels=3, image_size=48, classes=10)
    macs, parameters = counted("resnet18", 48, in_channels=3, stem="cifar")
    assert cost.scaled_from in (32, 64)
    assert cost.macs == pytest.approx(macs, rel=0.05)
    assert cost.parameters == parameters


def test_a_network_that_nobody_counted():
    assert cost_of("vgg99", {"width": 1.0}, channels=3, image_size=32, classes=10) is None
    assert cost_of("resnet18", {"width": 1.0, "stem": "none"}, channels=3, image_size=32, classes=10) is None


@pytest.mark.parametrize(("arch", "width"), [("resnet18", 0.25), ("densenet121", 0.125), ("lenet5", 1.0)])
def test_a_step_of_training_and_one_of_an_attack(arch, width):
    model = build(arch, num_classes=10, image_size=32, in_channels=3, width=width)
    told = {"width": width} | ({} if arch == "lenet5" else {"stem": "imagenet"})
    cost = cost_of(arch, told, channels=3, image_size=32, classes=10)
    images, labels = torch.rand(4, 3, 32, 32), torch.arange(4)
    with FlopCounterMode(display=False) as counter:
        nn.functional.cross_entropy(model(images), labels).backward()
    # Torch spares the gradient of the pixels, which the estimate holds.
    assert counter.get_total_flops() <= training_flop(cost, trained=4, evaluated=0)
    assert counter.get_total_flops() == pytest.approx(training_flop(cost, trained=4, evaluated=0), rel=0.25)
    model.requires_grad_(False).eval()
    images.requires_grad_(True)
    with FlopCounterMode(display=False) as counter:
        nn.functional.cross_entropy(model(images), labels).backward()
    assert counter.get_total_flops() == pytest.approx(attack_flop(cost, attacked=4, evaluated=0), rel=0.01)


class Counting(nn.Module):
    """A linear classifier that counts images with and without a gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self.backward_images = 0
        self.forward_images = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled() and x.requires_grad:
            self.backward_images += len(x)
        else:
            self.forward_images += len(x)
        return self.layer(x.flatten(1))


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "fgsm", "epsilon": "0.01"},
        {"method": "bim", "epsilon": "0.01", "steps": 3, "step_size": "0.01"},
        {"method": "pgd", "epsilon": ["0.01", "0.02"], "steps": 4, "step_size": None},
        {"method": "upgd", "epsilon": "0.01", "steps": 3, "step_size": "0.01"},
        # Eps 0: nothing is fooled, so nothing is dropped and the upper bound is reached.
        {"method": "gradient", "epsilon": "0", "steps": 3, "losses": ["ce", "margin"], "restarts": 2},
        {"method": "gradient", "epsilon": "0", "steps": 3, "losses": ["ce"], "draws": 2},
        {"method": "pgd_l2", "epsilon": ["0.01", "0.02"], "steps": 3, "targeted": "least_likely", "draws": 3},
        {"method": "simba", "epsilon": ["0", "0.000001"], "steps": 7},
        {"method": "cw", "epsilon": ["1", "unbounded"], "steps": 7, "binary_search_steps": 3, "abort_early": False},
        {"method": "spsa", "epsilon": ["0.1", "0.2"], "steps": 3, "samples": 5},
    ],
)
def test_passes_are_what_an_attack_makes(settings):
    torch.manual_seed(0)
    model = Counting()
    images = torch.rand(6, 1, 2, 2)
    with torch.no_grad():
        labels = model(images).argmax(1).numpy()
    model.forward_images = 0
    data = AttackData(Resident(images.numpy(), labels, torch.device("cpu")), labels)
    run_bundle(model, {"test": data}, {"one": settings}, run_name="r", seed=0)
    both, forward = passes(settings)
    assert model.backward_images == 6 * both
    assert settings["method"] != "spsa" or model.forward_images >= 6 * 2 * (3 * 10)
    assert 0 < model.forward_images <= 6 * (forward + 1)


def test_an_attack_that_shares_its_run_costs_the_same_for_any_number_of_budgets():
    one, three = ({"method": "deepfool", "epsilon": radii, "steps": 10} for radii in ("1", ["1", "2", "3"]))
    assert passes(one)[0] == passes(three)[0] == 90
    assert passes(one)[1] < passes(three)[1]
    assert passes({**one, "method": "pgd_l2", "output": "both"})[0] == 20


def test_hours():
    assert hours(7.2e15, 1e12) == 2.0
