"""How far apart classes lie: measures against other code and by hand; the step on a tiny network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from checkout import Checkout
from safetensors.torch import save_file
from sklearn.metrics import silhouette_score

from editions import ROOT, edition, load
from lossproof.datasets import prepared
from lossproof.embeddings.measures import BLOCK, in_three, measures
from lossproof.records import read_json, read_npz
from lossproof.settings.resolved import run_settings
from lossproof.training.loop import new_model


def clouds(images: int, dimension: int = 3, classes: int = 10, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, classes, images)
    centres = generator.normal(0, 3, (classes, dimension))
    return (centres[labels] + generator.normal(0, spread, (images, dimension))).astype(np.float32), labels


@pytest.mark.parametrize("images", [60, BLOCK + 40])
def test_the_silhouette_is_that_of_scikit_learn(images):
    features, labels = clouds(images)
    assert measures(features, labels)["silhouette"] == pytest.approx(silhouette_score(features, labels), abs=1e-6)
    # An image alone in its class counts 0 there too.
    features, labels = np.vstack([features, [[50, 0, 0]]]), np.append(labels, 11)
    assert measures(features, labels)["silhouette"] == pytest.approx(silhouette_score(features, labels), abs=1e-6)


def test_measures_by_hand():
    # Two classes around (0, 0) and (10, 0), each image 1 from its centre, up or down.
    features = np.array([[0, 1], [0, -1], [10, 1], [10, -1]], np.float32)
    found = measures(features, np.array([3, 3, 7, 7]))
    assert found["between_within"] == pytest.approx(4 * 25 / 4)
    assert found["separation"] == pytest.approx(10 / 1)
    assert found["nearest_centroid"] == 100
    away = (10 + 104**0.5) / 2
    assert found["silhouette"] == pytest.approx((away - 2) / away)


def test_an_image_does_not_vote_for_its_own_class():
    # Alone in its class an image has no centre left; of a pair each is judged by the other.
    assert measures(np.array([[0.0], [1.0], [1.1]]), np.array([0, 1, 1]))["nearest_centroid"] == pytest.approx(200 / 3)
    far_pair = np.array([[0.0], [10.0], [4.0], [4.1], [4.2]])
    assert measures(far_pair, np.array([0, 0, 1, 1, 1]))["nearest_centroid"] == pytest.approx(60)


def test_scale_does_not_matter_and_spread_does():
    features, labels = clouds(200)
    narrow, _ = clouds(200, spread=0.1)
    one, scaled, better = measures(features, labels), measures(100 * features, labels), measures(narrow, labels)
    for key, value in one.items():
        assert scaled[key] == pytest.approx(value, rel=1e-4)
        assert better[key] > value


@pytest.mark.parametrize(
    ("features", "labels", "none"),
    [
        (np.full((4, 2), np.nan), [0, 0, 1, 1], {"between_within", "silhouette", "nearest_centroid", "separation"}),
        (np.zeros((4, 2)), [0, 0, 0, 0], {"between_within", "silhouette", "nearest_centroid", "separation"}),
        (np.array([[0.0], [0.0], [1.0], [1.0]]), [0, 0, 1, 1], {"between_within", "separation"}),
    ],
)
def test_what_does_not_exist_is_none(features, labels, none):
    found = measures(features, np.array(labels))
    assert {key for key, value in found.items() if value is None} == none
    json.dumps(found, allow_nan=False)


def test_three_dimensions():
    features, _ = clouds(50, dimension=3)
    shown, share = in_three(features)
    assert np.array_equal(shown, features) and share == 1
    flat, share = in_three(features[:, :2])
    assert flat.shape == (50, 3) and not flat[:, 2].any() and share == 1
    # Three wide axes among six, turned: found again, with their share of the variance.
    generator = np.random.default_rng(1)
    wide = generator.normal(size=(400, 6)) * [9, 7, 5, 1, 1, 1]
    turn, _ = np.linalg.qr(generator.normal(size=(6, 6)))
    shown, share = in_three(wide @ turn)
    assert share == pytest.approx((81 + 49 + 25) / (81 + 49 + 25 + 3), abs=0.02)
    assert shown.std(0) == pytest.approx(np.array([9, 7, 5]), rel=0.1)
    assert np.array_equal(in_three(wide @ turn)[0], shown)
    assert (shown[np.abs(shown).argmax(0), range(3)] > 0).all()
    assert np.isnan(in_three(np.full((4, 9), np.nan))[1])


@pytest.fixture
def trained(tmp_path) -> tuple[Path, Path, dict]:
    """A prepared set of noise and two untrained networks that draw a transform at each call."""
    generator = np.random.default_rng(0)
    parts = [generator.integers(0, 256, (60, 1, 28, 28), np.uint8), np.arange(60) % 10] * 2
    card = {"name": "noise", "channels": 1, "image_size": 28, "classes": [str(at) for at in range(10)]}
    data = prepared.Prepared(*parts, card=card)
    prepared.save(tmp_path / "data", data)
    settings = run_settings(load(edition("test")), "digits_gray", "cnn2", "random")
    for seed in (0, 1):
        torch.manual_seed(seed)
        path = tmp_path / f"results/models/digits_gray/cnn2/random/seed{seed}/model.safetensors"
        path.parent.mkdir(parents=True)
        save_file(new_model(settings, data).state_dict(), path)
    return tmp_path / "data", tmp_path / "results", settings


def embed(data: Path, results: Path, settings: dict) -> Path:
    command = [sys.executable, str(ROOT / "workflow/scripts/embed.py"), "--settings", json.dumps(settings)]
    command += [
        "--images",
        "20",
        "--seeds",
        "0",
        "1",
        "--data",
        str(data),
        "--results",
        str(results),
        "--device",
        "cpu",
    ]
    subprocess.run(command, check=True, env=Checkout(ROOT).environment(PYTHONPATH=str(ROOT / "src")))
    return results / "embeddings/digits_gray/cnn2/random"


def test_the_step_writes_features_and_measures(trained):
    folder = embed(*trained)
    found = [path.name for path in sorted(folder.iterdir())]
    assert found == [f"seed{seed}.{end}" for seed in (0, 1) for end in ("json", "npz", "provenance.json")]
    arrays, record = read_npz(folder / "seed1.npz"), read_json(folder / "seed1.json")
    assert arrays["features"].dtype == np.float32 and len(arrays["features"]) == 20 == record["n_images"]
    assert np.bincount(arrays["labels"]).tolist() == [2] * 10  # stratified
    assert arrays["labels"].tolist() == (arrays["index"] % 10).tolist()
    assert record["dimension"] == arrays["features"].shape[1]
    assert record["silhouette"] == pytest.approx(silhouette_score(arrays["features"], arrays["labels"]), abs=1e-6)
    assert record["accuracy"] == 100 * (arrays["predictions"] == arrays["labels"]).mean()
    assert record["run"]["seed"] == 1 and record["run"]["training"] == "random"
    # Both seeds place the same images; a second run, with fresh draws of the defence, is the same bytes.
    assert np.array_equal(read_npz(folder / "seed0.npz")["index"], arrays["index"])
    before = {path.name: path.read_bytes() for path in folder.iterdir() if "provenance" not in path.name}
    embed(*trained)
    assert {name: (folder / name).read_bytes() for name in before} == before
