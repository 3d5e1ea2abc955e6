"""What jobs ask a cluster for."""

from __future__ import annotations

import re

import pytest

from editions import ROOT, edition, plan
from lossproof.paths import Run
from lossproof.planning.forecast import Forecast, Model, Record, Work
from lossproof.planning.resources import data_memory, network_runtime, small_memory, small_runtime


@pytest.fixture(scope="module")
def paper():
    return Forecast(plan(edition("paper")))


def trained(training, arch="resnet18", dataset="cifar10"):
    return Work(models=frozenset({Model(Run(dataset, arch, training), 0)}))


def test_each_attempt_asks_for_more(paper):
    work = trained("ce")
    for ask in (
        small_memory,
        small_runtime,
        lambda attempt: data_memory(paper, "cifar10", attempt),
        lambda attempt: network_runtime(paper, work, True, attempt),
    ):
        asked = [ask(attempt) for attempt in (1, 2, 3)]
        assert asked == sorted(set(asked))
        assert all(isinstance(value, int) for value in asked)


def test_memory_grows_with_the_data_that_is_held(paper):
    asked = {name: data_memory(paper, name, 1) for name in ("mnist", "cifar10", "cinic10", "tiny_imagenet")}
    assert list(asked.values()) == sorted(asked.values())
    held = {name: paper.extents[name].prepared / 1e6 for name in asked}
    assert all(asked[name] - asked["mnist"] >= 3 * (held[name] - held["mnist"]) for name in asked)
    # Pictures that stay files are never in memory as a whole.
    assert data_memory(paper, "voc2007", 1) <= asked["mnist"]


def test_data_of_unknown_size_get_plenty(tmp_path):
    mine = {"source": "folder", "path": str(tmp_path), "image_size": 32, "channels": 3}
    here = Forecast(plan(edition("paper"), cli={"datasets": {"mine": mine}, "stand_ins": {"cifar10": "mine"}}))
    assert here.extents["mine"] is None
    assert data_memory(here, "mine", 1) > data_memory(here, "tiny_imagenet", 1)
    assert network_runtime(here, trained("ce", dataset="mine"), True, 1) > 24 * 60


def test_time_grows_with_the_work(paper):
    def minutes(work, gpu=True):
        return network_runtime(paper, work, gpu, 1)

    run = Run("cifar10", "resnet18", "ce")
    short, long = (
        Work(records=frozenset({Record(Model(run, 0), "test", attack)})) for attack in ("fgsm", "worst_case")
    )
    assert minutes(short) < minutes(long)
    assert minutes(trained("ce_pc", "lenet5", "mnist")) < minutes(trained("ce")) < minutes(trained("ce"), gpu=False)
    assert minutes(Work()) == 30
    # Six times what the plan says, beside the half hour.
    hours = paper.amount(trained("ce")).training_flop / (paper.plan.config["plan"]["gpu_tflops"] * 1e12) / 3600
    assert minutes(trained("ce")) == pytest.approx(30 + 6 * 60 * hours, abs=1)


def test_a_file_that_no_exhibit_needs_can_be_asked_for(paper):
    """Any network, and any data set of the configuration, may be named by its path."""
    run = Run("kmnist", "mlp2", "focal")
    assert run not in paper.plan.runs
    assert network_runtime(paper, Work(models=frozenset({Model(run, 0)})), True, 1) > 30
    unused = sorted(set(paper.plan.config["datasets"]) - {used.dataset for used in paper.plan.runs})
    assert unused
    assert all(data_memory(paper, name, 1) >= 3000 for name in unused)


def test_a_jobs_work_is_counted_as_the_plan_counts_it(paper):
    for work in (trained("ce"), trained("pc", "vgg13")):
        amount = paper.amount(work)
        assert paper.flop(work) == amount.training_flop + amount.attack_flop > 0


def rules():
    """The text of every rule that is submitted, by where it stands."""
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        blocks = re.split(r"^ *rule\b.*:$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for number, block in enumerate(blocks[1:], start=1):
            if "shell:" in block and "localrule: True" not in block:
                yield f"{path.name} {number}", block


@pytest.mark.parametrize(("where", "block"), list(rules()), ids=lambda value: value if len(value) < 30 else "")
def test_every_job_asks_for_memory_and_time(where, block):
    assert re.search(r"mem_mb=\w+_memory,", block), where
    assert re.search(r"runtime=\w+_runtime\b", block), where
    # What computes on the device, and nothing else, asks for a GPU.
    assert ("gpu=gpus," in block) == ("device_python {resources.gpu} " in block) == ("network_runtime(" in block), where


def test_the_rules_are_found():
    assert len(list(rules())) >= 18
