"""Attacks that are made on a substitute, and attacks of few images: settings, plan, jobs, records."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from editions import load, plan
from lossproof.attacks.protocol import AttackData, run_bundle
from lossproof.paths import Run
from lossproof.planning.forecast import Forecast
from lossproof.settings.faults import SettingsError
from lossproof.training.feeding import Resident

TRANSFER = {
    "method": "transfer",
    "track": "printed",
    "epsilon": "0.3",
    "steps": 3,
    "step_size": "0.1",
    "random_start": False,
}


class Linear(nn.Module):
    """Two classes told apart by one pixel."""

    def __init__(self, pixel: int) -> None:
        super().__init__()
        self.pixel = pixel
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        bright = self.scale * (images.flatten(1)[:, self.pixel] - 0.5)
        return torch.stack([bright, -bright], 1)


def data(count: int = 6) -> dict[str, AttackData]:
    images = np.full((count, 1, 2, 2), 150, dtype=np.uint8)  # just bright enough for class 0
    feed = Resident(images, np.zeros(count, dtype=np.int64), torch.device("cpu"))
    return {"test": AttackData(feed, np.arange(count))}


def attacked(substitute: nn.Module | None) -> dict:
    given = {"moved": substitute} if substitute else {}
    found = run_bundle(Linear(0), data(), {"moved": TRANSFER}, run_name="x", seed=0, substitutes=given)
    return found["test", "moved"][0]["results"][0]


def test_an_attack_is_made_on_the_substitute_and_judged_on_the_model():
    same, other = attacked(Linear(0)), attacked(Linear(3))
    assert same["accuracy"] == 0 and same["fooled_substitute"] == 100
    # Another pixel decides: the substitute is fooled, the model is not.
    assert other["accuracy"] == 100 and other["fooled_substitute"] == 100


def test_a_missing_substitute_is_one_line():
    with pytest.raises(ValueError, match="attack 'moved' is made on a substitute, and none is given"):
        attacked(None)


def test_a_plan_trains_substitutes_and_costs_the_attack_there():
    made = plan()
    run = Run("digits_gray", "lenet5", "pc")
    assert made.substitute(run, "transfer_pgd_gray") == Run("digits_gray", "cnn3", "ce_pc")
    assert made.substitute(run, "pgd_gray") is None
    assert Run("digits_gray", "cnn3", "ce_pc") in made.runs
    forecast = Forecast(made)
    models = {model.run for model in forecast.work["pc/table_3"].models}
    assert Run("digits_gray", "cnn3", "ce_pc") in models
    transferred = [record for record in forecast.whole.records if record.attack == "transfer_pgd_gray"]
    direct = [record for record in forecast.whole.records if record.attack == "pgd_gray"]
    costs = []
    for records in (transferred, direct):
        (one,) = {record for record in records if record.model.run == run and record.model.seed == 0}
        costs.append(forecast.amount(type(forecast.whole)(records=frozenset([one]))).attack_flop)
    # A pass of the three-layer network costs more than one of LeNet-5.
    assert costs[0] > 2 * costs[1]


def test_a_network_without_a_substitute_is_one_line():
    made = plan()
    with pytest.raises(SettingsError, match=r"gray.substitute: none for resnet18; allowed: lenet5"):
        made.substitute(Run("digits_gray", "resnet18", "ce"), "transfer_pgd_gray")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"substitute": {"lenet": "cnn3"}}, "attacks.transfer_pgd_gray.substitute.lenet: unknown architecture 'lenet'"),
        ({"substitute": {"lenet5": "cn3"}}, "attacks.transfer_pgd_gray.substitute.lenet5: unknown architecture 'cn3'"),
        ({"substitute_training": "cee"}, "attacks.transfer_pgd_gray.substitute_training: unknown training 'cee'"),
        ({"images": 3}, "attacks.transfer_pgd_gray.images: found 3; allowed: >= 10"),
    ],
)
def test_faults_are_named(change, says):
    with pytest.raises(SettingsError) as caught:
        load(cli={"attacks": {"transfer_pgd_gray": change}})
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_fewer_images_cost_less():
    few = plan(cli={"attacks": {"pgd_gray": {"images": 10}}})
    more, less = (forecast.amount(forecast.work["pc/eq_14"]) for forecast in (Forecast(plan()), Forecast(few)))
    assert less.attack_passes < more.attack_passes
    assert json.dumps(few.config["attacks"]["pgd_gray"]["images"]) == "10"
