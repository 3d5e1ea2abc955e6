"""Toy sets, their networks trained side by side, and the measures of their boundaries."""

from __future__ import annotations

import itertools
import os
import platform
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import nn
from torch.nn.functional import cross_entropy

from lossproof.catalogue import catalogue
from lossproof.toys import boundary
from lossproof.toys.fit import fit_toys
from lossproof.toys.heads import logits_of
from lossproof.toys.moons import moons
from lossproof.toys.networks import initial_weights, snapshot_epochs, train
from lossproof.toys.points import PointSet
from lossproof.toys.rings import rings
from lossproof.toys.segments import segments


def per_sample(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return cross_entropy(logits, targets, reduction="none")


def linearly_separable(toy: PointSet) -> bool:
    """Is there (w, b) with sign * (w x + b) >= 1 on every point?"""
    sign = 2.0 * toy.labels - 1
    rows = -sign[:, None] * np.column_stack([toy.points, np.ones(len(sign))])
    return linprog(np.zeros(3), A_ub=rows, b_ub=-np.ones(len(sign)), bounds=[(None, None)] * 3).status == 0


def linear_network(normal: tuple[float, float], offset: float) -> boundary.Network:
    """A two-unit network whose logit gap is exactly normal . x + offset."""
    column = np.array(normal, dtype=float)
    return boundary.Network(
        np.stack([column, -column], axis=1),
        np.array([offset, -offset]),
        np.array([[0.0, 1.0], [0.0, -1.0]]),
        np.zeros(2),
    )


# --- data ---------------------------------------------------------------------------------------------------


def test_the_catalogue_offers_each_family_with_its_defaults():
    entries = catalogue("toys")
    assert set(entries) == {"segments", "moons", "rings"}
    for entry in entries.values():
        points, labels, kept = entry.load()(**entry.defaults())
        assert points.shape == (200, 2) and points.dtype == np.float64
        assert labels.dtype == np.int64 and np.bincount(labels).tolist() == [100, 100]
        assert kept.dtype == bool and kept.all()


def test_segments_have_the_stated_margin_and_one_x_range():
    toy = segments()
    below, above = toy.points[toy.labels == 0], toy.points[toy.labels == 1]
    assert set(below[:, 1]) == {-0.9} and set(above[:, 1]) == {0.9}
    assert np.array_equal(below[:, 0], above[:, 0])
    assert linearly_separable(toy)


@pytest.mark.parametrize(("margin", "separable"), [(-0.01, False), (0.01, True)])
def test_moons_have_the_stated_horizontal_gap(margin, separable):
    toy = moons(margin=margin)
    left, right = toy.points[toy.labels == 0], toy.points[toy.labels == 1]
    assert right[:, 0].min() - left[:, 0].max() == margin
    assert linearly_separable(toy) is separable
    mirrored = np.column_stack([-left[:, 0], 1 - left[:, 1]])
    assert np.allclose(mirrored, right, atol=1e-15)


def test_rings_remove_exact_and_nested_shares_of_the_outer_class():
    sets = [rings(removed=percent / 100) for percent in (10, 30, 50, 90, 95, 97)]
    for toy, percent in zip(sets, (10, 30, 50, 90, 95, 97), strict=True):
        assert toy.kept[toy.labels == 0].all()
        assert (~toy.kept[toy.labels == 1]).sum() == percent
        assert np.array_equal(toy.points, sets[0].points)
    for less, more in itertools.pairwise(sets):
        assert not (more.kept & ~less.kept).any()
    assert not np.array_equal(sets[2].kept, rings(removed=0.5, draw=1).kept)
    assert np.allclose(np.linalg.norm(sets[0].points, axis=1), np.repeat([0.5, 1.0], 100))


def test_rings_refuse_to_lose_a_whole_class():
    with pytest.raises(ValueError, match="leaves none"):
        rings(removed=0.999)


# --- networks -----------------------------------------------------------------------------------------------


def test_initial_weights_depend_on_the_seed_alone():
    three, swapped = initial_weights([0, 1, 2]), initial_weights([2, 0])
    assert torch.equal(three.w1[2], swapped.w1[0]) and torch.equal(three.b2[0], swapped.b2[1])
    assert not torch.equal(three.w1[0], three.w1[1])
    many = initial_weights(range(200))
    for tensor, inputs in ((many.w1, 2), (many.b1, 2), (many.w2, 20), (many.b2, 20)):
        bound = inputs**-0.5
        assert tensor.abs().max() <= bound
        assert tensor.std() == pytest.approx(bound / 3**0.5, rel=0.1)


def test_snapshots_contain_what_was_asked_for():
    epochs = snapshot_epochs(10_000)
    assert {0, 1, 100, 1000, 10_000} <= set(epochs) and epochs == sorted(epochs) and 35 <= len(epochs) <= 45
    assert max(snapshot_epochs(50)) == 50 and snapshot_epochs(0) == [0]


def test_batched_training_equals_torch_training_each_network_alone():
    toys = [moons(), rings(removed=0.9)]
    weights = initial_weights([0, 1])
    stacked = [np.repeat(np.stack(arrays), 2, axis=0) for arrays in zip(*toys, strict=True)]
    before = weights.w1.clone()
    history = train(*stacked, weights.repeat(2), per_sample, epochs=60, snapshots=[0, 60])
    assert torch.equal(weights.w1, before)
    for column in range(4):
        points, labels, kept = toys[column // 2]
        model = nn.Sequential(nn.Linear(2, 20), nn.ReLU(), nn.Linear(20, 2))
        seed = column % 2
        with torch.no_grad():
            model[0].weight.copy_(weights.w1[seed].T), model[0].bias.copy_(weights.b1[seed])
            model[2].weight.copy_(weights.w2[seed].T), model[2].bias.copy_(weights.b2[seed])
        assert np.array_equal(history.w1[0, column], weights.w1[seed].numpy())
        x, y = torch.as_tensor(points[kept], dtype=torch.float32), torch.as_tensor(labels[kept])
        optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(60):
            optimiser.zero_grad()
            cross_entropy(model(x), y).backward()
            optimiser.step()
        logits = model(x)
        assert history.loss[-1, column] == pytest.approx(cross_entropy(logits, y).item(), rel=1e-3)
        assert history.accuracy[-1, column] == pytest.approx(100 * (logits.argmax(1) == y).double().mean().item())
        assert np.allclose(history.w1[-1, column], model[0].weight.detach().T, atol=2e-4)
        assert np.allclose(history.w2[-1, column], model[2].weight.detach().T, atol=2e-4)
        assert np.allclose(history.b1[-1, column], model[0].bias.detach(), atol=2e-4)
        assert np.allclose(history.b2[-1, column], model[2].bias.detach(), atol=2e-4)


def test_training_says_when_a_loss_is_not_finite():
    toy = [array[None] for array in segments()]
    with pytest.raises(FloatingPointError, match="epoch 0"):
        train(*toy, initial_weights([0]), lambda logits, targets: logits[:, 0] / 0.0, epochs=1)


def test_fit_gives_arrays_and_a_record_per_toy():
    toys = {
        "segments": {"family": "segments"},
        "rings_95": {"family": "rings", "parameters": {"removed": 0.95}},
    }
    fitted = fit_toys(toys, per_sample, training="ce", seeds=[3, 4, 5], epochs=150, hidden=8)
    assert list(fitted) == ["segments", "rings_95"]
    arrays, record = fitted["rings_95"]
    snapshots = len(arrays["epochs"])
    shapes = {"w1": (3, 2, 8), "b1": (3, 8), "w2": (3, 8, 2), "b2": (3, 2), "loss": (3,), "accuracy": (3,)}
    assert all(arrays[name].shape == (snapshots, *shape) for name, shape in shapes.items())
    assert arrays["kept"].sum() == 105
    assert record["seeds"] == 3 and record["settings"]["parameters"] == {"removed": 0.95}
    assert {row["epoch"] for row in record["measures"]} == {100, 150}
    assert {row["seed"] for row in record["measures"]} == {3, 4, 5}
    assert "radius_median" in {row["quantity"] for row in record["measures"]}
    assert np.array_equal(fitted["segments"][0]["w1"][0], arrays["w1"][0])
    # stored weights, seen by NumPy alone, give the accuracy that training saw
    network = boundary.network_at(arrays, 150, 1)
    right = (boundary.gap(network, arrays["points"]) > 0) == (arrays["labels"] == 1)
    assert 100 * right[arrays["kept"]].mean() == pytest.approx(arrays["accuracy"][-1, 1], abs=1e-3)
    with pytest.raises(ValueError, match="no snapshot"):
        boundary.network_at(arrays, 149, 0)


def stand_in(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The inference-softmax loss with s = 1 and m = 0.1, which wants normalised logits."""
    assert torch.allclose(logits.detach().norm(dim=-1), torch.ones(len(logits)), atol=1e-5)
    return cross_entropy(logits + 0.1 * nn.functional.one_hot(targets, 2), targets, reduction="none")


def test_a_head_that_normalises_trains_as_torch_does():
    toy = [array[None] for array in moons()]
    weights = initial_weights([0])
    head = logits_of("normalised_logits")
    history = train(*toy, weights, lambda z, y: stand_in(head(z), y), epochs=60, snapshots=[60])
    model = nn.Sequential(nn.Linear(2, 20), nn.ReLU(), nn.Linear(20, 2))
    with torch.no_grad():
        model[0].weight.copy_(weights.w1[0].T), model[0].bias.copy_(weights.b1[0])
        model[2].weight.copy_(weights.w2[0].T), model[2].bias.copy_(weights.b2[0])
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    x, y = torch.as_tensor(toy[0][0], dtype=torch.float32), torch.as_tensor(toy[1][0])
    for _ in range(60):
        optimiser.zero_grad()
        z = model(x)
        stand_in(z / z.norm(dim=1, keepdim=True), y).mean().backward()
        optimiser.step()
    assert np.allclose(history.w1[-1, 0], model[0].weight.detach().T, atol=2e-4)
    assert np.allclose(history.b2[-1, 0], model[2].bias.detach(), atol=2e-4)


def test_normalised_logits_bound_the_confidence_and_move_no_boundary():
    toys = {"moons": {"family": "moons"}}
    fitted = fit_toys(toys, stand_in, training="t", head="normalised_logits", seeds=[0], epochs=300)
    arrays, record = fitted["moons"]
    assert record["settings"]["head"] == str(arrays["head"]) == "normalised_logits"
    network = boundary.network_at(arrays, 300, 0)
    assert network.normalised
    grid_x, grid_y = boundary.grid(arrays["points"], 41)
    confidence = boundary.confidence_map(network, grid_x, grid_y)
    plain = boundary.confidence_map(network._replace(normalised=False), grid_x, grid_y)
    assert np.array_equal(confidence > 0.5, plain > 0.5)
    highest = 1 / (1 + np.exp(-(2**0.5)))  # logits of length 1 are at most sqrt(2) apart
    assert 0.75 < confidence.max() <= highest + 1e-9 < plain.max()
    places = np.stack(np.meshgrid(grid_x, grid_y), axis=-1)
    z = torch.as_tensor(boundary.outputs(network, places))
    assert np.allclose(logits_of("normalised_logits")(z).softmax(-1)[..., 1], confidence)
    measured = {row["quantity"]: row["value"] for row in record["measures"] if row["epoch"] == 300}
    assert 0.5 < measured["median_confidence"] <= highest
    assert measured["low_confidence_share"] == 100


def test_an_ordinary_head_leaves_no_trace_and_an_unknown_one_is_refused():
    toys = {"segments": {"family": "segments"}}
    arrays, record = fit_toys(toys, per_sample, training="ce", seeds=[0], epochs=100)["segments"]
    assert "head" not in arrays and "head" not in record["settings"]
    assert not boundary.network_at(arrays, 100, 0).normalised
    with pytest.raises(ValueError, match=r"toy networks have no head 'cosine'; known: linear, normalised_logits"):
        fit_toys(toys, per_sample, training="t", head="cosine", seeds=[0], epochs=100)


# --- boundary -----------------------------------------------------------------------------------------------


def test_crossings_are_the_zeros_of_the_gap():
    weights = initial_weights([7])
    network = boundary.Network(
        *(tensor[0].double().numpy() for tensor in (weights.w1, weights.b1, weights.w2, weights.b2))
    )
    network = network._replace(b2=network.b2 - [0.0, boundary.gap(network, np.zeros(2))])  # a boundary through 0
    starts = np.stack([np.linspace(-3, 3, 50), np.full(50, -3.0)], axis=1)
    ends = starts + np.array([0.0, 6.0])
    places = boundary.crossings(network, starts, ends)
    line, column = np.nonzero(~np.isnan(places))
    assert len(line) > 10
    found = starts[line] + places[line, column, None] * (ends - starts)[line]
    assert np.abs(boundary.gap(network, found)).max() < 1e-12
    fine = boundary.gap(network, starts[:, None] + np.linspace(0, 1, 20_001)[:, None] * (ends - starts)[:, None])
    assert np.array_equal((np.diff(fine > 0, axis=1) != 0).sum(1), (~np.isnan(places)).sum(1))


def test_measures_of_a_level_boundary_in_the_middle_and_off_it():
    toy = segments()
    middle = boundary.measure(linear_network((0.0, 10.0), 0.0), *toy, "segments")
    assert middle["accuracy"] == 100
    assert middle["distance_0"] == pytest.approx(0.9, rel=1e-3) == middle["distance_1"]
    for name in ("centredness", "mean_centredness", "height_mean", "height_worst", "tilt_degrees", "middle_offset"):
        assert middle[name] == pytest.approx(0, abs=1e-6), name
    assert middle["median_confidence"] == pytest.approx(1 / (1 + np.exp(-9)))
    # |gap| < log 9 within 0.2197 of the line, in a frame 3.8 high (0.95 on every side)
    assert middle["low_confidence_share"] == pytest.approx(100 * 0.4394 / 3.8, abs=1.1)

    near_1 = boundary.measure(linear_network((0.0, 10.0), -4.5), *toy, "segments")  # the line y = 0.45
    assert near_1["distance_0"] == pytest.approx(1.35, rel=1e-3)
    assert near_1["distance_1"] == pytest.approx(0.45, rel=1e-3)
    for name in ("centredness", "height_mean", "middle_bias"):
        assert near_1[name] == pytest.approx(0.5, abs=0.01), name
    assert near_1["mean_vertical_distance_0"] == pytest.approx(1.35)
    near_0 = boundary.measure(linear_network((0.0, 10.0), 4.5), *toy, "segments")
    assert near_0["centredness"] == pytest.approx(-0.5, abs=0.01)


def test_tilt_roughness_and_wrong_side():
    toy = segments(half_length=0.5)
    tilted = boundary.measure(linear_network((-1.0, 1.0), 0.0), *toy, "segments")  # y = x
    assert tilted["tilt_degrees"] == pytest.approx(45)
    assert tilted["height_worst"] == pytest.approx(0.5 / 0.9)
    assert tilted["roughness"] == pytest.approx(0, abs=1e-9)
    assert tilted["distance_0"] == pytest.approx((0.9 - 0.5) / 2**0.5, rel=0.01)
    beyond = boundary.measure(linear_network((0.0, 1.0), -1.0), *toy, "segments")  # y = 1, above class 1
    assert beyond["accuracy_class_1"] == 0 and beyond["distance_1"] == pytest.approx(-0.1, rel=0.01)
    assert beyond["centredness"] == pytest.approx(1.0) and beyond["columns_with_boundary"] == 0


def test_no_boundary_in_view_leaves_its_measures_out():
    found = boundary.measure(linear_network((0.0, 0.0), 1.0), *segments(), "segments")
    assert found["boundary_samples"] == 0 and found["accuracy"] == 50
    assert "centredness" not in found and "height_mean" not in found


@pytest.mark.parametrize(("radius", "expected"), [(0.75, 0.0), (0.9, 0.6), (0.6, -0.6)])
def test_ring_measures_of_a_polygon(radius, expected):
    """64 hidden units relu(d . x) add up to a gap that grows with |x|: a boundary at one radius."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    directions = np.stack([np.cos(angle), np.sin(angle)])
    level = np.maximum(radius * np.cos(angle), 0).sum()
    network = boundary.Network(
        directions, np.zeros(64), np.stack([np.zeros(64), np.ones(64)], axis=1), np.array([0.0, -level])
    )
    found = boundary.measure(network, *rings(removed=0.9), "rings")
    assert found["radius_median"] == pytest.approx(expected, abs=0.01)
    assert found["radius_offset"] == pytest.approx(abs(expected), abs=0.01)
    assert found["rays_between_rings"] == 100 and found["accuracy"] == 100
    assert found["middle_bias"] == pytest.approx(expected, abs=0.02)


def test_accuracy_counts_removed_points_and_kept_ones_apart():
    toy = rings(removed=0.9)
    everything_0 = boundary.measure(linear_network((0.0, 0.0), -1.0), *toy, "rings")
    assert everything_0["accuracy"] == 50 and everything_0["accuracy_class_1"] == 0
    assert everything_0["accuracy_kept"] == pytest.approx(100 * 100 / 110)
    assert everything_0["rays_between_rings"] == 0


def test_confidence_map_has_rows_of_y():
    grid_x, grid_y = boundary.grid(segments().points, 5)
    confidence = boundary.confidence_map(linear_network((0.0, 3.0), 0.0), grid_x, grid_y[:3])
    assert confidence.shape == (3, 5)
    assert np.allclose(confidence, 1 / (1 + np.exp(-3 * grid_y[:3, None])))


MEASURE = """
import json
import numpy as np
from lossproof.toys import boundary
from lossproof.toys.segments import segments
draw, toy = np.random.default_rng(0), segments()
for _ in range(5):
    weights = (draw.normal(size=(2, 20)), draw.normal(size=20), draw.normal(size=(20, 2)), np.zeros(2))
    print(json.dumps(boundary.measure(boundary.Network(*weights), *toy, "segments")))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names kernels of x86 processors")
def test_measures_do_not_depend_on_the_kernels_of_the_linear_algebra_library():
    """NumPy's `@` sums in another order with other BLAS kernels; equal runs must give equal bytes."""

    def measured(kernels: str) -> str:
        environment = os.environ | {"OPENBLAS_CORETYPE": kernels, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", MEASURE], env=environment, capture_output=True, check=True)
        return done.stdout.decode()

    assert measured("Prescott") == measured("Haswell")
