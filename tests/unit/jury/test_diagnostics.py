"""The diagnostics on networks whose gradients are masked by construction, and on networks whose are not."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import planted
import pytest
import torch
from planted import QUICK, digits, trained
from torch import nn

from lossproof.attacks.seeded import seeded
from lossproof.jury.bench import Bench
from lossproof.jury.diagnose import diagnose, entries, settings_of
from lossproof.jury.finding import Finding, flag
from lossproof.jury.subject import Subject

EPSILON = "0.15"
IDS = [f"D{number}" for number in range(1, 21)]


def subject(model: nn.Module, twin: nn.Module | None = None, count: int = 60, **more: Any) -> Subject:
    _, _, images, labels = digits()
    given = {"norm": "linf", "epsilon": EPSILON, "epsilon_value": float(more.get("epsilon", EPSILON)), **more}
    return Subject(model, images[:count], labels[:count], twin=twin, names=("test",), **given)


@cache
def record(name: str) -> dict[str, Any]:
    """What is found of a network: plainly or adversarially trained, or the first with its logits times 100."""
    model, twin = {
        "plain": (trained(), trained(seed=1)),
        "adversarial": (trained("0.15"), trained()),
        "x100": (planted.Scaled(trained()), trained()),
    }[name]
    return diagnose(subject(model, twin, criterion=nn.CrossEntropyLoss(reduction="none")), QUICK)


def raised(found: dict[str, Any], of: str) -> set[str]:
    rows = found["diagnostics"].values()
    return {row["id"] for row in rows if row["flag"] == "raised" and row["of"] == of}


def one(name: str, bench: Bench, **parameters: Any) -> tuple[Finding, str]:
    """A single diagnostic: what it finds, and its flag."""
    entry = next(entry for entry in entries() if entry.name == name)
    with seeded(torch.device("cpu"), name):
        found = entry.load()(bench, **{**settings_of(QUICK)[name], **parameters})
    return found, flag(found, entry.about["threshold"], entry.about["flag"])


@pytest.mark.parametrize("name", ["plain", "adversarial"])
def test_an_honest_network_raises_no_flag(name):
    found = record(name)
    assert found["clean_accuracy"] > 85 and found["n_images"] > 50
    rows = {row["id"]: row for row in found["diagnostics"].values()}
    assert raised(found, "model") == set() and raised(found, "attack") == set()
    # It is not that nothing was looked at.
    assert all(rows[key]["flag"] in ("clear", "undecided") for key in IDS)
    assert 0 < rows["D3"]["curves"]["pgd"] < 70
    assert rows["D5"]["curves"]["accuracy"][0] > 80 and rows["D5"]["curves"]["accuracy"][-1] == 0
    assert rows["D16"]["curves"]["accuracy"] > rows["D17"]["curves"]["accuracy"] > 0


def test_adversarial_training_shows_as_a_gain_and_not_as_a_flag():
    plain, robust = (record(name)["diagnostics"]["one_step"]["curves"]["pgd"] for name in ("plain", "adversarial"))
    assert robust > plain + 15


def test_large_logits_raise_what_they_must():
    found = record("x100")
    assert raised(found, "model") >= {"D1", "D2", "D11", "D13", "D18"}
    rows = found["diagnostics"]
    accuracy = dict(zip(rows["logit_scale"]["curves"]["scale"], rows["logit_scale"]["curves"]["accuracy"], strict=True))
    plain = record("plain")["diagnostics"]["logit_scale"]["curves"]["accuracy"]
    # Its own scale seems robust; divided by 100 it is the network that it was made from, whatever the flag says.
    assert accuracy[1] > 80 and accuracy[0.01] == plain[2] < 50
    assert rows["simba"]["value"] < 0.2 and rows["gradient_size"]["curves"]["gaps_above_104"] > 90
    # The margin has no scale, so that the worst case is not weakened.
    assert rows["black_box"]["flag"] == "clear"
    assert "fgsm" in rows["unmoved"]["says"] and rows["unmoved"]["flag"] == "raised"


MASKED = {
    "rounded": (lambda net: planted.Rounded(net), ["zero_gradients", "gradient_size", "black_box", "noise"]),
    "reversed": (lambda net: planted.Reversed(net), ["black_box", "twin_transfer", "noise", "spsa", "loss_swap"]),
    "islands": (lambda net: planted.Islands(net, 0.0), ["one_step", "noise", "spsa"]),
    "wide islands": (lambda net: planted.Islands(net, 0.1), ["monotone"]),
    "rippled": (lambda net: planted.Rippled(net), ["unstable"]),
    "decoy": (lambda net: planted.Decoy(net), ["loss_swap", "black_box", "gradient_size"]),
    "constant": (lambda net: planted.Constant(net), ["unbounded", "zero_gradients"]),
    "noisy": (lambda net: planted.Noisy(net), ["outputs"]),
    "probable": (lambda net: planted.Probable(net), ["outputs"]),
}


@pytest.mark.parametrize("name", MASKED)
def test_a_masked_network_is_flagged(name):
    plant, expected = MASKED[name]
    bench = Bench(subject(plant(trained()), trained(), draws=2))
    for diagnostic in expected:
        found, outcome = one(diagnostic, bench)
        assert outcome == "raised", (diagnostic, found.says, found.p)


def test_what_is_said_of_a_network_that_draws():
    bench = Bench(subject(planted.Noisy(trained()), trained(), count=30, draws=2))
    assert bench.drawn and not Bench(subject(trained(), count=30)).drawn
    for name in ("silent_success", "unstable", "simba", "minimal_norm"):
        found, outcome = one(name, bench)
        assert outcome == "not judged" and "draws at each pass" in found.says
    # One pass is not the average of two: some points that fool this are right in that.
    for name in ("one_step", "monotone", "logit_scale", "noise"):
        one(name, bench)
    found, outcome = one("transfer_failure", bench)
    assert outcome == "raised" and found.value is not None and 0 < found.value < 60


def test_spsa_that_did_not_move_clears_nothing():
    # It asks 0.01 beside the image, and rounding does not see it.
    found, outcome = one("spsa", Bench(subject(planted.Rounded(trained()), count=20)))
    assert outcome == "not judged" and found.curves["reached"] < 0.14
    found, outcome = one("spsa", Bench(subject(trained(), count=20)))
    assert outcome == "clear" and found.curves["reached"] == pytest.approx(0.15, abs=1e-3)


def test_no_twin_no_comparison():
    bench = Bench(subject(trained(), count=20))
    for name in ("unstable", "twin_transfer"):
        found, outcome = one(name, bench)
        assert outcome == "not judged" and "twin" in found.says and found.value is None


def test_an_attack_that_does_not_optimise_is_flagged():
    band = Bench(Subject(planted.Band(), torch.full((20, 1, 8, 8), 0.5), torch.zeros(20).long(), "linf", "0.1", 0.1))
    found, outcome = one("silent_success", band, steps=4)
    assert outcome == "raised" and found.value == 100 and "20 of 20 images at some iterate, 0 at the last" in found.says
    assert one("silent_success", band, steps=3)[1] == "clear"
    robust = Bench(subject(trained("0.15")))
    assert one("unfinished", robust, steps=4, last=5)[1] == "raised"
    assert one("unfinished", robust, steps=40, last=5)[1] == "clear"
    many = Bench(subject(trained("0.15"), count=200, epsilon="0.25"))
    short, outcome = one("effort", many, steps=[1, 40], restarts=[1, 2])
    assert outcome == "raised" and short.curves["steps_accuracy"][0] > short.curves["steps_accuracy"][1] + 5
    assert one("minimal_norm", robust, first_constant=1e-9)[1] == "raised"
    found, outcome = one("unmoved", robust)
    assert outcome == "raised" and "c&w 10" in found.says


def test_the_record_is_as_its_readers_expect():
    found = record("plain")
    assert found["norm"] == "linf" and (found["epsilon"], found["epsilon_value"]) == ("0.15", 0.15)
    assert [row["id"] for row in found["diagnostics"].values()] == [*IDS, ""]
    keys = {"id", "title", "of", "value", "unit", "threshold", "flag", "p", "n_images", "says", "source", "curves"}
    for row in found["diagnostics"].values():
        assert set(row) == keys and row["of"] in ("model", "attack") and row["says"] and row["source"]
        assert row["flag"] in ("raised", "clear", "undecided", "not judged")
        assert (row["value"] is None) <= (row["flag"] == "not judged")
    json.dumps(found, allow_nan=False)
    curves = {name: row["curves"] for name, row in found["diagnostics"].items()}
    assert len(curves["monotone"]["epsilon"]) == len(curves["monotone"]["accuracy"]) == 8
    assert curves["logit_scale"]["scale"] == [0.01, 0.1, 1, 10, 100] and "float64" in curves["logit_scale"]
    assert curves["loss_swap"]["loss"] == ["ce", "margin", "dlr", "targeted dlr", "own"]
    assert set(curves["effort"]) == {"steps", "steps_accuracy", "restarts", "restarts_accuracy"}
    assert {
        row["of"] for row in found["diagnostics"].values() if row["id"] in ("D6", "D7", "D10", "D15", "D19", "D20")
    } == {"attack"}
    surface = found["diagnostics"]["surface"]
    assert surface["flag"] == "not judged" and len(surface["curves"]["gap"]) == len(surface["curves"]["along"]) == 5


def test_equal_runs_find_equal_numbers_whatever_was_drawn_before():
    quick = {name: {**plan, "images": 10} if "images" in plan else plan for name, plan in QUICK.items()}
    model = planted.Noisy(trained())
    runs = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        runs.append(diagnose(subject(copy.deepcopy(model), trained(), count=12, draws=2), quick))
        assert torch.equal(torch.get_rng_state(), before)
    assert runs[0] == runs[1]
    other = subject(trained(), trained(seed=1), count=12)
    assert diagnose(other, quick) != runs[0]


def test_an_l2_ball_is_judged_too():
    found = diagnose(subject(trained(), trained(seed=1), norm="l2", epsilon="0.8", epsilon_value=0.8), QUICK)
    assert raised(found, "model") == set()
    assert 0 < found["diagnostics"]["one_step"]["curves"]["pgd"] < 90
    scaled = Bench(subject(planted.Scaled(trained()), trained(), norm="l2", epsilon="0.8", epsilon_value=0.8))
    for name in ("zero_gradients", "gradient_size", "logit_scale"):
        assert one(name, scaled)[1] == "raised"
    assert one("black_box", Bench(subject(planted.Rounded(trained()), norm="l2", epsilon="2", epsilon_value=2.0)))[
        1
    ] == ("raised")


def test_too_few_right_images_leave_nothing_to_judge():
    _, _, images, labels = digits()
    wrong = (labels[:10] + 1) % 10
    wrong[0] = labels[0]
    found = diagnose(Subject(trained(), images[:10], wrong, "linf", "0.1", 0.1), QUICK)
    assert found["n_images"] == 1 and found["clean_accuracy"] == 10
    assert {row["flag"] for row in found["diagnostics"].values()} == {"not judged"}
    assert "1 of 10 images" in found["diagnostics"]["noise"]["says"]


def test_settings_that_nobody_has_are_refused():
    with pytest.raises(ValueError, match="diagnostics: found 'nose'; allowed: zero_gradients, "):
        settings_of({"nose": {}})
    with pytest.raises(ValueError, match=r"diagnostics\.noise: found 'draw'; allowed: draws, steps"):
        settings_of({"noise": {"draw": 1}})
    full = settings_of({"noise": {"draws": 3}})
    assert full["noise"] == {"draws": 3, "steps": 40} and full["spsa"]["samples"] == 2048
    assert (full["black_box"]["queries"], full["effort"]["restarts"]) == (5000, [1, 5, 20])
