"""Controls of the jury: trained networks whose logits are multiplied afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from steps import network, ran, run_step

from editions import edition, load
from lossproof.datasets import prepared
from lossproof.jury.rescaled import matching_scale, true_class_probability
from lossproof.records import read_json, read_npz
from lossproof.settings.faults import SettingsError
from lossproof.settings.resolved import made_from, run_settings, twin_of
from lossproof.training.loop import new_model
from lossproof.training.stored import load_model

CPU = torch.device("cpu")
CARD = {"name": "noise", "channels": 1, "image_size": 28, "classes": [str(at) for at in range(10)]}


def test_the_scale_gives_the_wanted_mean_probability():
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 10, (500,), generator=generator)
    logits = torch.randn(500, 10, generator=generator)
    logits[torch.arange(450), labels[:450]] += 4
    for wanted in (0.15, 0.5, 0.85):
        scale = matching_scale(logits, labels, wanted)
        assert true_class_probability(logits, labels, scale) == pytest.approx(wanted, abs=1e-6)
    by_hand = (3 * logits.double()).softmax(1)[torch.arange(500), labels].mean().item()
    assert true_class_probability(logits, labels, 3) == pytest.approx(by_hand)


@pytest.mark.parametrize("wanted", [0.01, 0.999])
def test_a_probability_that_no_scale_gives_is_an_error(wanted):
    logits = torch.eye(4)[[0, 1, 2, 3, 0]]
    labels = torch.tensor([0, 1, 2, 3, 1])  # one in five is wrong, so the mean stays below 0.8
    with pytest.raises(ValueError, match=r"no scale of the logits gives .* they give 0\.2\d+ to 0\.8"):
        matching_scale(logits, labels, wanted)


def test_a_control_resolves_to_what_it_is_made_from():
    config = load()
    of, control = (run_settings(config, "digits_gray", "lenet5", name) for name in ("ce_isce", "ce_like_isce"))
    assert control == of | {"training": "ce_like_isce", "logits": {"of": "ce_isce", "match": "isce"}}
    assert made_from(config, "ce_like_isce") == ["ce_isce", "isce"] and made_from(config, "isce") == []
    twins = {name: twin_of(config, name) for name in ("ce_x100", "isce", "ce_isce", "isce@best_test", "pc+at", "ce+at")}
    assert twins == {
        "ce_x100": "ce_isce",
        "isce": "ce_isce",
        "ce_isce": None,
        "isce@best_test": "ce_isce@best_test",
        "pc+at": "ce+at",
        "ce+at": "ce_pc",
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"controls": {"odd": {"of": "cee", "scale": 2}}}, r"controls\.odd\.of: unknown training 'cee'"),
        ({"controls": {"isce": {"of": "ce", "scale": 2}}}, r"controls\.isce: found a training of this name"),
        ({"controls": {"odd": {"of": "ce", "scale": 2, "match": "isce"}}}, r"controls\.odd: .*"),
        ({"controls": {"odd": {"of": "ce"}}}, r"controls\.odd: .*"),
        ({"controls": {"odd": {"of": "ce", "scale": 0}}}, r"controls\.odd\.scale: .*"),
        ({"trainings": {"isce": {"twin": "cee"}}}, r"trainings\.isce\.twin: unknown training 'cee'"),
        ({"jury": {"epsilon": {"digits_grey": "0.1"}}}, r"jury\.epsilon\.digits_grey: unknown data set"),
        ({"diagnostics": {"zero_gradient": {}}}, r"diagnostics\.zero_gradient: unknown diagnostic"),
    ],
)
def test_wrong_settings_are_named_in_one_line(given, said):
    with pytest.raises(SettingsError, match=said) as caught:
        load(cli=given)
    assert "\n" not in str(caught.value)


@pytest.fixture
def trained(tmp_path) -> Path:
    """A prepared set of noise, and untrained networks in the place of two trained ones."""
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 10
    images = generator.integers(0, 256, (10, 1, 28, 28), np.uint8)[labels]
    data = prepared.Prepared(images, labels, images, labels, card=CARD)
    prepared.save(tmp_path / "results/e/datasets/digits_gray", data)
    for training in ("ce_isce", "isce"):
        settings = run_settings(load(edition("test")), "digits_gray", "lenet5", training)
        torch.manual_seed(5)
        model = new_model(settings, data).eval()
        # Ten pictures, told apart by a last layer that is solved for, so that a scale exists for every confidence.
        with torch.no_grad():
            features = model.features(torch.from_numpy(images[:10]).float() / 255)
            model.head.weight.copy_(torch.linalg.lstsq(features, 5 * torch.eye(10)).solution.T)
            model.head.bias.zero_()
        path = tmp_path / f"results/e/models/digits_gray/lenet5/{training}/seed0/model.safetensors"
        path.parent.mkdir(parents=True)
        save_file(model.state_dict(), path)
    return tmp_path


def rescale(folder: Path, training: str) -> Path:
    config = load(edition("test"))
    settings = run_settings(config, "digits_gray", "lenet5", training)
    networks = network(run_settings(config, "digits_gray", "lenet5", "isce"))
    networks |= network(settings, **({"match": "digits_gray/lenet5/isce"} if "match" in settings["logits"] else {}))
    run = f"digits_gray/lenet5/{training}"
    ran(run_step(folder, "rescale", {"networks": networks}, "--run", run, "--seeds", 0, "--device", "cpu"))
    return folder / f"results/e/models/{run}/seed0"


@pytest.mark.parametrize("training", ["ce_x100", "ce_like_isce"])
def test_the_step_stores_the_same_network_with_other_logits(trained, training):
    made = rescale(trained, training)
    config, data = load(edition("test")), prepared.load(trained / "results/e/datasets/digits_gray")
    of, control = (run_settings(config, "digits_gray", "lenet5", name) for name in ("ce_isce", training))
    before = load_model(made.parents[1] / "ce_isce/seed0/model.safetensors", of, data, CPU)
    after = load_model(made / "model.safetensors", control, data, CPU)
    images = torch.from_numpy(data.test_images[:20]).float() / 255
    record = read_json(made / "record.json")
    assert torch.allclose(after(images), record["scale"] * before(images), rtol=1e-5)
    found = read_npz(made / "predictions.npz")
    logits = before(torch.from_numpy(data.test_images).float() / 255)
    assert found["test_prediction"].tolist() == logits.argmax(1).tolist()
    if training == "ce_x100":
        assert record["scale"] == 100
    else:
        assert record["true_class_probability"] == pytest.approx(record["wanted_true_class_probability"], abs=1e-6)
    assert record["kind"] == "rescaled" and record["run"]["training"] == training
    bytes_before = {path.name: path.read_bytes() for path in made.iterdir() if "provenance" not in path.name}
    rescale(trained, training)
    assert {name: (made / name).read_bytes() for name in bytes_before} == bytes_before
