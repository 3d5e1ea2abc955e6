"""The published image sets: from files in their real formats to a trained batch, and what is refused."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import tracemalloc

import numpy as np
import pytest
import torch
from raw_files import (
    MAKERS,
    WNIDS,
    cifar100_members,
    cinic10_members,
    images,
    labels,
    published,
    tar_gz,
    tiny_imagenet_members,
    zipped,
)
from scipy.io import loadmat
from serve import serve
from tiny_training import told

from lossproof.catalogue import catalogue
from lossproof.datasets import prepared
from lossproof.datasets.arrive import arrive
from lossproof.datasets.expect import check_expected
from lossproof.datasets.fetch import fetch
from lossproof.datasets.prepared import Prepared
from lossproof.datasets.source import source_of
from lossproof.records import sha256
from lossproof.training.loop import fit


def small(name, **expect):
    """A source that expects few images."""
    source = source_of(name)
    return dataclasses.replace(source, expect=source.expect | expect)


def known(files):
    """What files.json says of files."""
    return {name: {"sha256": sha256(path)} for name, path in files.items()}


def read(name, files, **parameters):
    """A set from its files, without expectations."""
    parameters = catalogue("datasets")[name].defaults() | parameters
    return arrive(dataclasses.replace(source_of(name), expect={}), files, name, parameters, known(files))


@pytest.mark.parametrize("name", MAKERS)
def test_from_a_server_to_a_trained_batch(tmp_path, name):
    (tmp_path / "shop").mkdir()
    raw = MAKERS[name](tmp_path / "shop")
    with serve(tmp_path / "shop") as base:
        source = published(small(name, **raw.expect), base, raw.files)
        files = fetch(source, tmp_path / "cache")
    assert {path.parent for path in files.values()} == {tmp_path / "cache" / name}
    data = arrive(source, files, "mine", catalogue("datasets")[name].defaults(), known(files))
    for split, (pixels, numbers) in {"train": raw.train, "test": raw.test}.items():
        assert (data.split(split)[0] == pixels).all(), split
        assert (data.split(split)[1] == numbers).all(), split
    prepared.save(tmp_path / "out", data)
    found = prepared.load(tmp_path / "out")
    assert found.card["name"] == "mine"
    assert found.card["checksums"] == {
        file.name: {"sha256": sha256(raw.files[file.name]), "published": file.checksum} for file in source.files
    }
    assert found.card["sizes"].items() >= {"train": len(raw.train[1]), "test": len(raw.test[1])}.items()
    arch = {28: "lenet5", 32: "lenet5", 64: "mlp2"}[found.card["image_size"]]
    trained = fit(told(arch=arch, dataset="mine", epochs=1), found, 0, torch.device("cpu"))
    assert trained.figures["status"] == "finished"
    assert np.isfinite(trained.history[0]["train_loss"])
    assert trained.figures["n_train"] == len(raw.train[1])


def test_the_card_tells_the_bytes_that_were_read(tmp_path):
    raw = MAKERS["mnist"](tmp_path)
    name = "train-images-idx3-ubyte.gz"
    plain = gzip.decompress(raw.files[name].read_bytes())
    unpacked = hashlib.sha256(plain).hexdigest()
    source = published(small("mnist", **raw.expect), "http://example.invalid", raw.files)
    same = [dataclasses.replace(file, unpacked_sha256=unpacked if file.name == name else "") for file in source.files]
    bare = tmp_path / "unpacked"
    bare.write_bytes(plain)
    files = raw.files | {name: bare}
    card = arrive(dataclasses.replace(source, files=tuple(same)), files, "mine", {}, known(files)).card
    assert card["checksums"][name] == {"sha256": unpacked, "published": f"unpacked sha256:{unpacked}"}


@pytest.mark.parametrize("name", MAKERS)
def test_the_real_sizes_are_asserted(tmp_path, name):
    raw = MAKERS[name](tmp_path)
    few, many = len(raw.train[1]), source_of(name).expect["train"]
    with pytest.raises(ValueError, match=rf"mine \(.*\): train images: found {few}, expected {many}"):
        arrive(source_of(name), raw.files, "mine", catalogue("datasets")[name].defaults(), known(raw.files))


# What is known of the sets


SIZES = {
    "mnist": (60_000, 10_000, 1, 28, 10),
    "fashion_mnist": (60_000, 10_000, 1, 28, 10),
    "kmnist": (60_000, 10_000, 1, 28, 10),
    "cifar10": (50_000, 10_000, 3, 32, 10),
    "cifar100": (50_000, 10_000, 3, 32, 100),
    "svhn": (73_257, 26_032, 3, 32, 10),
    "cinic10": (90_000, 90_000, 3, 32, 10),
    "tiny_imagenet": (100_000, 10_000, 3, 64, 200),
}


@pytest.mark.parametrize("name", SIZES)
def test_facts_of_the_catalogue(name):
    expect = source_of(name).expect
    classes = expect["classes"]
    count = classes if isinstance(classes, int) else len(set(classes))
    assert (*(expect[key] for key in ("train", "test", "channels", "image_size")), count) == SIZES[name]
    for file in source_of(name).files:
        algorithm, digest = file.checksum.split(":")
        assert (algorithm, len(digest), set(digest) <= set("0123456789abcdef")) == ("md5", 32, True)
        # (One server names a stored file by a number.)
        assert any(address.endswith(f"/{file.name}") for address in file.urls)


def test_class_names():
    def classes(name):
        return source_of(name).expect["classes"]

    assert classes("fashion_mnist")[:3] + classes("fashion_mnist")[-1:] == [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Ankle boot",
    ]
    assert classes("kmnist") == ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
    assert classes("cifar10") == [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ]
    assert classes("cinic10") == classes("cifar10")
    assert classes("cifar100") == sorted(classes("cifar100"))
    assert [classes("cifar100")[at] for at in (0, 9, 50, 99)] == ["apple", "bottle", "mouse", "worm"]
    assert classes("mnist") == classes("svhn") == list("0123456789")


def test_checksums_and_names_are_those_of_torchvision():
    from torchvision import datasets

    ours = {name: {file.name: file.checksum for file in source_of(name).files} for name in SIZES}
    for name, theirs in {
        "mnist": datasets.MNIST,
        "fashion_mnist": datasets.FashionMNIST,
        "kmnist": datasets.KMNIST,
    }.items():
        assert ours[name] == {file: f"md5:{digest}" for file, digest in theirs.resources}
        addresses = {address for file in source_of(name).files for address in file.urls}
        assert {f"{mirror}{file}" for mirror in theirs.mirrors for file, _ in theirs.resources} <= addresses
        if name != "mnist":
            assert source_of(name).expect["classes"] == theirs.classes
    published = {file: f"md5:{digest}" for _, file, digest in datasets.SVHN.split_list.values()}
    assert ours["svhn"].items() < published.items()
    pickles = {datasets.CIFAR10.tgz_md5, datasets.CIFAR100.tgz_md5}
    assert not pickles & {digest.split(":")[1] for name in ("cifar10", "cifar100") for digest in ours[name].values()}
    assert source_of("mnist").files[0].unpacked_sha256.startswith("ba891046e650")


def tiny():
    card = {"name": "tiny", "source": "x.gz", "channels": 1, "image_size": 4, "classes": ["a", "b"]}
    return Prepared(images(6, 1, 4), labels(6, 2), images(4, 1, 4), labels(4, 2), card)


@pytest.mark.parametrize(
    ("expect", "says"),
    [
        ({"train": 7}, "train images: found 6, expected 7"),
        ({"train": 6, "test": 5}, "test images: found 4, expected 5"),
        ({"channels": 3}, "channels: found 1, expected 3"),
        ({"image_size": 28}, "image size: found 4, expected 28"),
        ({"classes": ["b", "a"]}, r"classes: found \['a', 'b'\], expected \['b', 'a'\]"),
        ({"classes": 3}, "classes: found 2, expected 3"),
    ],
)
def test_another_data_set_than_expected_is_refused(expect, says):
    check_expected(tiny(), {"train": 6, "test": 4, "channels": 1, "image_size": 4, "classes": ["a", "b"]})
    check_expected(tiny(), {"classes": 2})
    with pytest.raises(ValueError, match=rf"^tiny \(x.gz\): {says}$"):
        check_expected(tiny(), expect)


def test_a_misspelt_expectation_is_refused():
    with pytest.raises(ValueError, match="unknown expectation 'trian'; allowed: train, test, channels"):
        check_expected(tiny(), {"trian": 6})


# The MNIST family


def test_mnist_unpacked_files(tmp_path):
    raw = MAKERS["mnist"](tmp_path)
    for name, place in raw.files.items():
        bare = place.with_suffix("")
        bare.write_bytes(gzip.decompress(place.read_bytes()))
        place.unlink()
        raw.files[name] = bare
    assert (read("mnist", raw.files).train_images == raw.train[0]).all()


# CIFAR


def cifar(tmp_path, members, name="cifar10"):
    file = {"cifar10": "cifar-10-binary.tar.gz", "cifar100": "cifar-100-binary.tar.gz"}[name]
    return read(name, {file: tar_gz(tmp_path / file, members)})


def test_cifar100_has_fine_labels(tmp_path):
    members, raw = cifar100_members()
    data = cifar(tmp_path, members, "cifar100")
    assert data.num_classes == 100
    assert (data.train_labels == raw.train[1]).all()
    assert data.card["classes"][47] == "maple_tree"
    assert data.card["processing"] == "fine labels"


# SVHN


def test_svhn_ten_is_zero(tmp_path):
    raw = MAKERS["svhn"](tmp_path)
    written = loadmat(raw.files["train_32x32.mat"])["y"].ravel()
    assert set(written) == set(range(1, 11))
    data = read("svhn", raw.files)
    assert (data.train_labels[written == 10] == 0).all()
    assert (data.train_labels[written != 10] == written[written != 10]).all()
    assert data.train_images.flags.c_contiguous


# CINIC-10


def cinic(tmp_path, members, **parameters):
    return read("cinic10", {"CINIC-10.tar.gz": tar_gz(tmp_path / "CINIC-10.tar.gz", members)}, **parameters)


def renamed(members, *pairs):
    """Members with parts of their names replaced."""
    found = {}
    for name, raw in members.items():
        for old, new in pairs:
            if old in name:
                name = name.replace(old, new)
                break
        found[name] = raw
    return found


def test_cinic10_test_split_can_be_valid(tmp_path):
    members, _ = cinic10_members()
    other, _ = cinic10_members()
    swapped = renamed(other, ("valid/", "test/"), ("test/", "valid/"))
    (tmp_path / "other").mkdir()
    one, two = cinic(tmp_path, members, test="valid"), cinic(tmp_path / "other", swapped)
    assert (one.test_images == two.test_images).all()
    assert (one.test_images != cinic(tmp_path, members).test_images).any()
    assert "test split: folder 'valid'; unused: folder 'test'" in one.card["processing"]
    assert one.card["sizes"] == {"unused": 30}


def test_cinic10_folders_may_lie_in_another(tmp_path):
    members, raw = cinic10_members()
    data = cinic(tmp_path, {f"CINIC-10/{name}": content for name, content in members.items()})
    assert (data.train_images == raw.train[0]).all()


def test_cinic10_holds_the_pixels_once(tmp_path):
    members, _ = cinic10_members(each=30)
    file = tar_gz(tmp_path / "CINIC-10.tar.gz", members)
    cinic(tmp_path, cinic10_members()[0])  # imports, outside the measurement
    tar_gz(file, members)
    tracemalloc.start()
    try:
        data = read("cinic10", {"CINIC-10.tar.gz": file})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    pixels = data.train_images.nbytes + data.test_images.nbytes
    assert pixels == 600 * 3 * 32 * 32
    assert peak < 1.6 * pixels


# Tiny ImageNet


def tiny_imagenet(tmp_path, members):
    return read("tiny_imagenet", {"tiny-imagenet-200.zip": zipped(tmp_path / "tiny-imagenet-200.zip", members)})


TINY, _ = tiny_imagenet_members()
TOP = "tiny-imagenet-200"


def test_tiny_imagenet_classes_in_the_order_of_the_file(tmp_path):
    data = tiny_imagenet(tmp_path, TINY)
    assert data.card["classes"] == WNIDS != sorted(WNIDS)
    again = tiny_imagenet(tmp_path, TINY | {f"{TOP}/wnids.txt": "\n".join(sorted(WNIDS)).encode()})
    assert again.card["classes"] == sorted(WNIDS)
    assert (again.train_labels == np.repeat([0, 1, 2], 4)).all()
    assert not (again.train_images == data.train_images).all()
    gray = data.train_images[1]
    assert (gray == gray[:1]).all()
