"""Feeds: equal results however the images lie, and a bound on the memory of those that stream."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import encoded_set, run_settings
from steps import network, ran, run_step
from tiny_training import counted, leave_resume_point
from torch.multiprocessing.reductions import shared_cache

from lossproof.catalogue import load
from lossproof.datasets import prepared
from lossproof.datasets.encoded import EncodedImages
from lossproof.datasets.prepared import Prepared
from lossproof.seeding import seed_of, torch_generator
from lossproof.training import feeding
from lossproof.training.augmentation import augment
from lossproof.training.feeding import Loading, Resident, Streamed, feed, fitting, gathered, joined, loading_for
from lossproof.training.loop import fit, new_model
from lossproof.training.optimiser import adam

CPU = torch.device("cpu")
SCRIPTS = Path(__file__).resolve().parents[3] / "workflow/scripts"
NETWORK = {"arch": "googlenet", "model": {"width": 0.0625, "stem": "cifar", "normalise": True}}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As a job on two cores: what the workers need is not taken from them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A packed set, as a step finds it."""
    folder = tmp_path_factory.mktemp("packed")
    prepared.save(folder, encoded_set(train=33, test=14, crop=32, side=36))
    return prepared.load(folder)


def plain(data: Prepared) -> Prepared:
    """The same pixels in memory."""
    card = {key: value for key, value in data.card.items() if key not in ("form", "decode", "pixels")}
    return dataclasses.replace(data, train_images=data.train_images[:], test_images=data.test_images[:], card=card)


def left(trained) -> tuple:
    """Everything that a training leaves, comparable."""
    state = {key: value.numpy().tobytes() for key, value in trained.state.items()}
    arrays = {key: value.tolist() for key, value in trained.predictions.items()}
    return state, trained.history, trained.figures, arrays


# The feed in memory


def before(settings, data, seed):
    """Weights, losses and predictions of the loop as it was before there were feeds: tensors of whole splits."""
    torch.manual_seed(seed_of("weights", settings["dataset"], settings["arch"], seed))
    model = new_model(settings, data)
    torch.manual_seed(seed_of("dropout", settings["dataset"], settings["arch"], settings["training"], seed))
    criterion = load("criteria", settings["criterion"]["name"])(**settings["criterion"]["parameters"])
    optimiser = adam(model, settings["optimiser"])
    shuffle = torch_generator("shuffle", settings["dataset"], settings["arch"], seed)
    images, labels = torch.from_numpy(data.train_images), torch.from_numpy(data.train_labels)
    losses = []
    for _ in range(settings["epochs"]):
        model.train()
        loss_sum, seen = torch.zeros(()), 0
        for index in torch.randperm(len(labels), generator=shuffle).split(settings["batch_size"]):
            if len(index) < 2:
                continue
            batch = augment(images[index].float().div_(255), settings["augmentation"], shuffle)
            loss = criterion(model(batch), labels[index]).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                loss_sum += loss * len(index)
            seen += len(index)
        losses.append(loss_sum.item() / seen)
    model.eval()
    with torch.no_grad():
        found = torch.cat([model(part.float().div_(255)).argmax(1) for part in images.split(512)])
    return {key: value.numpy().tobytes() for key, value in model.state_dict().items()}, losses, found.tolist()


@pytest.mark.parametrize(
    "more", [{}, NETWORK | {"augmentation": "crop_flip", "batch_size": 16}], ids=["plain", "dropout_and_crops"]
)
def test_small_sets_train_to_the_bytes_of_the_loop_before(packed, more):
    # 33 images in batches of 16: the last one is left out, as ever.
    settings, data = run_settings("small", epochs=2, **more), plain(packed)
    trained = fit(settings, data, 0, CPU)
    state, losses, found = before(settings, data, 0)
    assert {key: value.numpy().tobytes() for key, value in trained.state.items()} == state
    assert [row["train_loss"] for row in trained.history] == losses
    assert trained.predictions["train_prediction"].tolist() == found


def test_a_small_set_lies_on_the_device_without_a_copy_of_the_test_images(packed):
    data = plain(packed)
    found = feed(data.test_images, data.test_labels, slice(None), CPU, Loading(workers=2))
    assert isinstance(found, Resident)
    assert found.images.data_ptr() == data.test_images.ctypes.data
    assert found.images.dtype == torch.uint8


def test_large_images_are_looked_at_in_smaller_batches(packed):
    assert [fitting(512, (1, side, side)) for side in (8, 28, 32, 64, 112, 224)] == [512, 512, 512, 512, 167, 41]
    assert fitting(64, (3, 32, 64)) == 64
    assert fitting(1, (3, 224, 224)) == fitting(512, (3, 5000, 5000)) == 1
    images, labels = np.zeros((20, 1, 512, 512), np.uint8), np.zeros(20, np.int64)
    looked_at = feed(images, labels, slice(None), CPU, Loading())
    assert [len(part) for part, _ in looked_at.batches()] == [8, 8, 4]
    # What a training asks for, it gets.
    assert [len(part) for part, _ in looked_at.batches(20)] == [20]
    large = EncodedImages(packed.train_images.files, {"shorter_side": 512, "crop": 512, "channels": 3}, "large")
    streamed = feed(large, packed.train_labels, np.arange(9), CPU, Loading())
    assert [len(part) for part, _ in streamed.batches()] == [8, 1]


@pytest.mark.parametrize("size", [1, 2, 5, 7, 12, 40])
def test_joined_feeds_are_one(packed, size):
    data = plain(packed)
    places = [np.arange(5), np.arange(0), np.arange(20, 33, 2)]
    truth = np.concatenate(places)
    for source in (packed, data):
        feeds = [feed(source.train_images, source.train_labels, place, CPU, Loading()) for place in places]
        parts = list(joined(feeds, size))
        assert [len(labels) for _, labels in parts] == [len(truth[at : at + size]) for at in range(0, 12, size)]
        assert torch.equal(torch.cat([images for images, _ in parts]), torch.from_numpy(data.train_images[truth]))
        assert torch.equal(torch.cat([labels for _, labels in parts]), torch.from_numpy(data.train_labels[truth]))


# The feed that streams


def test_streamed_and_in_memory_are_equal(packed):
    data, chosen = plain(packed), np.array([3, 30, 4, 9, 1, 12, 20])
    order = torch.tensor([6, 0, 2, 5, 1])
    resident = feed(data.train_images, data.train_labels, chosen, CPU, Loading())
    for workers in (0, 2):
        streamed = feed(packed.train_images, packed.train_labels, chosen, CPU, Loading(workers))
        assert isinstance(streamed, Streamed)
        assert len(streamed) == len(resident) == 7
        assert torch.equal(streamed.labels, resident.labels)
        for told, count in (({"size": 2}, 4), ({"size": 2, "order": order}, 3), ({}, 1)):
            pairs = list(zip(streamed.batches(**told), resident.batches(**told), strict=True))
            assert len(pairs) == count
            for (images, labels), (expected, truth) in pairs:
                assert torch.equal(images, expected)
                assert torch.equal(labels, truth)


@pytest.mark.parametrize("selection", ["held_out", "best_test"])
def test_the_number_of_workers_changes_no_byte(packed, selection):
    settings = run_settings("files", epochs=2, augmentation="crop_flip", selection=selection, **NETWORK)
    alone, two, more = (fit(settings, packed, 0, CPU, loading=Loading(*how)) for how in ((0,), (2, 2), (1, 3)))
    assert left(alone) == left(two) == left(more)
    # And the same pixels in memory train to the same weights.
    here = fit(settings, plain(packed), 0, CPU)
    assert left(here)[0].keys() == left(alone)[0].keys()
    for key, value in here.state.items():
        torch.testing.assert_close(alone.state[key], value, rtol=1e-5, atol=1e-6)


def test_streaming_draws_no_number_of_the_training(packed):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    for workers in (0, 2):
        streamed = feed(packed.train_images, packed.train_labels, np.arange(9), CPU, Loading(workers))
        assert len(list(streamed.batches(4))) == 3
        assert torch.equal(torch.get_rng_state(), state)


def test_a_streamed_training_resumes_to_the_same_bytes(packed, tmp_path, monkeypatch):
    settings = run_settings("files", epochs=3, augmentation="crop_flip", **NETWORK)
    whole = fit(settings, packed, 0, CPU)
    resume = tmp_path / "resume.safetensors"
    # The tenth batch is in the second epoch.
    leave_resume_point(resume, settings, monkeypatch, data=packed, batch=10, loading=Loading(2))
    # With another number of workers: what it was trained with is no part of the fingerprint.
    resumed, epochs = counted(monkeypatch, settings, packed, resume, resume_every_seconds=0.0, loading=Loading(1, 3))
    assert left(resumed) == left(whole)
    assert epochs == 2


def test_only_chosen_images_are_decoded(packed, monkeypatch):
    seen = []
    real = EncodedImages._pixels
    monkeypatch.setattr(EncodedImages, "_pixels", lambda self, at, raw: seen.append(at) or real(self, at, raw))
    chosen = np.array([30, 2, 7])
    found = gathered(packed.train_images, chosen, Loading())
    assert seen == [30, 2, 7]
    assert (found == packed.train_images[:][chosen]).all()
    data = plain(packed)
    assert (gathered(data.train_images, chosen, Loading()) == found).all()
    assert (gathered(packed.train_images, np.arange(33), Loading(2)) == data.train_images).all()


def test_a_damaged_image_ends_the_training_with_its_name(packed):
    files = list(packed.train_images.files)
    files[5] = files[5][:40]
    data = dataclasses.replace(packed, train_images=EncodedImages(files, packed.card["decode"], "set train"))
    for workers in (0, 2):
        with pytest.raises(ValueError, match="set train: image 5: not a readable image"):
            fit(run_settings("files"), data, 0, CPU, loading=Loading(workers))


def test_normalisation_is_that_of_the_pixels(packed):
    settings = run_settings("files", model={"width": 0.25, "normalise": True})
    expected = new_model(settings, plain(packed))
    from_card = new_model(settings, packed)
    card = {key: value for key, value in packed.card.items() if key != "pixels"}
    streamed = new_model(settings, dataclasses.replace(packed, card=card))
    for model in (from_card, streamed):
        torch.testing.assert_close(model.mean, expected.mean)
        torch.testing.assert_close(model.std, expected.std)


def test_workers_are_taken_from_the_threads(packed):
    assert loading_for(packed, workers=2, prefetch=5, threads=3) == Loading(2, 5)
    assert loading_for(packed, workers=2, prefetch=5, threads=2) == Loading(1, 5)
    assert loading_for(packed, workers=2, prefetch=5, threads=1) == Loading(0, 5)
    assert loading_for(packed, workers=0, prefetch=5, threads=4) == Loading(0, 5)
    assert loading_for(plain(packed), workers=2, prefetch=5, threads=3) == Loading(0, 5)


def test_without_room_in_shared_memory_it_decodes_here(packed, monkeypatch, capsys):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(feeding.shutil, "disk_usage", lambda path: usage)
    streamed = feed(packed.train_images, packed.train_labels, np.arange(9), CPU, Loading(2))
    found = torch.cat([images for images, _ in streamed.batches(4)])
    assert torch.equal(found, torch.from_numpy(packed.train_images[:9]))
    if feeding.SHARED_MEMORY.is_dir():
        assert "decoding without workers" in capsys.readouterr().err


# Memory


class Watched(EncodedImages):
    """Counts, over all processes, the images that were decoded."""

    def __init__(self, images: EncodedImages) -> None:
        super().__init__(images.files, images.settings, images.name)
        self.decoded = torch.zeros(1, dtype=torch.int64).share_memory_()
        self.lock = torch.multiprocessing.get_context().Lock()

    def _pixels(self, number, content):
        found = super()._pixels(number, content)
        with self.lock:
            self.decoded += 1
        return found


@pytest.mark.parametrize(("workers", "prefetch"), [(0, 2), (1, 1), (2, 2), (2, 3)])
def test_no_more_batches_lie_ready_than_the_bound_says(packed, workers, prefetch):
    images, size = Watched(packed.train_images), 2
    streamed = Streamed(images, np.arange(30), packed.train_labels[:30], CPU, Loading(workers, prefetch))
    most = 0
    for used, _ in enumerate(streamed.batches(size), start=1):
        time.sleep(0.05)  # a slow training
        ready = int(images.decoded) - size * (used - 1)
        most = max(most, ready)
    assert int(images.decoded) == 30
    assert most <= size * (workers * prefetch + 1)
    if workers:
        assert most > size  # they do decode ahead


def test_nothing_is_remembered_of_used_batches(packed):
    streamed = feed(packed.train_images, packed.train_labels, np.arange(33), CPU, Loading(2, 2))
    remembered = [len(shared_cache) for _ in streamed.batches(1)]
    assert len(remembered) == 33
    assert max(remembered) <= 2 * 2 + 2


CHILD = """
import json, resource, sys
import numpy as np, torch
from lossproof.datasets import prepared
from lossproof.training.feeding import Loading, feed, gathered

def peak():
    own, theirs = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return 1024 * own, 1024 * theirs

def run(folder):
    data = prepared.load(folder)
    count = len(data.train_labels)
    chosen = feed(data.train_images, data.train_labels, np.arange(count), torch.device("cpu"), Loading(2, 2))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    return sum(int(images.float().div_(255).sum()) > 0 for images, _ in chosen.batches(16, order))

small = run(sys.argv[1]), peak()
large = run(sys.argv[2]), peak()
print(json.dumps([small, large]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
def test_memory_does_not_grow_with_the_set(tmp_path):
    batch = 16 * 3 * 224 * 224
    bound = (2 * 2 + 2) * batch
    few = encoded_set(train=96, test=3, crop=224, side=224)
    files = few.train_images.files
    many = 640
    for name, count in (("small", 96), ("large", many)):
        images = EncodedImages([files[at % 96] for at in range(count)], few.card["decode"], name)
        data = dataclasses.replace(few, train_images=images, train_labels=np.arange(count) % 3)
        with pytest.MonkeyPatch.context() as patch:
            # Statistics of the pixels are another test's.
            patch.setattr("lossproof.datasets.encoded.ChannelSums.add", lambda *_: None)
            patch.setattr("lossproof.datasets.encoded.ChannelSums.result", lambda *_: {})
            prepared.save(tmp_path / name, data)
    assert many * batch // 16 > 6 * bound
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "small"), str(tmp_path / "large")],
        capture_output=True,
        text=True,
        # Freed blocks go back at once, so that the peak is what was held.
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "MALLOC_MMAP_THRESHOLD_": str(2**20)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (few_batches, small), (many_batches, large) = json.loads(done.stdout)
    assert (few_batches, many_batches) == (6, 40)
    for one, other in zip(small, large, strict=True):
        assert other - one < bound, (small, large)
    # Were the whole set kept, it would be seen.
    assert many * batch // 16 > 4 * max(other - one for one, other in zip(small, large, strict=True))


# The steps


def made(folder):
    """Every file of a folder but provenance, by name."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and "provenance" not in path.name]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_the_steps_leave_equal_bytes_with_and_without_workers(tmp_path):
    settings = run_settings("files")
    plan = {
        "networks": network(settings),
        "attacks": {"fgsm": {"method": "fgsm", "epsilon": ["0.01"]}},
        "bundles": {"b": ["fgsm"]},
        "attack_images": {"train": 7, "test": None},
        "attack_batch_size": 512,
        "landscape": {"grid": 3, "package_grid": 4, "reach": 1.0, "images": 10},
    }
    loads = {"one": (), "more": ("--threads", 3, "--workers", 2, "--prefetch", 3)}
    (run,) = plan["networks"]
    for name, load_options in loads.items():
        prepared.save(tmp_path / name / "results/e/datasets" / run.split("/")[0], encoded_set(33, 14, crop=32, side=36))
        shared = ("--run", run, "--seeds", 0, "--device", "cpu", *load_options)
        for step, more in {"train": (), "attack": ("--bundle", "b"), "landscape": ()}.items():
            ran(run_step(tmp_path / name, step, plan, *shared, *more))
    kinds = ("models", "attacks", "landscapes")
    one, more = ({kind: made(tmp_path / name / "results/e" / kind) for kind in kinds} for name in loads)
    assert one == more
    assert [len(files) for files in one.values()] == [4, 4, 2]
    with np.load(tmp_path / "one/results/e/attacks" / run / "seed0/train/fgsm.npz") as found:
        assert len(found["index"]) == 7
