"""Which files a configuration is merged from: editions, what they extend, config.yaml, overlays, ``--config``."""

from __future__ import annotations

import re

import pytest

from editions import BASE, ROOT, edition, load
from lossproof.settings import layers
from lossproof.settings.faults import SettingsError
from lossproof.settings.layers import merge
from lossproof.settings.resolved import run_settings

NAMES = sorted(path.stem for path in (ROOT / "editions").glob("*.yaml"))


@pytest.fixture
def own(tmp_path):
    def write(text, name="own.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def fault_of(*overlays, **more) -> str:
    with pytest.raises(SettingsError) as caught:
        load(*overlays, **more)
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_an_editions_file_and_its_name_mean_the_same(name):
    assert load(edition(name)) == load(cli={"edition": name})
    assert load(edition(name))["edition"] == name


def test_an_overlay_that_names_no_edition_stays_in_the_embedded_one(own):
    overlay = own("training: {batch_size: 32}\n")
    embedded = load()
    assert load(overlay) == embedded | {"training": embedded["training"] | {"batch_size": 32}}
    assert embedded["edition"] == "embedded"


@pytest.mark.parametrize(
    ("text", "given", "images"),
    [
        ("edition: mine\n", (), 16),
        ("edition: mine\nextends: paper\n", (), 10000),
        ("edition: mine\nextends: test\n", (), 10),
        ("edition: mine\n", ("paper",), 10000),
        ("edition: mine\n", ("mnist_cpu",), 1000),
    ],
)
def test_a_new_edition_extends_the_embedded_one_or_what_it_says(own, text, given, images):
    config = load(*map(edition, given), own(text))
    assert (config["edition"], config["attack_images"]["test"]) == ("mine", images)
    assert "extends" not in config


def test_each_layer_wins_over_those_below(own):
    base = own(BASE.read_text() + "\nattack_images: {test: 20}\n", "config.yaml")
    assert load(edition("paper"), base=base)["attack_images"] == {"train": 10000, "test": 20}
    overlay = own("attack_images: {test: 30}\n")
    assert load(overlay, edition("paper"), base=base)["attack_images"]["test"] == 30
    assert load(overlay, cli={"attack_images": {"test": "40"}})["attack_images"]["test"] == 40


def test_a_mapping_with_a_default_is_taken_as_a_whole():
    low = {"epochs": {"default": 5, "mnist": 9}}
    assert merge(low, {"epochs": {"mnist": 2}}) == {"epochs": {"default": 5, "mnist": 2}}
    assert merge(low, {"epochs": {"default": 2}}) == {"epochs": {"default": 2}}
    assert merge(low, {"epochs": 3}) == {"epochs": 3}
    assert low == {"epochs": {"default": 5, "mnist": 9}}


def test_a_key_that_says_inherit_has_the_value_below_it():
    back = dict.fromkeys(("schedule", "milestones", "factor", "epochs"), "inherit")
    cli = {"trainings": {"ce_isce": back}, "attacks": {"cw_100": {"images": "inherit"}}}
    config = load(edition("paper"), cli=cli)
    run = run_settings(config, "cifar10", "lenet5", "ce_isce")
    assert (run["optimiser"]["schedule"], run["epochs"]) == ("constant", 200)
    assert run_settings(config, "mnist", "lenet5", "ce_isce")["epochs"] == 50
    assert "images" not in config["attacks"]["cw_100"]


@pytest.mark.parametrize(
    ("text", "given", "says"),
    [
        ("edition: papr\n", (), "own.yaml: edition: no file of 'papr' in editions/; did you mean 'paper'?"),
        ("edition: mine\nextends: papers\n", (), "own.yaml: extends: unknown edition 'papers'; allowed: .*'paper'"),
        ("extends: paper\n", (), "own.yaml: extends: found 'paper' with edition 'embedded', which has a file; .*mine"),
        ("device: cpu\n", ("paper", "test"), "editions/paper.yaml: edition: not part of edition 'test'; expected one"),
    ],
)
def test_editions_that_do_not_fit_are_refused(own, text, given, says):
    assert re.search(says, fault_of(*map(edition, given), own(text)))


def test_a_faulty_value_is_blamed_on_its_layer(own):
    changed = own("trainings: {ce_isce: {epochs: {default: 10}}}\n")
    says = f"{changed}: trainings.ce_isce.epochs: found milestones [100, 150] with 10 epochs (cifar10)"
    assert fault_of(edition("paper"), changed).startswith(says)
    base = own("edition: embedded\nseeds: 0\n", "config.yaml")
    assert fault_of(base=base).startswith(f"{base}: seeds: found 0")
    assert fault_of(base=base, cli={"seeds": 101}).startswith("--config: seeds: found 101")


def test_an_edition_is_named_like_its_file(tmp_path):
    (tmp_path / "editions").mkdir()
    (tmp_path / "editions/mine.yaml").write_text("edition: paper\n")
    base = tmp_path / "config.yaml"
    base.write_text("edition: mine\n")
    with pytest.raises(SettingsError, match=r"mine\.yaml: edition: found 'paper'; expected 'mine'"):
        layers.read_layers(tmp_path)
    (tmp_path / "editions/mine.yaml").write_text("edition: mine\nextends: mine\n")
    with pytest.raises(SettingsError, match="'mine' extends itself"):
        layers.read_layers(tmp_path)


def test_a_renamed_key_is_refused_with_its_new_name(own, monkeypatch):
    monkeypatch.setattr(layers, "RENAMED", {"trainings.*.base": "trainings.*.twin", "images": "attack_images.test"})
    overlay = own("trainings: {focal: {base: ce}}\n")
    says = "trainings.focal.base: this key has another name now; write trainings.focal.twin"
    assert fault_of(overlay) == f"{overlay}: {says}"
    assert fault_of(cli={"images": 3}) == "--config: images: this key has another name now; write attack_images.test"
