"""The protocol around attacks: the library as it is, the judgement of its output, records, and the choice of images."""

from __future__ import annotations

import json
import re
import weakref

import numpy as np
import pytest
import torch
import torchattacks
from torch import Tensor, nn

from lossproof import catalogue
from lossproof.attacks import outcome
from lossproof.attacks.methods import library, worst_case
from lossproof.attacks.outcome import judge, summarise
from lossproof.attacks.protocol import AttackData, crafted, resolve, run_bundle
from lossproof.attacks.subset import choose_images
from lossproof.datasets.encoded import EncodedImages
from lossproof.planning import cost
from lossproof.records import read_npz, write_json, write_npz
from lossproof.seeding import seed_of
from lossproof.statistics.wilson import wilson
from lossproof.threats.epsilon import parse, parse_list, step_size
from lossproof.training.feeding import Loading, Resident, Streamed

CPU = torch.device("cpu")


def network(scale: float = 1.0) -> nn.Module:
    """Two classes by mean brightness; ``scale`` saturates cross entropy."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    with torch.no_grad():
        net[1].weight.copy_(scale * torch.tensor([[-1.0], [1.0]]).expand(2, 16) / 2)
        net[1].bias.copy_(scale * torch.tensor([4.0, -4.0]))
    return net.eval()


@pytest.fixture
def data() -> dict[str, AttackData]:
    """Two splits of uint8 images, most of them on the right side of the middle."""
    generator = np.random.default_rng(0)

    def split(count: int) -> AttackData:
        labels = np.arange(count) % 2
        level = 0.46 + 0.08 * labels[:, None, None, None] + 0.03 * generator.standard_normal((count, 1, 1, 1))
        level = level + 0.02 * generator.standard_normal((count, 1, 4, 4))
        return AttackData(Resident((255 * level).round().astype(np.uint8), labels, CPU), 3 * np.arange(count))

    return {"train": split(40), "test": split(23)}


PLANS = {
    "fgsm": {"method": "fgsm", "epsilon": "0.007"},
    "pgd_sweep": {"method": "pgd", "epsilon": ["0.01", "1/20", "0"], "steps": 5, "step_size": None},
    "pgd_far": {"method": "pgd", "epsilon": "0.1", "steps": 1, "step_size": "1/255"},
    "upgd": {"method": "upgd", "epsilon": "4/255", "steps": 5},
    "mim_shares": {"method": "mim", "epsilon": ["0.02", "0.05"], "steps": 5, "step_size": "epsilon/10"},
    "worst_case": {"method": "gradient", "epsilon": ["8/255", "0.1"], "steps": 5, "splits": ["test"]},
    "own_loss": {"method": "gradient", "epsilon": "8/255", "steps": 5, "losses": ["own"]},
}


def margin_criterion(logits: Tensor, labels: Tensor) -> Tensor:
    return -logits.gather(1, labels[:, None])[:, 0]


def run(data: dict[str, AttackData], model: nn.Module | None = None, seed: int = 0, **more: object):
    return run_bundle(
        model or network(), data, PLANS, run_name="digits/ce", seed=seed, criterion=margin_criterion, **more
    )  # fmt: skip


def test_records_and_arrays_keep_the_contract(data, tmp_path):
    results = run(data)
    assert set(results) == {(s, a) for s in ("train", "test") for a in PLANS} - {("train", "worst_case")}
    for (split, name), (record, arrays) in results.items():
        write_json(tmp_path / "a.json", record)
        write_npz(tmp_path / "a.npz", arrays)
        assert json.loads((tmp_path / "a.json").read_text()) == record
        arrays = read_npz(tmp_path / "a.npz")
        count, budgets = len(data[split].labels), len(record["results"])
        assert {key: (value.shape, value.dtype.name) for key, value in arrays.items()} == {
            "index": ((count,), "int64"),
            "label": ((count,), "int64"),
            "clean": ((count,), "int64"),
            "adversarial": ((budgets, count), "int64"),
        }
        assert record["n_images"] == count
        assert record["split"] == split
        assert record["attack"]["name"] == name
        assert np.array_equal(arrays["index"], data[split].index)
        assert record["clean_accuracy"] == pytest.approx(100 * (arrays["clean"] == arrays["label"]).mean())
        for row, predictions in zip(record["results"], arrays["adversarial"], strict=True):
            assert row["invalid"] == 0
            assert row["accuracy"] == pytest.approx(100 * (predictions == arrays["label"]).mean())
            assert row["ci_low"] <= row["accuracy"] <= row["ci_high"]
            assert row["median_linf"] <= row["epsilon_value"] + 1e-6
    assert results["test", "fgsm"][0]["attack"] == {
        "name": "fgsm", "method": "fgsm", "track": "printed", "norm": "linf", "epsilon": "0.007"
    }  # fmt: skip
    sweep = results["train", "pgd_sweep"][0]["results"]
    assert [row["epsilon"] for row in sweep] == ["0.01", "1/20", "0"]
    assert [row["step_size_value"] for row in sweep] == [0.005, 0.025, 1 / 255]
    shares = results["train", "mim_shares"][0]["results"]
    assert [row["step_size_value"] for row in shares] == [0.002, 0.005]
    assert [row["median_linf"] for row in shares] == pytest.approx([0.01, 0.025], abs=1e-6)  # five steps
    assert sweep[1]["accuracy"] < sweep[0]["accuracy"] < sweep[2]["accuracy"]
    assert sweep[2]["accuracy"] == results["train", "pgd_sweep"][0]["clean_accuracy"]


def test_equal_runs_give_equal_records_and_splits_keep_their_own_images(data):
    first, again, other = run(data), run(data), run(data, seed=1)
    assert {key: value[0] for key, value in first.items()} == {key: value[0] for key, value in again.items()}
    assert all(np.array_equal(first[k][1][name], again[k][1][name]) for k in first for name in first[k][1])
    pgd = ("train", "pgd_far")
    assert first[pgd][0]["results"][0]["median_l2"] != other[pgd][0]["results"][0]["median_l2"]
    alone = run({"test": data["test"]})
    assert alone["test", "upgd"][0] == first["test", "upgd"][0]
    assert alone["test", "worst_case"][0] == first["test", "worst_case"][0]
    small = run(data, batch_size=7)
    assert np.array_equal(small["test", "fgsm"][1]["adversarial"], first["test", "fgsm"][1]["adversarial"])


# Memory


def test_crafted_images_are_those_that_a_record_is_about(data):
    split = data["test"]
    names = ("digits/ce", 0, "worst_case", "test")
    batches = list(crafted(network(), [split.feed], resolve(PLANS["worst_case"]), names, 16))
    assert len(batches) > 1
    predictions = torch.cat([network()(made.images[1]).argmax(1) for made, _ in batches]).numpy()
    _, arrays = run(data, batch_size=16)["test", "worst_case"]
    assert np.array_equal(predictions, arrays["adversarial"][1])
    assert (predictions != arrays["clean"]).any()


class Watched(EncodedImages):
    """Images of which it is known how many are decoded, and still held by anyone."""

    held = most = decoded = 0

    def __init__(self, count: int, side: int) -> None:
        super().__init__([bytes([at]) for at in range(count)], {"crop": side, "channels": 3}, "watched")

    def __getitem__(self, index):
        found = super().__getitem__(index)
        self.held += len(index)
        self.decoded += len(index)
        self.most = max(self.most, self.held)
        weakref.finalize(found, self._let_go, len(index))
        return found

    def _let_go(self, count):
        self.held -= count

    def _pixels(self, number, content):
        return np.full(self.shape[1:], 90 + content[0], np.uint8)


class Rows(nn.Module):
    """A classifier of three channels that notes how many images it was ever given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.most = 0

    def forward(self, images: Tensor) -> Tensor:
        self.most = max(self.most, len(images))
        return self.layer(images.mean((2, 3)))


def watched(side: int) -> tuple[dict[str, AttackData], list[Watched]]:
    """Encoded sets of which every second image is attacked."""
    data, images = {}, []
    for split, count in (("test", 70), ("train", 90)):
        images.append(Watched(count, side))
        index = np.arange(0, count, 2)
        data[split] = AttackData(Streamed(images[-1], index, index % 4 // 2, CPU, Loading()), index)
    return data, images


@pytest.mark.parametrize("name", ["pgd_sweep", "worst_case"])
def test_images_are_decoded_batch_by_batch(name):
    data, images = watched(8)
    run_bundle(Rows(), data, {name: PLANS[name]}, run_name="x", seed=0, batch_size=6)
    attacked = [35, 45] if name == "pgd_sweep" else [35, 0]
    # Once for the clean predictions, once for the attack; what is not chosen is never decoded.
    assert [one.decoded for one in images] == [35 + attacked[0], 45 + attacked[1]]
    # The batch in use and the one that it replaces, of each split.
    assert max(one.most for one in images) <= 2 * 6
    assert [one.held for one in images] == [0, 0]


def test_encoded_images_give_the_records_of_pixels_in_memory():
    encoded, _ = watched(8)
    resident = {
        split: AttackData(
            Resident(np.stack([np.full((3, 8, 8), 90 + at, np.uint8) for at in one.index]), one.labels, CPU), one.index
        )
        for split, one in encoded.items()
    }
    torch.manual_seed(0)
    model = Rows()
    for size in (7, 512):  # batches that lie in both splits, and one for all
        found, expected = (run(data, model, batch_size=size) for data in (encoded, resident))
        assert {key: value[0] for key, value in found.items()} == {key: value[0] for key, value in expected.items()}
        assert all(np.array_equal(found[k][1][name], expected[k][1][name]) for k in found for name in found[k][1])


@pytest.mark.parametrize(("side", "rows"), [(64, 24), (65, 23), (128, 6), (1024, 1)])
def test_large_images_come_in_smaller_batches(side, rows):
    model, images = Rows(), np.zeros((2 if side > 1000 else 30, 3, side, side), np.uint8)
    labels = np.arange(len(images)) % 2
    data = {"test": AttackData(Resident(images, labels, CPU), labels)}
    for name in ("fgsm", "own_loss"):
        run_bundle(model, data, {name: PLANS[name]}, run_name="x", seed=0, batch_size=24, criterion=margin_criterion)
        assert model.most == rows


def test_draws_follow_from_the_place_among_all_images(data, monkeypatch):
    """Published records hang on these: the whole images of both splits, cut every batch_size, seeded by the cut."""
    seen = []

    def noted(model, images, labels, *, seed, epsilons, **_):
        seen.append((seed, images, labels))
        return outcome.Crafted(images[None], torch.zeros(1, len(images), dtype=torch.bool))

    monkeypatch.setattr(library, "fgsm", noted)
    run_bundle(network(), data, {"fgsm": PLANS["fgsm"]}, run_name="x", seed=3, batch_size=16)
    images = torch.cat([data[split].feed.images.float().div_(255) for split in ("test", "train")])
    labels = torch.cat([data[split].feed.labels for split in ("test", "train")])
    assert [seed for seed, *_ in seen] == [
        seed_of("attack", "x", 3, "fgsm", "test", "train", at) for at in (0, 16, 32, 48)
    ]
    for at, (_, batch, truth) in enumerate(seen):
        assert torch.equal(batch, images[16 * at : 16 * at + 16])
        assert torch.equal(truth, labels[16 * at : 16 * at + 16])


@pytest.mark.parametrize("method", ["fgsm", "bim", "pgd", "upgd"])
def test_the_printed_track_is_the_library(data, method):
    model, images = network(), data["train"].feed.images.float() / 255
    labels = torch.as_tensor(data["train"].labels)
    more = {} if method == "fgsm" else {"steps": 5}
    made = catalogue.load("attacks", method)(
        model, images, labels, norm="linf", epsilons=[0.03], step_sizes=[0.01], seed=9, **more
    )
    steps = {} if method == "fgsm" else {"steps": 5, "alpha": 0.01}
    torch.manual_seed(9)
    assert torch.equal(made.images[0], getattr(torchattacks, method.upper())(model, eps=0.03, **steps)(images, labels))
    assert not made.zero_gradient.any()
    assert all(p.requires_grad for p in model.parameters())


def test_the_library_leaves_the_global_random_state_alone(data):
    model = network()
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    run(data, model)
    assert torch.equal(torch.rand(3), expected)


def test_upgd_freezes_images_without_gradient_and_is_caught(data):
    """Measured: 0/0 gives a NaN momentum, torch's sign(NaN) is 0, so the image stays; it does not turn NaN itself."""
    results = run(data, network(1e4))
    right = round(results["train", "upgd"][0]["clean_accuracy"] * 40 / 100)
    row = results["train", "upgd"][0]["results"][0]
    assert row["zero_gradient"] >= row["unmoved"] > 0.8 * right
    assert row["nan"] == 0
    honest = results["test", "worst_case"][0]["results"]
    assert honest[1]["accuracy"] < 10 < 50 < results["test", "upgd"][0]["results"][0]["accuracy"]
    assert [row["zero_gradient"] > 0 for row in honest] == [True, True]


def test_faulty_images_are_caught_and_never_score(data):
    model, clean = network(), data["test"].feed.images[:6].float() / 255
    labels = data["test"].labels[:6]
    adversarial = clean.clone()
    adversarial[0, 0, 0, 0] = float("nan")
    adversarial[1] = (clean[1] + 0.3).clamp(0, 1)  # outside the ball
    adversarial[2, 0, 0, 0] = -0.001  # out of the box, and far
    adversarial[3] = clean[3] + 0.05 * (1 - 2 * labels[3])  # admissible
    adversarial[4] = clean[4] + 0.05 + 2e-6  # out of the ball by more than rounding
    judged = judge(model, clean, adversarial, norm="linf", epsilon=0.05)
    assert judged.nan.tolist() == [True] + 5 * [False]
    assert judged.moved_out_of_ball.tolist() == [False, True, True, False, True, False]
    assert judged.out_of_box.tolist() == [False, False, True, False, False, False]
    assert judged.unmoved.tolist() == [False] * 5 + [True]
    assert judged.predictions.tolist()[:3] == [-1, -1, -1]
    assert judged.predictions[4] == -1
    predictions = outcome.predict(model, clean).numpy()
    summary = summarise(judged, labels, predictions)
    assert summary["invalid"] == 4
    fair = predictions == labels
    fair[3] = judged.raw[3] == labels[3]
    assert summary["accuracy"] == pytest.approx(100 * fair.mean())
    assert summary["accuracy_raw"] == pytest.approx(100 * (judged.raw == labels).mean()) != summary["accuracy"]
    l2 = judge(model, clean, adversarial, norm="l2", epsilon=0.21)
    assert not l2.moved_out_of_ball[3]
    assert l2.l2[3] == pytest.approx(0.2, abs=1e-5)
    only_bad = judge(model, clean[:1], adversarial[:1], norm="linf", epsilon=0.05)
    assert summarise(only_bad, labels[:1], predictions[:1])["median_linf"] is None


def test_a_faulty_method_reaches_the_record(data, monkeypatch):
    def faulty(model, images, labels, *, epsilons, **_):
        made = images.repeat(len(epsilons), 1, 1, 1, 1) + 0.5
        return outcome.Crafted(made, torch.zeros(made.shape[:2], dtype=torch.bool))

    monkeypatch.setattr(library, "fgsm", faulty)
    record, arrays = run_bundle(network(), data, {"fgsm": PLANS["fgsm"]}, run_name="x", seed=0)["test", "fgsm"]
    assert (arrays["adversarial"] == -1).all()
    assert record["results"][0]["accuracy"] == record["clean_accuracy"] != record["results"][0]["accuracy_raw"]
    assert record["results"][0]["moved_out_of_ball"] == 23


def test_settings_are_resolved_or_refused(data):
    assert resolve({"method": "pgd"})["random_start"] is True
    assert resolve({"method": "gradient"})["track"] == "honest"
    with pytest.raises(ValueError, match="no track 'printed'"):
        resolve({"method": "gradient", "track": "printed"})
    with pytest.raises(ValueError, match="known: bim"):
        resolve({"method": "pdg"})
    with pytest.raises(ValueError, match="no setting stepsize"):
        resolve({"method": "pgd", "stepsize": "1/255"})
    with pytest.raises(ValueError, match="criterion"):
        run_bundle(network(), data, {"own": PLANS["own_loss"]}, run_name="x", seed=0)
    for name, entry in catalogue.catalogue("attacks").items():
        assert callable(entry.load()), name
        assert entry.about["track"] in ("printed", "honest"), name
        assert all("description" in spec and "default" in spec for spec in entry.parameters.values())


def test_budgets_as_printed():
    assert parse("8/255") == 8 / 255
    assert parse("0.007") == 0.007
    assert parse(0.3) == 0.3
    assert parse("0") == 0
    for wrong in ("8/0", "-1/255", "eight", "", "nan", "inf", None, True, [1], float("inf")):
        with pytest.raises(ValueError, match=r"neither a fraction|at least 0"):
            parse(wrong)  # type: ignore[arg-type]
    assert parse_list("8/255") == (["8/255"], [8 / 255])
    assert parse_list(["0.1", "1/4"]) == (["0.1", "1/4"], [0.1, 0.25])
    for empty_or_double in ([], ["0.1", "1/10"]):
        with pytest.raises(ValueError, match="each only once"):
            parse_list(empty_or_double)
    assert step_size(None, 0.001, 40) == 1 / 255
    assert step_size(None, 0.32, 40) == 0.02
    assert step_size("2/255", 0.3, 40) == 2 / 255
    assert [step_size("epsilon/10", epsilon, 40) for epsilon in (0.005, 0.3)] == [0.0005, 0.03]
    assert step_size("epsilon/2.5", 0.5, 40) == 0.2
    for wrong in ("epsilon/0", "epsilon/0.5", "epsilon/", "epsilon/epsilon/2", "2 epsilon"):
        with pytest.raises(ValueError, match=re.escape(wrong) + "|neither a fraction"):
            step_size(wrong, 0.3, 40)


def test_wilson_interval():
    assert wilson(0.5, 20) == pytest.approx((29.93, 70.07), abs=0.01)
    assert wilson(0.0, 64) == pytest.approx((0, 5.66), abs=0.01)
    assert wilson(1.0, 64)[1] == 100
    with pytest.raises(ValueError, match="no share"):
        wilson(0.0, 0)


def test_chosen_images_are_stratified_sorted_and_seeded():
    labels = np.repeat([0, 1, 2, 3], [400, 300, 200, 100])
    chosen = choose_images(labels, 50, "digits", "test")
    assert len(set(chosen)) == 50
    assert (np.diff(chosen) > 0).all()
    assert np.abs(np.bincount(labels[chosen]) - [20, 15, 10, 5]).max() <= 1
    assert np.array_equal(chosen, choose_images(labels, 50, "digits", "test"))
    assert not np.array_equal(chosen, choose_images(labels, 50, "digits", "train"))
    assert np.array_equal(choose_images(labels, None), np.arange(1000))
    assert len(choose_images(labels, 2000)) == 1000
    with pytest.raises(ValueError, match="cannot attack 0"):
        choose_images(labels, 0)


class Decoy(nn.Module):
    """The likeliest rival of class 0 can hardly be raised; another one, at first far off, can."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        raised, decoy = images.flatten(1)[:, :2].T
        own = torch.full_like(raised, 0.5)
        return torch.stack([own, 0.45 + 0.01 * decoy, raised], 1)


def test_every_target_finds_what_an_untargeted_margin_misses():
    images = torch.full((4, 1, 1, 2), 0.2)
    told = {"norm": "linf", "epsilons": [0.1, 0.4], "step_sizes": [0.05, 0.1], "seed": 0, "steps": 10}
    told |= {"random_start": False}
    labels = torch.tensor([0, 0, 0, 1])  # the last is wrong from the start
    found = {
        aim: worst_case.sweep(Decoy(), images, labels, losses=["margin"], targeted=aim, **told)
        for aim in ("none", "every")
    }
    fooled = {aim: Decoy()(one.images.flatten(0, 1)).argmax(1).view(2, 4) != labels for aim, one in found.items()}
    assert fooled["none"].tolist() == [[False] * 3 + [True]] * 2
    assert fooled["every"].tolist() == [[False] * 3 + [True], [True] * 4]
    moved = (found["every"].images - images).abs().amax((2, 3, 4))
    assert (moved <= torch.tensor([[0.1], [0.4]]) + 1e-6).all()


def test_every_target_costs_as_many_runs_as_there_are_wrong_classes():
    plan = {"method": "gradient", "steps": 5, "losses": ["margin"], "epsilon": ["0.1"]}
    one, every = (cost.passes(plan | {"targeted": aim}, classes=7)[0] for aim in ("none", "every"))
    assert every == 6 * one == 30
