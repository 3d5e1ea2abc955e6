"""The jury's settings in the shipped editions: could each flag be raised, and is a random defence attacked as one?"""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from editions import edition, load
from lossproof.jury.diagnose import settings_of
from lossproof.jury.finding import ALPHA, sign_test

EDITIONS = {
    "embedded": (),
    "paper": (edition("paper"),),
    "mnist_jury_cpu": (edition("paper"), edition("mnist_jury_cpu")),
}


@pytest.mark.parametrize("overlays", EDITIONS.values(), ids=EDITIONS)
def test_enough_images_for_every_exact_test(overlays: tuple[Path, ...]):
    """Where all images agree, an exact test must be able to say so: with four of them its p is 1/16."""
    config = load(*overlays)
    judged = config["jury"]["images"] or inf
    counts = {"all": judged} | {
        name: min(settings["images"] or inf, judged)
        for name, settings in settings_of(config["diagnostics"]).items()
        if "images" in settings
    }
    assert set(counts) == {"all", "minimal_norm", "simba", "spsa", "surface"}
    assert all(count == inf or sign_test(count, 0) < ALPHA for count in counts.values()), counts


@pytest.mark.parametrize("overlays", EDITIONS.values(), ids=EDITIONS)
def test_the_strongest_attack_sees_more_than_one_draw(overlays: tuple[Path, ...]):
    attacks = load(*overlays)["attacks"]
    assert all(attacks[name]["draws"] >= 3 for name in ("jury_linf", "jury_l2"))
