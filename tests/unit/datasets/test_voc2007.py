"""VOC 2007 from archives of its own form: which images are kept, their labels, and what is refused."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
import torch
from image_files import content, picture, run_settings
from raw_files import published
from serve import serve

from lossproof.catalogue import catalogue, load
from lossproof.datasets import prepared
from lossproof.datasets.encoded import EncodedImages
from lossproof.datasets.fetch import fetch
from lossproof.datasets.sets.voc2007 import CLASSES, PARTS, annotation, label_of
from lossproof.datasets.source import source_of
from lossproof.training.feeding import Loading
from lossproof.training.loop import fit

CPU = torch.device("cpu")
ROOT = "VOCdevkit/VOC2007"


def xml(*objects: tuple, size=(50, 40)) -> bytes:
    """An annotation in the form of the archives; an object is a class, a box and whether it is difficult."""
    parts = [
        f"<object><name>{name}</name><pose>Left</pose><truncated>1</truncated><difficult>{int(difficult)}</difficult>"
        f"<bndbox><xmin>{box[0]}</xmin><ymin>{box[1]}</ymin><xmax>{box[2]}</xmax><ymax>{box[3]}</ymax></bndbox>"
        f"<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>"
        "</object>"
        for name, box, difficult in objects
    ]
    head = f"<folder>VOC2007</folder><size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    return f"<annotation>\n{head}{''.join(parts)}</annotation>\n".encode()


SMALL, LARGE = (1, 1, 10, 10), (5, 5, 30, 30)


def archive(path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as file:
        for folder in (ROOT, f"{ROOT}/JPEGImages"):
            info = tarfile.TarInfo(folder)
            info.type = tarfile.DIRTYPE
            file.addfile(info)
        for name, raw in members.items():
            info = tarfile.TarInfo(f"{ROOT}/{name}")
            info.size = len(raw)
            file.addfile(info, io.BytesIO(raw))


def voc(part: str, start: int) -> dict[str, bytes]:
    """One image per class, then one with two classes, one with a difficult second class, one with none that counts."""
    annotations = [xml((name, LARGE, False), (name, SMALL, False)) for name in CLASSES]
    annotations += [
        xml(("dog", SMALL, False), ("cat", LARGE, False)),
        xml(("dog", SMALL, False), ("cat", LARGE, True)),
        xml(("dog", SMALL, True)),
    ]
    names = [f"{start + at:06d}" for at in range(len(annotations))]
    members = {f"ImageSets/Main/{part}.txt": "".join(f"{name}\n" for name in names).encode()}
    members |= {f"ImageSets/Main/dog_{part}.txt": b"000001 -1\n", "SegmentationClass/000001.png": b"none"}
    # As in the real archives, what an image is lies far from the image.
    members |= {f"Annotations/{name}.xml": text for name, text in zip(names, annotations, strict=True)}
    members |= {
        f"JPEGImages/{name}.jpg": content(picture(start + at, at, 50 - at, 40)) for at, name in enumerate(names)
    }
    return members


@pytest.fixture
def made(tmp_path):
    """Archives with 23 images each, in place of the real ones."""
    files = {}
    for (file, part), start in zip(PARTS.values(), (1, 5000), strict=True):
        files[file] = tmp_path / file
        archive(files[file], voc(part, start))
    return files


def prepare(files, **parameters):
    return load("datasets", "voc2007")(files, name="voc", **{"image_size": 32, "labels": "single_class"} | parameters)


def test_the_declaration_is_the_published_one():
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    entry = catalogue("datasets")["voc2007"]
    ours = {(file["name"], *file["urls"], file["checksum"]) for file in entry.about["files"]}
    theirs = [DATASET_YEAR_DICT[key] for key in ("2007", "2007-test")]
    assert ours == {(one["filename"], one["url"], f"md5:{one['md5']}") for one in theirs}
    assert {file for file, _ in PARTS.values()} == {file["name"] for file in entry.about["files"]}
    assert entry.about["expect"]["classes"] == CLASSES == sorted(CLASSES)
    assert len(CLASSES) == 20


def test_from_a_server_to_a_trained_batch(made, tmp_path):
    with serve(tmp_path) as base:
        files = fetch(published(source_of("voc2007"), base, made), tmp_path / "cache")
    data = prepare(files)
    assert data.train_labels.tolist() == [*range(20), CLASSES.index("dog")]
    assert data.card["kept"] == {"trainval": {"images": 23, "kept": 21}, "test": {"images": 23, "kept": 21}}
    assert data.card["form"] == catalogue("datasets")["voc2007"].about["form"]
    prepared.save(tmp_path / "out", data)
    found = prepared.load(tmp_path / "out")
    assert isinstance(found.train_images, EncodedImages)
    assert found.train_images.shape == (21, 3, 32, 32)
    # Each image has the colour of its own label.
    assert (found.train_images[:20].mean((2, 3)).argmax(1) == np.arange(20) % 3).all()
    assert found.train_images[20].mean((1, 2)).argmax() == 21 % 3
    trained = fit(run_settings("voc"), found, 0, CPU, loading=Loading(2))
    assert trained.figures["n_train"] == trained.figures["n_test"] == 21
    assert trained.history[0]["train_loss"] > 0


def test_the_label_of_the_largest_box(made):
    data = prepare(made, labels="largest_box")
    assert data.train_labels.tolist() == [*range(20), CLASSES.index("cat"), CLASSES.index("dog")]
    assert data.card["kept"]["test"] == {"images": 23, "kept": 22}
    assert data.train_images.keys[20] == "000021"


def test_objects_and_labels():
    objects = annotation(xml(("dog", SMALL, False), ("cat", LARGE, True)))
    assert objects == [("dog", 100.0, False), ("cat", 676.0, True)]
    assert label_of(objects, "single_class") == label_of(objects, "largest_box") == CLASSES.index("dog")
    assert label_of([], "single_class") is None
    assert label_of([("dog", 1.0, True)], "largest_box") is None
    assert label_of([("dog", 1.0, False), ("dog", 2.0, False)], "single_class") == CLASSES.index("dog")
    first = [("dog", 2.0, False), ("cat", 2.0, False)]
    assert label_of(first, "largest_box") == CLASSES.index("dog")


def test_a_damaged_image_or_archive_is_named(made, tmp_path):
    members = voc("test", 5000)
    members["JPEGImages/005002.jpg"] = members["JPEGImages/005002.jpg"][:60]
    file = made[PARTS["test"][0]]
    archive(file, members)
    with pytest.raises(ValueError, match=r"voc test: image 2 \(005002\): not a readable image"):
        prepared.save(tmp_path / "out", prepare(made))
    file.write_bytes(file.read_bytes()[:30_000])
    with pytest.raises(ValueError, match=file.name):
        prepare(made)
