"""What an attacker sees of a model: raw logits, averages; and models that draw at each pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from blobs import CLASSES, blobs, trained
from torch import Tensor, nn

from lossproof.attacks.methods.worst_case import sweep
from lossproof.attacks.protocol import AttackData, run_bundle
from lossproof.attacks.views import Averaged, view
from lossproof.training.feeding import Resident

PLAN = {"method": "gradient", "epsilon": ["0.03", "0.12"], "steps": 4, "losses": ["ce"]}


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    return blobs()


@pytest.fixture(scope="module")
def model(data: tuple[Tensor, Tensor]) -> nn.Module:
    return trained(data)


class Rounded(nn.Module):
    """Deployed logits in steps, so without a gradient; raw ones are smooth. The same class wins."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def raw(self, images: Tensor) -> Tensor:
        return self.model(images)

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.one_hot(self.raw(images).argmax(1), CLASSES) + 0 * images.flatten(1)[:, :1]


class Moody(nn.Module):
    """Draws a shift of the image at each pass, and keeps a note of it."""

    def __init__(self, model: nn.Module, size: float = 0.05) -> None:
        super().__init__()
        self.model, self.size = model, size
        self.drawn: list[float] = []

    def forward(self, images: Tensor) -> Tensor:
        shift = self.size * torch.randn(images.shape[1:])
        self.drawn.append(float(shift.sum()))
        return self.model(images + shift)


def split(data: tuple[Tensor, Tensor]) -> dict[str, AttackData]:
    images, labels = data
    pixels = (255 * images).round().byte().numpy()
    return {"test": AttackData(Resident(pixels, labels.numpy(), torch.device("cpu")), np.arange(len(labels)))}


def run(model: nn.Module, data: tuple[Tensor, Tensor], seed: int = 0, **plan: object):
    return run_bundle(model, split(data), {"one": PLAN | plan}, run_name="x", seed=seed)["test", "one"]


def test_the_default_view_is_the_model(model):
    assert view(model) is model
    with pytest.raises(ValueError, match="raw logits; Sequential has none"):
        view(model, "raw")
    with pytest.raises(ValueError, match="average over 0"):
        view(model, draws=0)


def test_an_average_is_one_of_fresh_draws(model, data):
    moody = Moody(model)
    torch.manual_seed(0)
    singles = [moody(data[0]) for _ in range(4)]
    torch.manual_seed(0)
    assert torch.allclose(Averaged(moody, 4)(data[0]), torch.stack(singles).mean(0), atol=1e-5)
    assert moody.drawn[:4] == moody.drawn[4:] and len(set(moody.drawn)) == 4


def test_raw_logits_show_a_way_where_the_deployed_ones_do_not(model, data):
    rounded = Rounded(model)
    deployed, raw, both = (run(rounded, data, output=output)[0]["results"] for output in ("deployed", "raw", "both"))
    plain = run(model, data)[0]["results"]
    assert deployed[1]["zero_gradient"] == 64
    assert raw[1]["zero_gradient"] == 0
    assert raw[1]["accuracy"] < deployed[1]["accuracy"] - 30
    assert [row["accuracy"] for row in raw] == [row["accuracy"] for row in plain]
    assert both[1]["accuracy"] <= min(deployed[1]["accuracy"], raw[1]["accuracy"])


def test_both_keeps_the_deployed_success_and_adds_the_raw_ones(model, data):
    """Raw logits that point the wrong way for half of the images."""

    class Misleading(Rounded):
        def raw(self, images: Tensor) -> Tensor:
            half = torch.arange(len(images))[:, None] % 2
            return self.model(images) * (1 - 2 * half)

        def forward(self, images: Tensor) -> Tensor:
            half = torch.arange(len(images))[:, None] % 2
            logits = self.model(images)
            return logits * half + nn.functional.one_hot(logits.argmax(1), CLASSES) * (1 - half)

    images, labels = data
    plan = {"norm": "linf", "epsilons": [0.08], "step_sizes": [0.02], "seed": 0, "steps": 5, "early_drop": False}
    plan |= {"losses": ["ce"], "random_start": False}
    fooled = {}
    for output in ("deployed", "raw", "both"):
        made = sweep(Misleading(model), images, labels, output=output, **plan)
        fooled[output] = Misleading(model)(made.images[0]).argmax(1) != labels
    assert (fooled["both"] == fooled["deployed"] | fooled["raw"]).all()
    assert fooled["both"].sum() > max(fooled["deployed"].sum(), fooled["raw"].sum()) + 5


def test_new_settings_stand_in_a_record_only_where_they_are_used(model, data):
    assert not {"output", "draws"} & set(run(model, data)[0]["attack"])
    assert run(model, data)[0] == run(model, data, output="deployed", draws=1)[0]
    used = run(model, data, draws=2)[0]["attack"]
    assert used["draws"] == 2 and "output" not in used


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"draws": 3},
        {"method": "pgd", "losses": None},
        {"method": "pgd_l2", "losses": None, "epsilon": "0.5", "targeted": "least_likely"},
        {"method": "deepfool", "losses": None, "epsilon": "0.5"},
        {"method": "simba", "losses": None, "epsilon": "0.5", "steps": 40},
    ],
    ids=lambda plan: plan.get("method", f"gradient {plan}"),
)
def test_models_that_draw_give_equal_records_to_equal_runs(model, data, plan):
    def record(seed: int) -> dict:
        settings = {key: value for key, value in (PLAN | plan).items() if value is not None}
        torch.rand(seed + 1)  # wherever torch's global generator is
        return run_bundle(Moody(model), split(data), {"one": settings}, run_name="x", seed=seed)["test", "one"][0]

    assert record(0) == record(0)
    assert record(0) != record(1)


def test_models_that_draw_are_judged_on_fresh_draws(model, data):
    moody = Moody(model)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    run(moody, data, method="gradient", losses=["ce"], steps=2)
    assert torch.equal(torch.rand(3), expected)
    *attacked, judged, again = moody.drawn
    assert judged == again
    assert len(attacked) > 3 and len({*attacked, judged}) == len(attacked) + 1


def test_averages_fool_models_that_draw(model, data):
    """One pass in the attack is lucky with its own draws; the average holds on fresh ones."""
    moody = Moody(model, 0.3)
    one, many = (run(moody, data, epsilon="0.1", steps=8, draws=draws)[0]["results"][0] for draws in (1, 16))
    assert many["accuracy"] < one["accuracy"]


def test_an_average_comes_in_smaller_batches(model, data):
    sizes: list[int] = []
    hook = model.register_forward_hook(lambda _, inputs, __: sizes.append(len(inputs[0])))
    run_bundle(model, split(data), {"one": PLAN | {"draws": 4, "epsilon": "0.03"}}, run_name="x", seed=0, batch_size=32)
    hook.remove()
    assert sizes[:2] == [32, 32]  # clean
    assert set(sizes[2:]) == {8}
    # One that says that it draws nothing is passed once, in whole batches.
    sizes.clear()
    model.transform = None
    hook = model.register_forward_hook(lambda _, inputs, __: sizes.append(len(inputs[0])))
    run_bundle(model, split(data), {"one": PLAN | {"draws": 4, "epsilon": "0.03"}}, run_name="x", seed=0, batch_size=32)
    hook.remove()
    assert max(sizes[2:]) == 32
