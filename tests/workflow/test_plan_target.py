"""The target `plan`: its counts against the workflow's own files, and what it tells."""

from __future__ import annotations

import re

import pytest
import yaml
from checkout import new_checkout

from editions import edition, load, plan
from lossproof.catalogue import catalogue
from lossproof.datasets.extent import extent_of
from lossproof.paths import Run
from lossproof.planning.cost import cost_of
from lossproof.planning.forecast import Forecast, Work
from lossproof.planning.plan_text import plan_text, size

# The whole paper edition, with digits in the place of every data set.
EVERY = {
    "stand_ins": {
        **dict.fromkeys(("mnist", "fashion_mnist"), "digits_gray"),
        **dict.fromkeys(("cifar10", "cinic10", "clothing1m", "voc2007"), "digits_colour"),
    }
}

# The first paper alone: its work does not hang on what others ask for.
FIRST = {"papers": ["sp"]}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A checkout in which nothing was ever made."""
    checkout = new_checkout(tmp_path_factory.mktemp("plan") / "lossproof")
    (checkout.folder / "editions/every.yaml").write_text(yaml.dump(EVERY))
    return checkout


@pytest.mark.parametrize("name", ["embedded", "paper"])
def test_the_counts_are_those_of_the_workflow(empty, name):
    if name == "paper":
        options, made = ("--configfile=editions/paper.yaml",), plan(edition("paper"))
    else:
        options, made = (), plan()
    found = [file.path.removeprefix(f"results/{name}/") for file in empty.files("all", *options)]
    work = Forecast(made, empty.folder).whole
    folders = {"models": "record.json", "attacks": ".json", "toys": "record.json", "landscapes": ".npz"}
    counts = {
        folder: sum(path.startswith(f"{folder}/") and path.endswith(end) for path in found)
        for folder, end in folders.items()
    }
    assert counts == {
        "models": len(work.models),
        "attacks": len(work.records),
        "toys": len(work.toys) // made.config["toys"]["seeds"],
        "landscapes": len(work.landscapes),
    }
    assert {f"models/{model.run}/seed{model.seed}/record.json" for model in work.models} <= set(found)


def test_the_target_prints_the_whole_edition_and_makes_nothing(empty):
    done = empty.snakemake(
        "plan", "--cores=1", "--configfile", "editions/paper.yaml", "editions/every.yaml", timeout=60
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = done.stdout
    assert not list(empty.folder.glob("results/*/*"))
    assert not (empty.folder / "logs").exists()
    rows = dict(re.findall(r"^(sp/\w+|total, shared once) +(\S.*)$", said, re.MULTILINE))
    # Table 2 has four networks and two trainings with three seeds; ResNet-18 serves two more exhibits.
    assert rows["sp/table_2"].startswith("24 (24)")
    assert rows["sp/fig_1"].split()[:5] == ["-", "-", "-", "-", "60"]
    assert "digits_colour / resnet18, 200 epochs: ce*, center_sp, focal, lgm_sp, mmc_sp, sp_focal*" in said
    assert "assumes 20 TFLOP/s effective on one GPU" in said
    assert "one core at 100 GFLOP/s effective" in said
    assert "SNAKEMAKE" not in said
    assert "Nothing has been run" in said


def test_shared_work_counts_once():
    forecast = Forecast(plan(cli=FIRST))
    amounts = {name: forecast.amount(work) for name, work in forecast.work.items()}
    total = forecast.amount(forecast.whole)
    assert total.models == 45 == 3 * len(plan(cli=FIRST).runs)
    assert sum(amount.models for amount in amounts.values()) > total.models
    # Tables 5 and 6 are the same work here; fig_7 shares none.
    assert amounts["sp/table_5"] == amounts["sp/table_6"]
    assert amounts["sp/table_5"].shared == amounts["sp/table_5"].models
    assert amounts["sp/fig_7"].shared == 0
    union = forecast.work["sp/table_5"] | forecast.work["sp/table_6"]
    assert union == forecast.work["sp/table_5"]
    # Adding fig_7, which shares nothing, adds its own work exactly.
    both = forecast.amount(union | forecast.work["sp/fig_7"])
    apart = amounts["sp/table_5"].training_flop + amounts["sp/fig_7"].training_flop
    assert both.training_flop == pytest.approx(apart)
    assert forecast.amount(Work()).disk == 0


def test_a_training_and_an_attack_by_hand():
    made = plan(edition("paper"))
    forecast = Forecast(made)
    cost = cost_of("resnet18", {"width": 1.0, "stem": "imagenet"}, channels=1, image_size=28, classes=10)
    work = forecast.work["sp/fig_5"]
    one = min(model for model in work.models if model.run == Run("mnist", "resnet18", "ce"))
    trained = forecast.amount(Work(models=frozenset([one])))
    assert trained.training_passes == 60000 * 50
    # Three passes per trained image, one per evaluated image: 10,000 each epoch, 70,000 at the end and 10,000 again.
    assert trained.training_flop == pytest.approx(2 * cost.macs * (3 * 60000 * 50 + 10000 * 50 + 70000))
    record = next(each for each in work.records if each.model == one and each.split == "train")
    attacked = forecast.amount(Work(records=frozenset([record])))
    radii = len(made.config["attacks"]["pgd_sweep"]["epsilon"])
    assert attacked.attack_passes == 10000 * 40 * radii
    assert attacked.training_flop == 0
    # 4 bytes per weight are most of a model, and of the resume point that lies beside it until the run ends.
    assert 1.0 < trained.disk / (2 * 4 * cost.parameters + 70000 * (28 * 28 + 8)) < 1.1


def test_held_out_images_are_not_trained_on():
    passes = {}
    for selection in ("last", "held_out"):
        forecast = Forecast(plan(cli={"training": {"selection": selection, "held_out_share": 0.25}} | FIRST))
        passes[selection] = forecast.amount(forecast.whole).training_passes
    assert passes["held_out"] == pytest.approx(0.75 * passes["last"])


def test_a_surface_asks_for_the_first_seed_only_where_seeds_have_jobs_of_their_own():
    for jobs, seeds in (("one", {0}), ("all", {0, 1, 2})):
        work = Forecast(plan(cli={"seeds_per_job": jobs})).work["sp/fig_4"]
        assert {model.seed for model in work.models} == seeds
        assert len(work.landscapes) == 4


def test_rates_change_hours_only():
    slow, fast = (Forecast(plan(cli={"plan": {"gpu_tflops": speed}})) for speed in (1e-6, 2e-6))
    assert slow.amount(slow.whole) == fast.amount(fast.whole)
    texts = [plan_text(forecast).split("total, shared once", 1)[1].split("\n")[0].split() for forecast in (slow, fast)]
    assert float(texts[0][-5].replace(",", "")) == pytest.approx(2 * float(texts[1][-5].replace(",", "")), rel=0.02)


def test_what_is_not_known_is_said_and_not_summed(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # no prepared card lies there
    about = catalogue("datasets")["digits"].about
    whole = Forecast(plan(cli=FIRST))
    expected = whole.amount(whole.whole)
    monkeypatch.delitem(about, "extent")
    forecast = Forecast(plan(cli=FIRST))
    found = forecast.amount(forecast.whole)
    assert found.models == expected.models
    assert found.training_flop == 0
    assert found.uncounted == {"number of images of digits_gray", "number of images of digits_colour"}
    assert "NOT in the sums" in plan_text(forecast)
    assert "NOT in the sums" not in plan_text(whole)


def test_the_extent_of_the_digits_is_theirs(tmp_path):
    from lossproof.datasets.sets.digits import CATALOGUE

    settings = load()["datasets"]["digits_colour"]
    extent = extent_of(settings, tmp_path / "card.json")
    assert (extent.train, extent.test, extent.channels, extent.image_size) == (1437, 360, 3, 32)
    assert extent.download == 0
    assert not extent.by_hand
    assert CATALOGUE["digits"]["extent"]["total"] == 1797
    # A prepared data set's card is the last word.
    (tmp_path / "card.json").write_text(
        '{"channels": 3, "image_size": 40, "classes": ["a"], "sizes": {"train": 5, "test": 6}}'
    )
    found = extent_of(settings, tmp_path / "card.json")
    assert (found.train, found.test, found.image_size, found.classes) == (5, 6, 40, 1)


def test_downloads_are_added_up_and_hand_placed_sets_named(monkeypatch, tmp_path):
    about = catalogue("datasets")["mnist"].about
    settings = {"source": "mnist"}
    monkeypatch.setitem(about, "files", [{"name": "a", "bytes": 3}, {"name": "b", "bytes": 4}])
    assert extent_of(settings, tmp_path / "no").download == 7
    assert extent_of(settings, tmp_path / "no").prepared == 70000 * (28 * 28 + 8)
    monkeypatch.setitem(about, "form", "encoded")
    assert extent_of(settings, tmp_path / "no").prepared == 7
    monkeypatch.setitem(about, "files", [{"name": "a", "bytes": 3}, {"name": "b"}])
    assert extent_of(settings, tmp_path / "no").download is None
    assert "size of the download not known" in plan_text(Forecast(plan(edition("paper"))))
    monkeypatch.setitem(about, "by_hand", {"folder": "mnist", "files": [], "how": ""})
    assert "by hand" in plan_text(Forecast(plan(edition("paper"))))


def test_sizes_in_words():
    assert [size(number) for number in (0, 999, 1500, 2.5e6, 1.2e9, 3e12)] == [
        *("0 B", "999 B", "1.5 kB", "2.5 MB", "1.2 GB", "3 TB")
    ]
