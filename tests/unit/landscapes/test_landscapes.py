"""Loss surfaces around a model: our own, the package's, and the numbers drawn from them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lossproof.landscapes.directions import filter_normalised, gaussian_direction
from lossproof.landscapes.package import package_surface
from lossproof.landscapes.sharpness import interpolate, sharpness, summarise
from lossproof.landscapes.surface import filter_normalised_surface, symmetric_axis
from lossproof.seeding import torch_generator


def double_ce(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return 2 * cross_entropy(logits, targets, reduction="none")


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(4 * 6 * 6, 3)
    )
    model(torch.rand(64, 1, 8, 8))  # running statistics of its own; batch-norm shift stays at zero
    return model


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(24, 1, 8, 8, generator=generator), torch.randint(3, (24,), generator=generator)


def state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_filters_keep_the_models_norms_and_biases_stay(model):
    weights = dict(model.named_parameters())
    direction = filter_normalised(gaussian_direction(weights, torch_generator("d")), weights)
    for name, tensor in direction.items():
        if weights[name].dim() > 1:
            assert torch.allclose(tensor.flatten(1).norm(dim=1), weights[name].flatten(1).norm(dim=1), rtol=1e-5)
        else:
            assert not tensor.any(), name
    assert {name for name, tensor in direction.items() if tensor.any()} == {"0.weight", "5.weight"}


def test_directions_are_gaussian_and_follow_the_generator():
    shapes = {"w": torch.zeros(100, 300)}
    drawn = gaussian_direction(shapes, torch_generator("d", 0))["w"]
    assert abs(drawn.mean()) < 0.03 and drawn.std() == pytest.approx(1, abs=0.02)
    assert torch.equal(drawn, gaussian_direction(shapes, torch_generator("d", 0))["w"])
    assert not torch.equal(drawn, gaussian_direction(shapes, torch_generator("d", 1))["w"])


def test_a_filter_of_zeros_is_not_moved():
    weights = {"w": torch.tensor([[0.0, 0.0], [3.0, 4.0]])}
    scaled = filter_normalised({"w": torch.ones(2, 2)}, weights)["w"]
    assert not scaled[0].any() and scaled[1].norm() == pytest.approx(5)


def test_the_centre_of_our_surface_is_the_model_itself(model, batch):
    images, labels = batch
    model.eval()
    with torch.no_grad():
        logits = model(images)
    surface = filter_normalised_surface(model, images, labels, double_ce, size=5, distance=0.5)
    assert surface["axis_u"].tolist() == [-0.5, -0.25, 0.0, 0.25, 0.5]
    exact = cross_entropy(logits, labels, reduction="none").double().mean().item()
    assert surface["ce"][2, 2] == exact and surface["own"][2, 2] == pytest.approx(2 * exact, rel=1e-12)
    assert surface["error"][2, 2] == 100 * (logits.argmax(1) != labels).double().mean().item()
    assert all(surface[name].shape == (5, 5) and surface[name].dtype == np.float64 for name in ("ce", "own", "error"))
    assert np.ptp(surface["ce"]) > 0.01


def test_rows_follow_u_and_columns_v(model, batch):
    images, labels = batch
    weights = {name: tensor.detach() for name, tensor in model.named_parameters()}
    surface = filter_normalised_surface(model, images, labels, double_ce, size=3, seed=4)
    for name, place in (("u", (2, 1)), ("v", (1, 2))):
        step = filter_normalised(gaussian_direction(weights, torch_generator("landscape", name, 4)), weights)
        moved = {key: tensor + step[key] for key, tensor in weights.items()}
        model.eval()
        with torch.no_grad():
            logits = torch.func.functional_call(model, moved, (images,))
        assert surface["ce"][place] == pytest.approx(cross_entropy(logits, labels).item(), rel=1e-5)


def test_batches_do_not_change_the_surface(model, batch):
    whole, parts = (filter_normalised_surface(model, *batch, double_ce, size=3, batch_size=size) for size in (24, 7))
    assert np.allclose(whole["ce"], parts["ce"], rtol=1e-5) and np.allclose(whole["error"], parts["error"])


@pytest.mark.parametrize("surface", [filter_normalised_surface, package_surface])
def test_the_model_and_the_global_generator_are_left_alone(model, batch, surface):
    model.train()
    model[1].eval()
    before, random_state = state(model), torch.get_rng_state()
    first = surface(model, *batch, double_ce, size=5, seed=2)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert [module.training for module in model] == [True, False, True, True, True, True]
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), random_state)
    again, other = (surface(model, *batch, double_ce, size=5, seed=seed) for seed in (2, 3))
    assert np.array_equal(first["ce"], again["ce"]) and not np.array_equal(first["ce"], other["ce"])
    assert first["own"] == pytest.approx(2 * first["ce"], rel=1e-6)
    assert {"axis_u", "axis_v", "ce", "own", "error"} == set(first)


def test_our_grid_must_contain_the_model():
    with pytest.raises(ValueError, match="odd"):
        symmetric_axis(4, 1.0)


def without_biases() -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 3, bias=False))


@pytest.mark.parametrize("size", [4, 6])
def test_the_package_walks_our_plane_but_every_second_row_is_shifted_by_one_cell(batch, size):
    ours = filter_normalised_surface(without_biases(), *batch, double_ce, size=size + 1, distance=0.8, seed=3)
    theirs = package_surface(without_biases(), *batch, double_ce, size=size, distance=0.8, seed=3)
    assert theirs["axis_u"] == pytest.approx(ours["axis_u"][:-1])
    for name in ("ce", "own", "error"):
        assert theirs[name][::2] == pytest.approx(ours[name][:-1:2, 1:], rel=1e-4), name
        assert theirs[name][1::2] == pytest.approx(ours[name][1::2, :-1], rel=1e-4), name
    # The axis is that of the row through the model, which lies where it says.
    middle = size // 2
    assert theirs["axis_v"] == pytest.approx(ours["axis_v"][:-1] if middle % 2 else ours["axis_v"][1:])
    (at,) = np.flatnonzero(abs(theirs["axis_v"]) < 1e-12)
    assert theirs["axis_u"][middle] == 0
    assert theirs["ce"][middle, at] == pytest.approx(ours["ce"][middle, middle], rel=1e-5)


class Visited(nn.Module):
    """Two filters that note where they are."""

    places: ClassVar[list[torch.Tensor]] = []

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[30.0, 40.0], [5.0, 12.0]]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.places.append(self.weight.detach().clone())
        return x @ self.weight.T


@pytest.mark.parametrize(("size", "present"), [(10, True), (11, False)])
def test_fault_of_the_package_an_odd_grid_misses_the_model(size, present):
    Visited.places.clear()
    package_surface(Visited(), torch.rand(3, 2), torch.zeros(3, dtype=torch.int64), double_ce, size=size)
    assert len(Visited.places) == size**2
    places = torch.stack(Visited.places)
    nearest = (places - Visited().weight.detach()).flatten(1).norm(dim=1).min()
    cell = (places[1] - places[0]).norm()
    assert cell == pytest.approx(2 * (50**2 + 13**2) ** 0.5 / size, rel=1e-4)
    assert (nearest < 1e-3 * cell) if present else (nearest > 0.2 * cell)


def test_fault_of_the_package_batch_norm_weights_move(model, batch):
    """With all filters at zero only biases and batch norm are left: ours is flat, the package's is not."""
    images, labels = batch
    with torch.no_grad():
        for layer in (model[0], model[5]):
            layer.weight.zero_()
    ours = filter_normalised_surface(model, images, labels, double_ce, size=3)
    theirs = package_surface(model, images, labels, double_ce, size=4)
    assert np.ptp(ours["ce"]) == 0 and np.ptp(theirs["ce"]) > 1e-3


def test_sharpness_of_a_known_bowl():
    axis = symmetric_axis(41, 1.0)
    u, v = np.meshgrid(axis, axis, indexing="ij")
    found = sharpness(axis, axis, 3 + 2 * u**2 + 5 * v**2, radii=(0.5, 2.0))
    assert found["centre"] == 3 and found["minimum"] == 3 and found["maximum"] == 10
    assert found["curvature_u"] == pytest.approx(4) and found["curvature_v"] == pytest.approx(10)
    assert found["curvature"] == pytest.approx(7)
    assert found["rise_at_0.5"] == pytest.approx(3.5 * 0.25, abs=0.01)
    assert "rise_at_2" not in found


def test_interpolation_is_exact_on_the_grid_and_for_planes():
    axis_u, axis_v = np.linspace(-1, 1, 4), np.linspace(-2, 2, 6)
    values = 1 + 3 * axis_u[:, None] - 2 * axis_v[None]
    u, v = np.array([-1.0, 0.0, 0.3, 1.0, 1.1]), np.array([2.0, 0.0, -1.7, 2.0, 0.0])
    found = interpolate(axis_u, axis_v, values, u, v)
    assert np.allclose(found[:4], (1 + 3 * u - 2 * v)[:4]) and np.isnan(found[4])


def test_both_methods_can_be_summarised(model, batch):
    for arrays in (
        filter_normalised_surface(model, *batch, double_ce, size=5),
        package_surface(model, *batch, double_ce, size=6),
    ):
        found = summarise(arrays)
        assert set(found) == {"ce", "own", "error"}
        assert {"centre", "rise_at_0.25", "curvature"} <= set(found["ce"])
        assert found["own"]["centre"] == pytest.approx(2 * found["ce"]["centre"], rel=1e-5)
