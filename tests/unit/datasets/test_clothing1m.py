"""Clothing1M from lists and image files of its own form, and what an edition does without them."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
import torch
from image_files import content, picture, run_settings

from editions import edition, plan
from lossproof.catalogue import catalogue, load
from lossproof.claims.ledger import build_ledger
from lossproof.datasets import by_hand, on_disk, prepared
from lossproof.datasets.sets import clothing1m
from lossproof.datasets.sets.clothing1m import KEYS, LABELS, NAMES, SIZES
from lossproof.training.feeding import Loading
from lossproof.training.loop import fit

CPU = torch.device("cpu")
ABOUT = catalogue("datasets")["clothing1m"].about
COUNTS = {"train": 28, "val": 15, "test": 14}
CLASS_NAMES = ["T-Shirt", "Shirt", "Knitwear", "Chiffon", "Sweater", "Hoodie", "Windbreaker", "Jacket", "Downcoat"]
CLASS_NAMES += ["Suit", "Shawl", "Dress", "Vest", "Underwear"]


def key(part: str, at: int) -> str:
    return f"images/{at % 10}/{at % 4}/{part}_{at}.jpg"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small set as it is handed out, annotations in their folder."""
    monkeypatch.setattr(clothing1m, "SIZES", COUNTS)
    place = tmp_path / "clothing1m"
    (place / "annotations").mkdir(parents=True)
    labels = []
    for part, count in COUNTS.items():
        keys = [key(part, at) for at in range(count)]
        (place / KEYS.format(part)).write_text("".join(f"{one}\n" for one in keys))
        for at, one in enumerate(keys):
            (place / one).parent.mkdir(parents=True, exist_ok=True)
            (place / one).write_bytes(content(picture(at, at % 14, 60 + at, 90)))
            labels.append(f"{one} {at % 14}\n")
    # The labels are in an order of their own, and of more images than those with clean parts.
    (place / LABELS).write_text("".join([*reversed(labels), "images/0/0/other.jpg 3\n"]))
    (place / NAMES).write_text("".join(f"{name}\n" for name in CLASS_NAMES))
    return place


def prepare(folder, **parameters):
    files = by_hand.places(ABOUT["by_hand"], folder.parent)
    given = {"resize": 40, "image_size": 32, "test": "valid"} | parameters
    return load("datasets", "clothing1m")(files, name="clothing", **given)


def test_the_sizes_are_the_published_ones():
    assert SIZES == {"train": 47570, "val": 14313, "test": 10526}
    assert ABOUT["expect"]["train"] == SIZES["train"]
    assert "files" not in ABOUT


@pytest.mark.parametrize(("test", "count"), [("valid", 15), ("test", 14)])
def test_from_lists_to_a_trained_batch(folder, tmp_path, test, count):
    data = prepare(folder, test=test)
    prepared.save(tmp_path / "out", data)
    found = prepared.load(tmp_path / "out")
    assert found.card["classes"] == CLASS_NAMES
    assert found.card["form"] == ABOUT["form"]
    assert found.card["sizes"] == {"train": 28, "test": count}
    assert found.train_images.shape == (28, 3, 32, 32)
    assert found.train_labels.tolist() == [at % 14 for at in range(28)]
    assert (found.train_images[:].mean((2, 3)).argmax(1) == np.arange(28) % 14 % 3).all()
    assert data.test_images.keys[3] == key({"valid": "val"}.get(test, test), 3)
    trained = fit(run_settings("clothing"), found, 0, CPU, loading=Loading(2))
    assert (trained.figures["n_train"], trained.figures["n_test"]) == (28, count)


def test_images_are_read_when_they_are_asked_for(folder):
    data = prepare(folder)
    expected = data.train_images[4]
    for path in (folder / "images").rglob("train_*.jpg"):
        if path.name != "train_4.jpg":
            path.unlink()
    assert (data.train_images[4] == expected).all()
    with pytest.raises(FileNotFoundError, match=r"train_5\.jpg"):
        data.train_images[5]


def test_annotations_beside_the_images_are_found_too(folder):
    for path in list((folder / "annotations").iterdir()):
        path.rename(folder / path.name)
    (folder / "annotations").rmdir()
    assert by_hand.absent("clothing1m", ABOUT["by_hand"], folder.parent) == ""
    assert len(prepare(folder).train_labels) == 28


def edited(name, change):
    def damage(folder):
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return damage


TRAIN = KEYS.format("train")
FAULTS = {
    "few": (edited(TRAIN, lambda raw: raw[: raw.rindex(b"images")]), f"{TRAIN}: 27 images, 28 expected"),
    "twice": (
        edited(TRAIN, lambda raw: raw.replace(b"train_1.jpg", b"train_11.jpg").replace(b"images/1/1/", b"images/1/3/")),
        f"{TRAIN}: 1 images are named twice",
    ),
    "outside": (edited(TRAIN, lambda raw: raw.replace(b"images/0/0", b"images/../0", 1)), "does not lie in images/"),
    "elsewhere": (edited(TRAIN, lambda raw: raw.replace(b"images/0/0", b"/etc/0", 1)), "does not lie in images/"),
    "no label": (edited(LABELS, lambda raw: raw.replace(b"train_7.jpg", b"gone.jpg")), "train_7.jpg' has no label"),
    "class": (edited(LABELS, lambda raw: raw.replace(b"train_7.jpg 7", b"train_7.jpg 14")), "not '<image> <class 0"),
    "form": (edited(LABELS, lambda raw: raw.replace(b"train_7.jpg 7", b"train_7.jpg")), "not '<image> <class 0"),
    "binary": (edited(LABELS, lambda raw: b"\xff\xfe" + raw), f"{LABELS}: not a text file"),
    "names": (edited(NAMES, lambda raw: raw.replace(b"Vest\n", b"")), f"{NAMES}: 13 classes, 14 expected"),
    "image": (lambda folder: (folder / key("val", 2)).unlink(), "val_2.jpg is named in"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_files_are_named(folder, fault):
    damage, says = FAULTS[fault]
    damage(folder)
    with pytest.raises((ValueError, FileNotFoundError), match=re.escape(says)):
        prepare(folder)


# Without the files


def paper(cache):
    return plan(edition("paper"), cli={"data": {"cache": str(cache)}})


def test_an_edition_without_the_files_says_which_where_and_how(tmp_path):
    made = paper(tmp_path)
    reason = made.missing["sp/table_5"]
    for said in (*ABOUT["by_hand"]["files"], "folder clothing1m of data.cache", "github.com/Cysu/noisy_label"):
        assert said in reason
    # A ledger must not depend on the machine.
    assert str(tmp_path) not in reason
    assert "sp/table_5" not in made.needs
    assert "clothing1m" not in {run.dataset for run in made.runs}


def test_an_edition_with_the_files_makes_the_exhibit(folder):
    made = paper(folder.parent)
    assert "sp/table_5" not in made.missing
    assert "clothing1m" in {run.dataset for run in made.runs}
    (folder / LABELS).unlink()
    assert f"{LABELS} not in folder" in paper(folder.parent).missing["sp/table_5"]
    assert KEYS.format("val") not in paper(folder.parent).missing["sp/table_5"]


def test_a_prepared_set_outlives_its_raw_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cache = tmp_path / "cache"
    card = tmp_path / paper(cache).paths.dataset("clothing1m")[-1]
    card.parent.mkdir(parents=True)
    # Another file of a set that was half made is not enough.
    (card.parent / "train_images.npy").touch()
    assert "sp/table_5" in paper(cache).missing
    card.touch()
    assert "sp/table_5" not in paper(cache).missing
    # The prepared sets of another edition are not this one's.
    other = plan(edition("paper"), cli={"data": {"cache": str(cache)}, "edition": "other"})
    assert "sp/table_5" in other.missing


def test_the_ledger_says_why_for_every_number(tmp_path):
    made = paper(tmp_path)
    with open("reference/claims.csv", newline="", encoding="utf-8") as file:
        claims = [row for row in csv.DictReader(file) if row["paper"] == "sp"]
    stand_ins = {meant: data for meant, data in made.config["stand_ins"].items() if data}
    rows = build_ledger(
        claims, {}, full_protocol=True, edition="paper", data_for=stand_ins, missing=made.missing, cards={}
    )
    table = [row for row in rows if row["exhibit"] == "table_5"]
    assert len(table) == 48
    assert {row["verdict"] for row in table} == {"not run"}
    assert {row["reason"] for row in table} == {f"sp/table_5 did not run: {made.missing['sp/table_5']}"}
    facts = [row for row in rows if row["metric"] == "dataset_fact" and row["dataset"] == "clothing1m"]
    assert {row["reason"] for row in facts} == {"clothing1m was not prepared in the paper edition."}


def test_facts_come_from_the_card_where_it_is_there(tmp_path):
    with open("reference/claims.csv", newline="", encoding="utf-8") as file:
        claims = [row for row in csv.DictReader(file) if row["metric"] == "dataset_fact"]
    card = {"classes": CLASS_NAMES, "sizes": {"train": 47570, "test": 14313}}
    card |= {"parts": {"train": 47570, "valid": 14313, "test": 10526}}
    rows = build_ledger(
        claims,
        {},
        full_protocol=True,
        edition="paper",
        data_for={"clothing1m": "clothing1m"},
        cards={"clothing1m": card},
    )
    verdicts = {row["value"]: (row["verdict"], row["measured"]) for row in rows if row["dataset"] == "clothing1m"}
    assert verdicts == {
        "14": ("reproduced", 14),
        "14000": ("reproduced", 14313),
        "50000": ("not reproduced", 47570),
        "1000000": ("not run", None),
    }


def test_other_lists_make_the_data_set_anew(folder):
    settings = {"source": "clothing1m"}
    before = on_disk.state(settings, folder.parent)
    assert on_disk.state(settings, folder.parent) == before
    lists = folder / KEYS.format("val")
    lists.write_text(lists.read_text() + "images/0/0/other.jpg\n")
    changed = on_disk.state(settings, folder.parent)
    # Where the files are not there, planning must not fail over them.
    (folder / LABELS).unlink()
    assert len({before, changed, on_disk.state(settings, folder.parent), on_disk.state(settings, folder)}) == 4
