"""What input gradients say of clean images: by hand on a linear network, and the step on a tiny one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from steps import network, ran, run_step
from torch import nn
from untrained import untrained

from lossproof.attacks.subset import choose_images
from lossproof.jury.sensitivity import sensitivity, summary
from lossproof.records import read_json, read_npz
from lossproof.training.feeding import Resident

WEIGHTS = torch.tensor([[2.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])


def linear(scale: float) -> nn.Module:
    layer = nn.Linear(2, 3, bias=False)
    layer.weight.data = WEIGHTS * scale
    return nn.Sequential(nn.Flatten(), layer).requires_grad_(False).eval()


def noise(labels: list[int], *pixels: tuple[int, int]) -> Resident:
    images = np.array(pixels, np.uint8).reshape(-1, 1, 1, 2)
    return Resident(images, np.array(labels), torch.device("cpu"))


def test_a_linear_network_by_hand():
    # Logits at (1, 1): 2, 1, -2; at (0, 1): 0, 1, -1.
    feed = noise([0, 1, 0], (255, 255), (0, 255), (0, 255))
    found = sensitivity(linear(1), feed)
    assert found["rival"].tolist() == [1, 0, 1] and found["prediction"].tolist() == [0, 1, 1]
    assert found["gap"].tolist() == [1, 1, -1]
    assert found["gradient_l1"].tolist() == [3, 3, 3]
    assert found["gradient_l2"] == pytest.approx([5**0.5] * 3)
    p = torch.tensor([2.0, 1.0, -2.0]).softmax(0)
    by_logits = p - torch.tensor([1.0, 0.0, 0.0])
    assert found["ce_gradient_l2"][0] == pytest.approx((by_logits @ WEIGHTS).norm().item(), rel=1e-6)
    assert not found["ce_gradient_zero"].any()
    assert {name: str(value.dtype) for name, value in found.items()} == {
        **dict.fromkeys(("label", "prediction", "rival"), "int64"),
        **dict.fromkeys(("gap", "gradient_l1", "gradient_l2", "ce_gradient_l2"), "float32"),
        "ce_gradient_zero": "bool",
    }


def test_a_gap_beyond_float32_leaves_no_gradient_of_cross_entropy():
    feed = noise([0, 1], (255, 255), (255, 255))
    found = sensitivity(linear(200), feed)
    # Right by 200 logits: the probability of anything else is 0. Wrong by as much: the gradient is there.
    assert found["ce_gradient_zero"].tolist() == [True, False]
    assert found["gradient_l1"].tolist() == [600, 600]
    told = summary(found)
    assert (told["accuracy"], told["zero_ce_gradients"], told["median_gap"]) == (50, 50, 0)
    assert summary(found | {"gap": np.array([np.nan, 1])})["median_gap"] is None


@pytest.fixture
def trained(tmp_path) -> tuple[Path, dict]:
    """Two untrained networks that draw a transform at each call."""
    return tmp_path, untrained(tmp_path)


def run(folder: Path, settings: dict, images: int | None) -> Path:
    plan = {"networks": network(settings), "attack_images": {"test": images}}
    arguments = ("--run", "digits_gray/cnn2/random", "--seeds", 0, 1, "--device", "cpu")
    ran(run_step(folder, "sensitivity", plan, *arguments))
    return folder / "results/e/jury/digits_gray/cnn2/random"


def test_the_step_writes_gaps_of_the_attacked_images(trained):
    folder = run(*trained, 20)
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))
    assert found == [f"seed{k}/sensitivity.{end}" for k in (0, 1) for end in ("json", "npz", "provenance.json")]
    arrays, record = read_npz(folder / "seed1/sensitivity.npz"), read_json(folder / "seed1/sensitivity.json")
    assert arrays["index"].tolist() == choose_images(np.arange(60) % 10, 20, "digits_gray", "test").tolist()
    assert arrays["label"].tolist() == (arrays["index"] % 10).tolist()
    assert (arrays["gradient_l1"] >= arrays["gradient_l2"]).all() and (arrays["gradient_l2"] > 0).all()
    assert ((arrays["gap"] > 0) == (arrays["prediction"] == arrays["label"])).all()
    assert record["n_images"] == 20 and record["run"]["seed"] == 1 and record["run"]["training"] == "random"
    assert record["median_gap"] == pytest.approx(float(np.median(arrays["gap"])))
    # A second run, with fresh draws of the defence, is the same bytes; without a number all images are taken.
    before = {path: path.read_bytes() for path in folder.rglob("sensitivity.*") if "provenance" not in path.name}
    run(*trained, 20)
    assert {path: path.read_bytes() for path in before} == before
    assert len(read_npz(run(*trained, None) / "seed0/sensitivity.npz")["index"]) == 60
