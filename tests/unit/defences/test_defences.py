"""Random resizing, adversarial training, and how recipes and trainings use them."""

from __future__ import annotations

import pytest
import torch
from tiny_training import CPU, DATA, equal, leave_resume_point, told

from editions import load
from lossproof.catalogue import catalogue
from lossproof.defences.adversarial import Adversarial
from lossproof.defences.random_resize import RandomResize
from lossproof.settings.faults import SettingsError
from lossproof.settings.resolved import run_settings
from lossproof.settings.sweeps import points
from lossproof.training.loop import fit, new_model
from lossproof.training.optimiser import optimiser_of

RANDOM = {"name": "random_resize", "parameters": {"larger": 4}}
AT = {"name": "adversarial", "parameters": {"norm": "linf", "epsilon": ["0.05", "0.1"], "steps": 2}}


# Random resize and pad


def test_every_image_is_resized_and_padded():
    torch.manual_seed(0)
    image = torch.zeros(400, 1, 8, 8)
    image[:] = torch.arange(1, 65).view(8, 8) / 64
    moved = RandomResize(8, larger=4)(image)
    assert moved.shape == (400, 1, 12, 12)
    filled = (moved > 0).flatten(1).sum(1).double().sqrt()
    assert set(filled.tolist()) == {8.0, 9.0, 10.0, 11.0, 12.0}
    # Nearest pixel: no value that the image does not have, and every pixel is there.
    assert all(set(one[one > 0].tolist()) == set(image[0].flatten().tolist()) for one in moved)
    # Where a side stays 8 the image itself lies somewhere.
    one = moved[(filled == 8).nonzero()[0, 0], 0]
    rows, columns = one.amax(1).nonzero(), one.amax(0).nonzero()
    assert torch.equal(one[rows[0, 0] : rows[-1, 0] + 1, columns[0, 0] : columns[-1, 0] + 1], image[0, 0])
    corners = moved[filled == 8][:, 0, 0, 0] > 0
    assert 0 < corners.double().mean() < 0.2  # one place of 25


def test_draws_are_fresh_and_gradients_pass():
    torch.manual_seed(0)
    resize = RandomResize(8)
    image = torch.rand(5, 3, 8, 8).requires_grad_()
    assert not torch.equal(resize(image), resize(image))
    resize(image).sum().backward()
    assert (image.grad >= 1).all()
    with pytest.raises(ValueError, match="expected images of 8 pixels a side, not 9 x 8"):
        resize(torch.rand(1, 1, 9, 8))


def test_a_classifier_resizes_by_itself_and_predicts_alike_twice():
    settings = told(defence=RANDOM)
    model = new_model(settings, DATA)
    assert model.transform.output_size == 12
    assert model(torch.rand(2, 1, 8, 8)).shape == (2, 3)
    one, other = (fit(settings, DATA, 0, CPU) for _ in range(2))
    assert equal(one, other)
    plain = fit(told(), DATA, 0, CPU)
    assert plain.history != one.history


# Adversarial training


def crafted(model, images, targets, **parameters):
    return Adversarial(**parameters)(model, images, targets, torch.Generator().manual_seed(0))


def small():
    torch.manual_seed(0)
    return new_model(told(), DATA), torch.rand(12, 1, 8, 8), torch.arange(12) % 3


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_adversarial_images_lie_in_the_ball_and_raise_the_loss(norm):
    model, images, targets = small()
    moved = crafted(model.train(), images, targets, norm=norm, epsilon="0.3", steps=5)
    delta = (moved - images).flatten(1)
    length = delta.abs().amax(1) if norm == "linf" else delta.norm(dim=1)
    assert (length <= 0.3 + 1e-5).all() and (length > 0.1).all()
    assert moved.min() >= 0 and moved.max() <= 1
    loss = torch.nn.functional.cross_entropy
    assert loss(model(moved), targets) > loss(model(images), targets)
    # The model is left as it was.
    assert model.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())


def test_a_single_step_is_fgsm_and_a_level_of_zero_is_clean():
    model, images, targets = small()
    images = images * 0.5 + 0.25
    moved = crafted(model, images, targets, epsilon="0.1", steps=1, random_start=False)
    images.requires_grad_()
    loss = torch.nn.functional.cross_entropy(model(images), targets)
    (gradient,) = torch.autograd.grad(loss, images)
    assert torch.allclose(moved, images + 0.1 * gradient.sign())
    assert torch.equal(crafted(model, images.detach(), targets, epsilon="0"), images)


def test_half_of_a_batch_may_stay_clean_and_radii_may_differ():
    model, images, targets = small()
    moved = crafted(model, images, targets, epsilon=["0.1", "0.3"], steps=3, step_size="1", clean_share=0.5)
    length = (moved - images).flatten(1).abs().amax(1)
    assert (length[:6] == 0).all()
    assert (length[6:] >= 0.1 - 1e-5).all() and (length[6:] <= 0.3 + 1e-5).all()
    assert len(set(length[6:].tolist())) == 6
    with pytest.raises(ValueError, match="needs epsilon"):
        Adversarial(epsilon=["0.3", "0.1"])


def test_a_training_on_adversarial_images_is_another():
    assert fit(told(), DATA, 0, CPU).history != fit(told(defence=AT), DATA, 0, CPU).history


# What a training keeps


@pytest.mark.parametrize(
    "more",
    [
        {"criterion": {"name": "center", "parameters": {}}},
        {"criterion": {"name": "lgm", "parameters": {}}},
        {"criterion": {"name": "mmc", "parameters": {"dimension": 8}}},
        {"defence": RANDOM},
        {"defence": AT},
    ],
)
def test_resumes_to_the_same_bytes(tmp_path, monkeypatch, more):
    path = tmp_path / "resume.safetensors"
    settings = told(**more)
    whole = fit(settings, DATA, 0, CPU)
    leave_resume_point(path, settings, monkeypatch)
    assert equal(fit(settings, DATA, 0, CPU, path), whole)


@pytest.mark.parametrize("name", [name for name in catalogue("criteria") if name != "gradient_starvation"])
def test_every_criterion_trains_with_its_head(name):
    parameters = catalogue("criteria")[name].defaults()
    trained = fit(told(criterion={"name": name, "parameters": parameters}, epochs=15), DATA, 0, CPU)
    assert trained.figures["test_accuracy"] > 80
    assert trained.history[-1]["train_loss"] < trained.history[0]["train_loss"]


def test_means_learn_twice_as_fast():
    optimiser = optimiser_of(new_model(told(criterion={"name": "lgm", "parameters": {}}), DATA), told()["optimiser"])
    factors = {len(group["params"]): group["factor"] for group in optimiser.param_groups}
    assert sorted(group["factor"] for group in optimiser.param_groups) == [1.0, 1.0, 2.0]
    assert factors[1] == 2.0


# Recipes and sweeps


def test_a_defence_belongs_to_a_run():
    config = load()
    settings = run_settings(config, "digits_gray", "lenet5", "random")
    assert settings["defence"] == RANDOM
    assert "defence" not in run_settings(config, "digits_gray", "lenet5", "ce")


def test_a_sweep_is_its_base_with_other_values():
    over = {"defence.epsilon": ["0", "1/2"], "batch_size": [64]}
    config = load(cli={"sweeps": {"grid": {"base": "at", "over": over}}})
    names = [name for name, _ in points(config, "grid")]
    assert names == ["grid.epsilon=0.batch_size=64", "grid.epsilon=1of2.batch_size=64"]
    settings = run_settings(config, "digits_gray", "lenet5", names[1])
    assert (settings["defence"]["parameters"]["epsilon"], settings["batch_size"]) == ("1/2", 64)
    assert run_settings(config, "digits_gray", "lenet5", "at")["defence"]["parameters"]["epsilon"] == "0.02"


@pytest.mark.parametrize(
    ("cli", "says"),
    [
        ({"trainings": {"x": {"criterion": "ce", "defence": {"name": "randm"}}}}, "unknown defence 'randm'"),
        ({"trainings": {"x": {"criterion": "ce", "defence": {}}}}, "key 'name' is missing"),
        (
            {"trainings": {"x": {"criterion": "ce", "defence": {"name": "adversarial", "steps": 0}}}},
            "trainings.x.defence.steps: found 0; allowed: >= 1",
        ),
        ({"sweeps": {"x": {"base": "isc", "over": {"s": [1]}}}}, "sweeps.x.base: unknown training 'isc'"),
        ({"sweeps": {"x": {"base": "isce", "over": {"t": [1]}}}}, "unknown key 't'"),
        ({"sweeps": {"x": {"base": "isce", "over": {"s": [1, 0]}}}}, "found 0"),
    ],
)
def test_faults_are_named(cli, says):
    with pytest.raises(SettingsError) as caught:
        load(cli=cli)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_a_step_may_be_a_share_of_each_images_radius():
    generator = torch.Generator().manual_seed(0)
    model = new_model(told(), DATA).eval()
    images = torch.full((8, *DATA.test_images.shape[1:]), 0.5)
    labels = torch.zeros(8, dtype=torch.long)
    craft = Adversarial(epsilon=["0.1", "0.2"], steps=1, step_size="epsilon/4", random_start=False)
    radii = 0.1 + 0.1 * torch.rand(8, generator=torch.Generator().manual_seed(0))
    moved = (craft(model, images, labels, generator) - images).abs().amax((1, 2, 3))
    torch.testing.assert_close(moved, radii / 4)
