"""Digits, IDX files and the prepared form."""

from __future__ import annotations

import dataclasses
import gzip

import numpy as np
import pytest
from raw_files import idx_bytes

from lossproof.catalogue import load as component
from lossproof.datasets import idx, prepared
from lossproof.datasets.prepared import Prepared
from lossproof.paths import PREPARED_FILES

DIGITS = {"test_share": 0.2}


@pytest.fixture(scope="module")
def gray():
    return component("datasets", "digits")({}, name="gray", channels=1, image_size=28, **DIGITS)


@pytest.fixture(scope="module")
def colour():
    return component("datasets", "digits")({}, name="colour", channels=3, image_size=32, **DIGITS)


def test_digits_sizes_and_form(gray, colour):
    assert gray.train_images.shape == (1437, 1, 28, 28)
    assert gray.test_images.shape == (360, 1, 28, 28)
    assert colour.train_images.shape == (1437, 3, 32, 32)
    for data in (gray, colour):
        prepared.check(data)
        assert data.train_images.dtype == np.uint8
        assert (data.train_images.min(), data.train_images.max()) == (0, 255)
        assert data.num_classes == 10
    assert (colour.train_images == colour.train_images[:, :1]).all()


def test_digits_split_is_stratified_and_shared(gray, colour):
    shares = np.bincount(gray.test_labels) / np.bincount(np.concatenate([gray.train_labels, gray.test_labels]))
    assert np.abs(shares - 0.2).max() < 0.01
    assert (gray.train_labels == colour.train_labels).all()
    assert (gray.test_labels == colour.test_labels).all()

    def small(images):
        return images[:, 0, ::4, ::4][:, :7, :7].astype(float)

    # The same digits stand at the same places.
    likeness = [
        np.corrcoef(one.ravel(), other.ravel())[0, 1]
        for one, other in zip(small(gray.test_images)[:50], small(colour.test_images)[:50], strict=True)
    ]
    assert np.median(likeness) > 0.8


def test_digits_are_the_source_in_another_form(gray):
    from sklearn.datasets import load_digits

    source = load_digits()
    # Every source image lies in exactly one split: total brightness survives bilinear resizing.
    ours = np.sort(np.concatenate([gray.train_images, gray.test_images]).mean((1, 2, 3)))
    theirs = np.sort(source.images.mean((1, 2)) * 255 / 16)
    assert np.abs(ours - theirs).mean() < 2
    plain = component("datasets", "digits")({}, name="plain", channels=1, image_size=8, test_share=0.2)
    whole = {image.tobytes() for image in np.concatenate([plain.train_images, plain.test_images])[:, 0]}
    assert whole == {image.tobytes() for image in np.rint(source.images * 255 / 16).astype(np.uint8)}


def test_digits_card_and_repeatability(gray):
    again = component("datasets", "digits")({}, name="gray", channels=1, image_size=28, **DIGITS)
    assert (again.train_images == gray.train_images).all()
    assert again.card == gray.card
    assert {"name", "source", "licence", "processing", "channels", "image_size", "classes"} <= set(gray.card)


# IDX


ARRAY = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("name", ["x-idx3-ubyte", "x-idx3-ubyte.gz"])
def test_idx_reads(tmp_path, name):
    raw = idx_bytes(ARRAY)
    path = tmp_path / name
    path.write_bytes(gzip.compress(raw, mtime=0) if name.endswith("gz") else raw)
    found = idx.read(path)
    assert (found == ARRAY).all()
    found[0] = 0  # a copy of its own


# The prepared form


def tiny() -> Prepared:
    rng = np.random.default_rng(1)
    card = {"name": "tiny", "channels": 1, "image_size": 4, "classes": ["a", "b"]}
    images = rng.integers(0, 256, (10, 1, 4, 4), dtype=np.uint8)
    labels = np.arange(10) % 2
    return Prepared(images[:6], labels[:6], images[6:], labels[6:], card)


def test_prepared_round_trip(tmp_path):
    data = tiny()
    prepared.save(tmp_path / "one", data)
    prepared.save(tmp_path / "two", data)
    found = prepared.load(tmp_path / "one")
    for field in ("train_images", "train_labels", "test_images", "test_labels"):
        assert (getattr(found, field) == getattr(data, field)).all()
        assert getattr(found, field).dtype == getattr(data, field).dtype
    assert found.card == data.card | {"sizes": {"train": 6, "test": 4}}
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(PREPARED_FILES)
    for name in PREPARED_FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert (found.split("test")[0] == data.test_images).all()
    # A card may know of parts that no split holds.
    more = dataclasses.replace(data, card=data.card | {"sizes": {"unused": 9}})
    prepared.save(tmp_path / "more", more)
    assert prepared.load(tmp_path / "more").card["sizes"] == {"unused": 9, "train": 6, "test": 4}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"train_images": tiny().train_images.astype(np.float32)}, "train images are float32"),
        ({"test_images": tiny().test_images[:, :, :3]}, r"test images are uint8 \(1, 3, 4\), not uint8 \(1, 4, 4\)"),
        ({"train_labels": tiny().train_labels[:5]}, "5 train labels"),
        ({"test_labels": tiny().test_labels.astype(np.int32)}, r"4 test labels \(int32\)"),
        ({"train_labels": np.zeros(6, np.int64)}, r"train labels are not 0\.\.1, each present"),
        ({"test_labels": tiny().test_labels + 1}, r"test labels are not 0\.\.1"),
    ],
)
def test_prepared_refuses(tmp_path, change, says):
    with pytest.raises(ValueError, match=f"tiny: .*{says}"):
        prepared.save(tmp_path / "out", dataclasses.replace(tiny(), **change))
    assert not (tmp_path / "out").exists()
