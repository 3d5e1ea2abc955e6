"""Any folder of images: what it becomes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from checkout import new_checkout
from PIL import Image
from raw_files import images, picture
from steps import ran, run_step
from tiny_training import told

from editions import BASE, load
from lossproof.catalogue import catalogue
from lossproof.datasets import on_disk, prepared
from lossproof.datasets.arrive import arrive
from lossproof.datasets.encoded import EncodedImages
from lossproof.datasets.pictures import cropped
from lossproof.datasets.source import keeps_files, source_of
from lossproof.settings.faults import SettingsError
from lossproof.training.loop import fit

SIZE = 28
PIXELS = images(18, 3, SIZE)


@pytest.fixture
def folder(tmp_path):
    """Two classes; 5 and 4 training images, 5 and 4 test images."""
    at = 0
    for split in ("train", "test"):
        for title, count in (("zebra", 5), ("Ape", 4)):
            place = tmp_path / "mine" / split / title
            place.mkdir(parents=True)
            for number in range(count):
                (place / f"{number}.png").write_bytes(picture(PIXELS[at]))
                at += 1
    return tmp_path / "mine"


def read(path, **parameters):
    parameters = catalogue("datasets")["folder"].defaults() | {"path": str(path), "image_size": SIZE} | parameters
    return arrive(source_of("folder"), {}, "mine", parameters, {})


def test_from_a_folder_to_a_trained_batch(folder, tmp_path):
    data = read(folder, note="JPEG, lossy")
    assert data.card["classes"] == ["Ape", "zebra"]
    assert data.train_labels.tolist() == [0] * 4 + [1] * 5
    # Images of the right size come through as they are.
    assert (data.train_images == np.concatenate([PIXELS[5:9], PIXELS[:5]])).all()
    assert (data.test_images == np.concatenate([PIXELS[14:18], PIXELS[9:14]])).all()
    assert data.card["note"] == "JPEG, lossy"
    prepared.save(tmp_path / "out", data)
    found = prepared.load(tmp_path / "out")
    assert found.card["sizes"] == {"train": 9, "test": 9}
    trained = fit(told(arch="lenet5", dataset="mine", epochs=1), found, 0, torch.device("cpu"))
    assert trained.figures["status"] == "finished"
    assert trained.figures["n_test"] == 9


def test_gray_and_other_folder_names(folder):
    (folder / "train").rename(folder / "one")
    (folder / "test").rename(folder / "two")
    data = read(folder, channels=1, train="one", test="two")
    assert data.train_images.shape == (9, 1, SIZE, SIZE)
    expected = np.asarray(Image.fromarray(PIXELS[5].transpose(1, 2, 0)).convert("L"))
    assert (data.train_images[0, 0] == expected).all()


def test_every_kind_of_file(folder):
    place = folder / "train" / "Ape"
    gray = images(1, 1, SIZE, 5)[0]
    (place / "a.JPG").write_bytes(picture(gray, "JPEG"))
    (place / "b.jpeg").write_bytes(picture(PIXELS[0], "JPEG"))
    clear = Image.fromarray(PIXELS[0].transpose(1, 2, 0)).convert("RGBA")
    clear.putalpha(7)
    clear.save(place / "c.png")
    for name in (".DS_Store", ".hidden.png", "notes.txt"):
        (place / name).write_bytes(b"no image")
    data = read(folder)
    assert len(data.train_images) == 12
    assert (data.train_images[4] == data.train_images[4][:1]).all()
    assert np.abs(data.train_images[4].astype(int) - gray).mean() < 30
    assert (data.train_images[6] == PIXELS[0]).all()
    assert data.card["ignored_files"] == 3


def test_resizing_keeps_the_middle_of_the_shorter_side():
    # 40 x 20: black, white from column 10 to 29, black.
    strip = np.zeros((20, 40), np.uint8)
    strip[:, 10:30] = 255
    wide, tall = Image.fromarray(strip), Image.fromarray(strip.T.copy())
    assert (np.asarray(cropped(wide, 10, 10))[:, 1:-1] == 255).all()
    assert (np.asarray(cropped(tall, 10, 10)) == np.asarray(cropped(wide, 10, 10)).T).all()
    assert cropped(wide, 30, 30).size == (30, 30)
    assert cropped(Image.new("L", (333, 1000)), 32, 32).size == (32, 32)
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 16).astype(np.uint8), (16, 1)))
    assert (cropped(ramp, 8, 8) == ramp.resize((8, 8), Image.Resampling.BILINEAR)) is True
    assert cropped(ramp, 16, 16) == ramp


def test_the_checksum_tells_bytes_and_names_apart(folder, tmp_path):
    first = read(folder).card["sha256"]
    assert read(folder).card["sha256"] == first
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    assert read(elsewhere).card["sha256"] == first
    (elsewhere / "train/Ape/0.png").rename(elsewhere / "train/Ape/00.png")
    renamed = read(elsewhere).card["sha256"]
    (elsewhere / "train/Ape/00.png").write_bytes(picture(PIXELS[0]))
    assert len({first, renamed, read(elsewhere).card["sha256"]}) == 3


def put(content: bytes, name: str = "train/zebra/3.png"):
    return lambda folder: (folder / name).write_bytes(content)


def empty(folder: Path) -> None:
    for file in (folder / "test/zebra").iterdir():
        file.rename(file.with_suffix(".gif"))


def deep(folder: Path) -> None:
    Image.fromarray(np.full((SIZE, SIZE), 40_000, np.uint16)).save(folder / "train/zebra/3.png")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put(b"no image"), r"train/zebra/3.png: not a readable image"),
        (put(b""), r"train/zebra/3.png: not a readable image"),
        (put(picture(PIXELS[0])[:-900]), r"train/zebra/3.png: not a readable image"),
        (put(picture(PIXELS[0], "TIFF")), r"train/zebra/3.png: not a readable image \(of none of JPEG,"),
        (deep, r"train/zebra/3.png: more than 8 bits per channel"),
        (empty, r"test/zebra: no image in it \(.png, .jpg, .jpeg\)"),
        (lambda folder: (folder / "test/yak").mkdir(), r"test/yak: no image in it"),
        (
            lambda folder: (folder / "test/zebra").rename(folder / "test/Zebra"),
            r"mine: only one of train and test has the classes Zebra, zebra",
        ),
        (lambda folder: (folder / "test").rename(folder / "val"), r"mine/test: no such folder"),
    ],
)
def test_refused(folder, change, says):
    change(folder)
    with pytest.raises(ValueError, match=says) as caught:
        read(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_without_classes_is_refused(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(ValueError, match=r"train: no class folder in it"):
        read(tmp_path)


def test_the_configuration_checks_its_keys():
    mine = {"source": "folder", "path": "pictures", "image_size": 16}
    checked = load(base=BASE, cli={"datasets": {"mine": mine}})["datasets"]["mine"]
    assert checked == mine | {"channels": 3, "train": "train", "test": "test", "note": ""}
    for key, value in {"channels": 2, "image_size": 0, "path": "", "pth": "x"}.items():
        with pytest.raises(SettingsError, match=rf"datasets.mine.{key}: "):
            load(base=BASE, cli={"datasets": {"mine": mine | {key: value}}})


def test_the_step_prepares_it(folder, tmp_path):
    settings = {"source": "folder"} | catalogue("datasets")["folder"].defaults() | {"path": str(folder)}
    ran(run_step(tmp_path, "prepare", {"datasets": {"mine": settings}}, "--dataset", "mine", "--cache", "none"))
    found = prepared.load(tmp_path / "results/e/datasets/mine")
    ours = read(folder, image_size=32)
    assert (found.test_images == ours.test_images).all()
    assert found.card["sha256"] == ours.card["sha256"]
    assert found.train_images.shape == (9, 3, 32, 32)


@pytest.mark.parametrize("channels", [1, 3])
def test_large_pictures_stay_files(folder, tmp_path, channels):
    assert not keeps_files({"source": "folder", "image_size": 64})
    data = read(folder, image_size=65, channels=channels)
    assert isinstance(data.train_images, EncodedImages)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalogue("datasets")["folder"].about, "encoded_above", 65)
        small = read(folder, image_size=65, channels=channels)
    assert isinstance(small.train_images, np.ndarray)
    prepared.save(tmp_path / "out", data)
    found = prepared.load(tmp_path / "out")
    for split in ("train", "test"):
        assert (found.split(split)[0][:] == small.split(split)[0]).all()
        assert (found.split(split)[1] == small.split(split)[1]).all()
    assert found.card["sha256"] == small.card["sha256"]
    trained = fit(told(arch="cnn2", dataset="mine", epochs=1), found, 0, torch.device("cpu"))
    assert trained.figures["status"] == "finished"


def test_a_bad_large_picture_is_named(folder, tmp_path):
    put(picture(PIXELS[0])[:-900])(folder)
    with pytest.raises(ValueError, match=r"train/zebra/3.png\): not a readable image"):
        prepared.save(tmp_path / "out", read(folder, image_size=80))


CHANGES = {
    "deleted": lambda folder: (folder / "train/zebra/3.png").unlink(),
    "added": lambda folder: (folder / "test/Ape/new.JPG").write_bytes(b"x"),
    "changed": lambda folder: (folder / "test/Ape/0.png").write_bytes(b"x"),
    "renamed": lambda folder: (folder / "test/Ape/0.png").rename(folder / "test/Ape/00.png"),
    "another class": lambda folder: (folder / "test/Ape").rename(folder / "test/Bee"),
    "other splits": lambda folder: (folder / "test").rename(folder / "val"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_on_the_disk_shows(folder, change):
    settings = {"source": "folder"} | catalogue("datasets")["folder"].defaults() | {"path": str(folder)}
    before = on_disk.state(settings, "nowhere")
    # What is no picture is none of the data set.
    (folder / "train/zebra/notes.txt").write_text("x")
    (folder / "train/zebra/.hidden.png").write_text("x")
    (folder / "train/zebra/broken.png").symlink_to("nowhere")
    assert on_disk.state(settings, "elsewhere") == before
    CHANGES[change](folder)
    assert on_disk.state(settings, "nowhere") != before


def test_published_and_packaged_sets_have_no_state(tmp_path):
    for name in ("mnist", "digits"):
        assert on_disk.state({"source": name}, tmp_path) == ""


def test_a_deleted_picture_makes_the_data_set_anew(folder, tmp_path):
    checkout = new_checkout(tmp_path / "lossproof")
    (checkout.folder / "mine.yaml").write_text(f"datasets: {{mine: {{source: folder, path: {folder}}}}}")
    told = ("results/embedded/datasets/mine/card.json", "--configfile", "mine.yaml")
    checkout.succeed(*told, "--cores", "1")
    assert "Nothing to be done" in checkout.succeed(*told, "-n")
    CHANGES["deleted"](folder)
    assert checkout.jobs(*told) == {"prepare": 1}
