"""How far apart classes lie: measures against other code and by hand; the step on a tiny network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import silhouette_score
from steps import network, ran, run_step
from untrained import untrained

from lossproof.attacks.protocol import resolve
from lossproof.embeddings.attacked import attacked
from lossproof.embeddings.displacement import displacement
from lossproof.embeddings.measures import BLOCK, in_three, measures
from lossproof.embeddings.tsne import in_two
from lossproof.records import read_json, read_npz
from lossproof.training.feeding import Resident

RUN = "digits_gray/cnn2/random"
ATTACKS = {
    "fgsm": {"method": "fgsm", "epsilon": ["0.3", "0.9"]},
    "worst": {"method": "gradient", "epsilon": ["0", "0.9"], "steps": 2, "losses": ["own"]},
}


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


def test_displacement_by_hand():
    # Three classes on a line around 0, two images each: their centres lie at -3, 1 and 2.
    clean = np.array([[-4.0], [-2.0], [0.5], [1.5], [1.5], [2.5]])
    labels = np.array([5, 5, 7, 7, 9, 9])
    usual = 12 / 6
    rows, moved = np.array([0, 2, 4]), np.array([[-1.0], [1.0], [4.0]])
    found = displacement(clean, labels, rows, moved, np.array([7, 9, 5]))
    assert found["centre_distance"] == pytest.approx(2 / usual)
    assert found["centre_distance_before"] == pytest.approx((4 + 0.5 + 1.5) / 3 / usual)
    # The class nearest to 5 is 7, to 7 it is 9, and to 9 it is 7.
    assert found["nearest_class"] == pytest.approx(200 / 3)
    assert displacement(7 * clean, labels, rows, 7 * moved, np.array([7, 9, 5])) == pytest.approx(found)


@pytest.mark.parametrize(
    ("clean", "labels", "moved"),
    [
        (np.eye(3), np.array([0, 1, 2]), np.empty((0, 3))),
        (np.eye(3), np.zeros(3, int), np.eye(3)[:1]),
        (np.ones((3, 3)), np.array([0, 1, 2]), np.eye(3)[:1]),
        (np.eye(3), np.array([0, 1, 2]), np.full((1, 3), np.nan)),
    ],
)
def test_no_displacement(clean, labels, moved):
    rows = np.arange(len(moved))
    assert set(displacement(clean, labels, rows, moved, rows).values()) == {None}


def test_tsne_is_the_same_every_time_and_keeps_classes_together():
    features, labels = clouds(120, 6, 3, 0.3)
    points, perplexity = in_two(features, "a")
    assert points.shape == (120, 2) and points.dtype == np.float32 and perplexity == 30
    assert np.array_equal(in_two(features, "a")[0], points)
    assert measures(points, labels)["nearest_centroid"] == 100
    # Fewer than three times 30 images.
    assert in_two(features[:60], "a")[1] == 20


def test_what_tsne_cannot_place():
    assert np.isnan(in_two(np.full((9, 4), np.nan), "a")[0]).all()
    assert not in_two(np.ones((9, 4)), "a")[0].any()
    assert np.isfinite(in_two(np.arange(12.0)[:, None], "a")[0]).all()
    with pytest.raises(ValueError, match="t-SNE of 3 images; it needs at least 4"):
        in_two(np.eye(3), "a")


@pytest.fixture
def trained(tmp_path) -> tuple[Path, dict]:
    """Two untrained networks that draw a transform at each call, and a plan of their embeddings."""
    networks = network(untrained(tmp_path))
    return tmp_path, {"networks": networks, "embedding_images": 20, "attacks": ATTACKS, "attack_batch_size": 8}


def step(folder: Path, plan: dict, script: str, *more: str) -> Path:
    ran(run_step(folder, script, plan, "--run", RUN, "--seeds", 0, 1, "--device", "cpu", *more))
    return folder / "results/e/embeddings" / RUN


def test_the_step_writes_features_and_measures(trained):
    folder = step(*trained, "embed")
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
    step(*trained, "embed")
    assert {name: (folder / name).read_bytes() for name in before} == before


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_step_writes_features_of_images_that_fool(trained, attack):
    folder = step(*trained, "embed")
    step(*trained, "embed_attacked", "--attack", attack)
    arrays, record = read_npz(folder / f"seed1.{attack}.npz"), read_json(folder / f"seed1.{attack}.json")
    clean = read_npz(folder / "seed1.npz")
    assert set(arrays) == {"features", "labels", "predictions", "index", "epsilon"}
    assert arrays["features"].shape[1] == clean["features"].shape[1]
    right = clean["index"][clean["predictions"] == clean["labels"]]
    assert set(arrays["index"]) <= set(right)
    for result in record["results"]:
        fooling = (arrays["epsilon"] == result["epsilon_value"]).sum()
        assert result["n_fooling"] == fooling == round(result["fooled_share"] * len(right) / 100)
    assert [result["epsilon"] for result in record["results"]] == ATTACKS[attack]["epsilon"]
    before = {path.name: path.read_bytes() for path in folder.iterdir() if "provenance" not in path.name}
    step(*trained, "embed_attacked", "--attack", attack)
    assert {name: (folder / name).read_bytes() for name in before} == before


class Brightness(torch.nn.Module):
    """Features: the mean of four pixels, and 1; class 1 where the mean is above a half."""

    def features(self, images):
        mean = images.flatten(1).mean(1)
        return torch.stack([mean, torch.ones_like(mean)], 1)

    def head(self, features):
        return torch.stack([-features[:, 0], features[:, 0] - features[:, 1]], 1)

    def forward(self, images):
        return self.head(self.features(images))


@pytest.mark.parametrize("method", ["fgsm", "gradient"])
def test_features_of_images_that_fool_by_hand(method):
    level = torch.tensor([0.1, 0.45, 0.55, 0.8, 0.3])
    images = level[:, None, None, None].expand(5, 1, 2, 2).clone()
    labels = torch.tensor([0, 0, 1, 1, 1])  # the last is wrong before any attack
    feed = Resident(images.numpy(), labels.numpy(), torch.device("cpu"))
    predictions = Brightness()(images).argmax(1).numpy()
    clean = {"labels": labels.numpy(), "predictions": predictions, "index": np.array([3, 5, 7, 8, 9])}
    plan = resolve({"method": method, "epsilon": ["0.02", "0.1", "0.35"]})
    found = attacked(Brightness(), feed, clean, plan, ("a", 0), batch_size=6)
    assert found["epsilon"].tolist() == [0.1, 0.1, 0.35, 0.35, 0.35]
    assert found["index"].tolist() == [5, 7, 5, 7, 8] and found["rows"].tolist() == [1, 2, 1, 2, 3]
    assert found["labels"].tolist() == [0, 1, 0, 1, 1] and found["predictions"].tolist() == [1, 0, 1, 0, 0]
    if method == "fgsm":
        assert found["features"][:, 0] == pytest.approx([0.55, 0.45, 0.8, 0.2, 0.45], abs=1e-6)
    assert ((found["features"][:, 0] > 0.5) == (found["predictions"] == 1)).all()
