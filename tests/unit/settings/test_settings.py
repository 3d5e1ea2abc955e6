"""Every fault in the settings stops with one line: file, key, what was found, what is allowed."""

from __future__ import annotations

import copy
import re

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import encoded_set
from image_files import run_settings as tiny_settings

from editions import BASE, EXHIBITS, SCHEMA, edition, load
from lossproof import devices
from lossproof.catalogue import catalogue
from lossproof.models.backbone import STEMS
from lossproof.models.cifar_resnet import BLOCKS
from lossproof.paths import Paths, Run
from lossproof.planning.declare import load_exhibits
from lossproof.settings.check import read_yaml
from lossproof.settings.faults import SettingsError
from lossproof.settings.resolved import SELECTIONS, TAKEN_BY, recipe_settings, run_settings, toy_settings
from lossproof.training.augmentation import AUGMENTATIONS
from lossproof.training.loop import fit
from lossproof.training.optimiser import OPTIMISERS, SCHEDULES, learning_rate
from lossproof.training.precision import PRECISIONS

EMBEDDED = load()


def put(tree, path, value):
    *parents, last = path.split(".")
    for part in parents:
        tree = tree[part]
    tree[last] = value


def nested(path, value):
    for part in reversed(path.split(".")):
        value = {part: value}
    return value


def fault_of(*args, **more) -> str:
    with pytest.raises(SettingsError) as caught:
        load(*args, **more)
    text = str(caught.value)
    assert "\n" not in text
    return text


# key path in an overlay, faulty value -> what the line says after the file's name
FAULTS = [
    ("speed", 3, "speed: unknown key 'speed'; allowed: .*"),
    ("seed", 3, "seed: unknown key 'seed'; .*did you mean 'seeds'"),
    ("training.batchsize", 64, "training.batchsize: unknown key 'batchsize'; .*did you mean 'batch_size'"),
    ("training.batch_size", "many", "training.batch_size: found 'many'; expected integer"),
    ("training.batch_size", 1, "training.batch_size: found 1; allowed: >= 2"),
    ("training.betas", [0.9, 1.0], "training.betas.1: found 1.0; allowed: >= 0 and < 1"),
    ("training.schedule", "cosin", "training.schedule: found 'cosin'; .*did you mean 'cosine'"),
    ("training.schedule", "milestones", "training.schedule: found schedule 'milestones' without epochs; .*"),
    (
        "training.milestones",
        [50, 100],
        r"training.milestones: found \[50, 100\] with schedule 'constant'; it belongs .*",
    ),
    (
        "trainings.new",
        {"criterion": "ce", "schedule": "milestones", "milestones": {"mnist": [5]}},
        "trainings.new.milestones: key 'default' is missing; it is required",
    ),
    ("training.milestones", {"default": [5, 0]}, "training.milestones.default.1: found 0; allowed: >= 1"),
    ("training.factor", 0.2, "training.factor: found 0.2 with schedule 'constant'; it belongs to .*'milestones'"),
    ("training.momentum", 0.9, "training.momentum: found 0.9 with optimiser 'adam'; it belongs to optimiser 'sgd'"),
    ("training.nesterov", True, "training.nesterov: found True with optimiser 'adam'; it belongs .*"),
    ("training.optimiser", "sdg", "training.optimiser: found 'sdg'; .*did you mean 'sgd'"),
    ("training.precision", "bf32", "training.precision: found 'bf32'; .*did you mean"),
    ("training.compile", "yes", "training.compile: found 'yes'; expected boolean"),
    ("training.augmentation", "flip_crop", "training.augmentation: found 'flip_crop'; .*did you mean"),
    ("trainings.ce.momentum", 0.0, "trainings.ce.momentum: found 0.0 with optimiser 'adam'; it belongs .*'sgd'"),
    ("trainings.ce.optimiser", "rmsprop", "trainings.ce.optimiser: found 'rmsprop'; allowed: adam, sgd"),
    (
        "trainings.new",
        {"criterion": "ce", "optimiser": "sgd", "nesterov": True},
        "trainings.new.nesterov: found nesterov with momentum 0; it needs momentum > 0",
    ),
    (
        "trainings.new",
        {"criterion": "ce", "optimiser": "sgd", "betas": [0.5, 0.9]},
        r"trainings.new.betas: found \[0.5, 0.9\] with optimiser 'sgd'; it belongs to optimiser 'adam'",
    ),
    (
        "trainings.new",
        {"criterion": "ce", "schedule": "milestones", "milestones": [100, 50]},
        r"trainings.new.milestones: found \[100, 50\]; expected rising epochs",
    ),
    (
        "trainings.new",
        {"criterion": "ce", "schedule": "milestones", "milestones": {"default": [5], "mnst": [7]}},
        "trainings.new.milestones.mnst: unknown data set 'mnst'; .*did you mean 'mnist'",
    ),
    (
        "trainings.new",
        {"criterion": "ce", "epochs": {"default": 5, "mnist/lenet6": 7}},
        "trainings.new.epochs.mnist/lenet6: unknown architecture 'lenet6'; .*did you mean 'lenet5'",
    ),
    ("training.epochs.digits_grey", 3, "training.epochs.digits_grey: unknown data set .*did you mean 'digits_gray'"),
    ("training.epochs.mnist/resnet81", 3, "training.epochs.mnist/resnet81: unknown architecture .*'resnet18'"),
    ("seeds", 0, "seeds: found 0; allowed: >= 1 and <= 100"),
    ("seeds", True, "seeds: found True; expected integer"),
    ("edition", "My Edition", "edition: found 'My Edition'; expected .*"),
    ("device", "gpu", "device: found 'gpu'; allowed: auto, cpu, cuda, mps.*"),
    ("models.width.resnet81", 1.0, "models.width.resnet81: unknown architecture 'resnet81'; .*'resnet18'"),
    ("models.width.resnet18", 0, "models.width.resnet18: found 0; allowed: > 0 and <= 16"),
    ("landscape.grid", 10, "landscape.grid: found 10; expected .*"),
    ("stand_ins.mnist", "digit_gray", "stand_ins.mnist: unknown data set 'digit_gray'; .*did you mean 'digits_gray'"),
    ("stand_ins.mnits", "digits_gray", "stand_ins.mnits: unknown data set 'mnits'; .*did you mean 'mnist'"),
    ("stand_ins.cifar", None, "stand_ins.cifar: unknown data set 'cifar'; .*did you mean 'cifar10'"),
    ("trainings.ce.resume_every_seconds", 5, "trainings.ce.resume_every_seconds: unknown key 'resume_every_seconds';"),
    (
        "trainings.new",
        {"criterion": "ce", "schedule": "milestones", "milestones": [4, 8]},
        r"trainings.new.milestones: found milestones \[4, 8\] with 8 epochs \(default\); each must be below .*",
    ),
    (
        "trainings.new",
        {"criterion": "ce", "schedule": "milestones", "milestones": {"default": [4], "mnist": [9]}},
        r"trainings.new.milestones: found milestones \[9\] with 8 epochs \(mnist\); each .*",
    ),
    (
        "trainings.new",
        {
            "criterion": "ce",
            "schedule": "milestones",
            "milestones": [2, 4],
            "epochs": {"default": 8, "mnist/lenet5": 3},
        },
        r"trainings.new.milestones: found milestones \[2, 4\] with 3 epochs \(mnist/lenet5\); each .*",
    ),
    ("trainings.sp_focal.etta", 1, "trainings.sp_focal.etta: unknown key 'etta'; .*did you mean 'eta'"),
    ("trainings.ce.eta", 1, "trainings.ce.eta: unknown key 'eta'; .*"),
    ("trainings.sp_focal.eta", -1, "trainings.sp_focal.eta: found -1; allowed: > 0"),
    ("trainings.ce.batch_size", 0, "trainings.ce.batch_size: found 0; allowed: >= 2"),
    ("trainings.new", {"criterion": "sp_focl"}, "trainings.new.criterion: unknown criterion .*did you mean 'sp_focal'"),
    ("trainings.new", {"eta": 1}, "trainings.new: key 'criterion' is missing; it is required"),
    ("trainings.New", {"criterion": "ce"}, "trainings: found 'New'; expected .*"),
    ("attacks.pgd.epsilom", "8/255", "attacks.pgd.epsilom: unknown key 'epsilom'; .*did you mean 'epsilon'"),
    ("attacks.pgd.epsilon", "8 of 255", "attacks.pgd.epsilon: found '8 of 255'; expected a fraction .*"),
    ("attacks.pgd.epsilon", "epsilon/10", "attacks.pgd.epsilon: found 'epsilon/10'; expected budget in pixels.*"),
    ("attacks.pgd.epsilon", "unbounded", "attacks.pgd.epsilon: found 'unbounded'; expected budget in pixels.*"),
    ("attacks.pgd.step_size", "epsilon/0", "attacks.pgd.step_size: found 'epsilon/0'; expected step in pixels.*"),
    ("attacks.pgd.steps", 0, "attacks.pgd.steps: found 0; allowed: >= 1"),
    ("attacks.pgd.track", "honest", "attacks.pgd.track: found 'honest'; method pgd is track 'printed'"),
    ("attacks.pgd.method", "pdg", "attacks.pgd.method: unknown attack method 'pdg'; .*did you mean 'pgd'"),
    ("bundles.cinic10", ["pgd_1of255", "fgsm"], "bundles.cinic10: attack 'fgsm' is in 'tables' too; .*"),
    ("bundles.cinic10", ["pgd_1of25"], "bundles.cinic10: unknown attack 'pgd_1of25'; .*did you mean 'pgd_1of255'"),
    ("attack_images.train", 5, "attack_images.train: found 5; allowed: >= 10"),
    ("data.mirrors", ["ftp://x"], "data.mirrors.0: found 'ftp://x'; expected an address that begins with http"),
    ("data.mirrors", "http://x", "data.mirrors: found 'http://x'; expected array"),
    ("data.cache", "a/{b}", "data.cache: found 'a/{b}'; expected Folder with raw .*; without braces {}"),
    ("data.cache", "~nobody_of_that_name/x", "data.cache: found '~nobody_of_that_name/x'; expected a path whose ~ .*"),
    *(
        (
            f"datasets.clothing1m.{key}",
            value,
            rf"datasets.clothing1m.{key}: found image_size (300|224) with resize (256|128); resize must be at .*",
        )
        for key, value in (("image_size", 300), ("resize", 128))
    ),
    ("datasets.digits_gray.source", "digit", "datasets.digits_gray.source: unknown source 'digit'; .*'digits'"),
    ("datasets.digits_gray.image_size", 4, "datasets.digits_gray.image_size: found 4; allowed: >= 8 and <= 512"),
    ("datasets.digits_gray.channel", 1, "datasets.digits_gray.channel: unknown key 'channel'; .*mean 'channels'"),
    ("toys.sets.rings_10.remove", 0.1, "toys.sets.rings_10.remove: unknown key 'remove'; .*did you mean 'removed'"),
    ("toys.sets.rings_10.source", "ring", "toys.sets.rings_10.source: unknown source 'ring'; .*'rings'"),
    ("toys.bundles.rings", ["segments"], "toys.bundles.rings: toy 'segments' is in 'separate' too; .*"),
]


@pytest.mark.parametrize(("key", "value", "says"), FAULTS, ids=[f"{key}={value}" for key, value, _ in FAULTS])
def test_fault_in_an_overlay(tmp_path, key, value, says):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(yaml.safe_dump(nested(key, value)))
    assert re.match(re.escape(f"{overlay}: ") + says, fault_of(overlay))
    # The last of several files that says so is to blame, and not one that says nothing.
    other = tmp_path / "other.yaml"
    other.write_text("device: cpu\n" if key != "device" else "seeds: 3\n")
    assert fault_of(overlay, other).startswith(f"{overlay}: ")


@pytest.mark.parametrize(("key", "value", "says"), FAULTS[:6], ids=[key for key, _, _ in FAULTS[:6]])
def test_fault_in_config_yaml(tmp_path, key, value, says):
    base = tmp_path / "config.yaml"
    base.write_text(yaml.safe_dump(yaml.safe_load(BASE.read_text()) | nested(key, value)))
    assert re.match(re.escape(f"{base}: ") + says, fault_of(base=base))
    # It wins over the edition, whichever that is.
    assert fault_of(edition("test"), base=base).startswith(f"{base}: ")


def test_fault_on_the_command_line(tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("seeds: 2\n")
    for cli, says in [
        ({"seeds": 0}, "--config: seeds: found 0; allowed: >= 1"),
        ({"sedes": 2}, "--config: sedes: unknown key 'sedes'; "),
        ({"training": {"batch_size": "1"}}, "--config: training.batch_size: found 1; "),
        ({"training": {"selektion": "last"}}, "--config: training.selektion: unknown key"),
        ({"stand_ins": {"mnist": "nothing"}}, "--config: stand_ins.mnist: unknown data set 'nothing'"),
    ]:
        assert fault_of(overlay, cli=cli).startswith(says)


def test_command_line_values_have_types():
    # Snakemake hands over text within braces and brackets.
    cli = {
        "training": {"batch_size": "64", "learning_rate": "0.01"},
        "stand_ins": {"voc2007": "null"},
        "attack_images": {"test": "null"},
        "attacks": {"pgd": {"random_start": "false", "epsilon": "0.01"}},
        "papers": ["sp"],
    }
    config = load(cli=cli)
    assert (config["training"]["batch_size"], config["training"]["learning_rate"]) == (64, 0.01)
    assert config["stand_ins"]["voc2007"] is None
    assert config["attack_images"] == {"train": EMBEDDED["attack_images"]["train"], "test": None}
    assert config["attacks"]["pgd"]["random_start"] is False
    assert config["attacks"]["pgd"]["epsilon"] == "0.01"


def test_a_config_yaml_without_an_edition_is_refused(tmp_path):
    base = tmp_path / "config.yaml"
    base.write_text("seeds: 2\n")
    assert fault_of(base=base).startswith(f"{base}: top level: key 'edition' is missing")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("seeds: 2\ndevice: cpu\nseeds: 3\n", "key 'seeds' twice, line 3"),
        ("training:\n  batch_size: 2\n  batch_size: 3\n", "key 'batch_size' twice, line 3"),
        ("seeds: [1, 2\n", "not valid YAML"),
        ("? [a, b]\n: 1\n", "not valid YAML"),
        ("- a\n- b\n", "found list; expected a mapping"),
        ("", "found NoneType; expected a mapping"),
    ],
)
def test_unreadable_file(tmp_path, text, says):
    path = tmp_path / "overlay.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_or_binary_file(tmp_path):
    with pytest.raises(SettingsError, match=r"nowhere\.yaml: no such file"):
        read_yaml(tmp_path / "nowhere.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"binary\.yaml: "):
        read_yaml(tmp_path / "binary.yaml")


def test_merge_keys_are_no_repetition(tmp_path):
    path = tmp_path / "merge.yaml"
    path.write_text("a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n")
    assert read_yaml(path)["b"] == {"x": 2}


def test_defaults_are_filled():
    config = load()
    assert config["data"]["cache"] == ".cache/data"
    assert load(cli={"trainings": {"sp": {"criterion": "sp_focal"}}})["trainings"]["sp"]["eta"] == 0.03
    # Defaults are copies: editions must not share them.
    config["training"]["epochs"]["default"] = -1
    assert load()["training"]["epochs"]["default"] > 0


def test_an_attack_in_no_bundle_is_its_own():
    new = {"method": "fgsm", "track": "printed", "epsilon": "0.1"}
    assert load(cli={"attacks": {"lone": new}})["bundles"]["lone"] == ["lone"]
    fault = fault_of(cli={"attacks": {"gray": new}})
    assert "bundles.gray: found without the attack 'gray', which is in no bundle; expected" in fault


def test_the_home_folder_is_written_out(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    pictures = {"source": "folder", "path": "~/pictures"}
    config = load(cli={"data": {"cache": "~/raw"}, "datasets": {"mine": pictures}})
    assert config["data"]["cache"] == "/somewhere/raw"
    assert config["datasets"]["mine"]["path"] == "/somewhere/pictures"
    assert load(cli={"data": {"cache": "a/~b"}})["data"]["cache"] == "a/~b"


def test_attacks_get_their_methods_defaults():
    for name, attack in EMBEDDED["attacks"].items():
        expected = {"method", "track", "splits"} | set(catalogue("attacks")[attack["method"]].parameters)
        assert set(attack) - {"images"} == expected, name


# Declarations


def exhibits_fault(tmp_path, change) -> str:
    content = yaml.safe_load((EXHIBITS / "sp.yaml").read_text())
    content = copy.deepcopy({"title": content["title"], "exhibits": content["exhibits"]})
    change(content)
    path = tmp_path / "sp.yaml"
    path.write_text(yaml.dump(content))
    with pytest.raises(SettingsError) as caught:
        load_exhibits(tmp_path, ["sp"], EMBEDDED)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        (
            "fig_1.kind",
            "boundary",
            "exhibits.fig_1.kind: unknown kind of exhibit 'boundary'; .*did you mean 'boundaries'",
        ),
        ("fig_1.trainings", ["sp_focl"], "exhibits.fig_1.trainings: unknown training 'sp_focl'; .*mean 'sp_focal'"),
        ("fig_1.trainings", ["ce@lst"], "exhibits.fig_1.trainings: unknown training 'ce@lst'; .*"),
        ("fig_1.toys", ["segment"], "exhibits.fig_1.toys: unknown toy 'segment'; .*did you mean 'segments'"),
        ("fig_1.epochs", [0], "exhibits.fig_1.epochs.0: found 0; allowed: >= 1"),
        ("fig_1.colour", "red", "exhibits.fig_1.colour: unknown key 'colour'; allowed: .*"),
        ("fig_2.toy", "moon", "exhibits.fig_2.toy: unknown toy 'moon'; .*did you mean 'moons'"),
        ("fig_4.arch", "resnet81", "exhibits.fig_4.arch: unknown architecture 'resnet81'; .*did you mean 'resnet18'"),
        ("fig_4.dataset", "cifar", "exhibits.fig_4.dataset: unknown data set 'cifar'; .*did you mean 'cifar10'"),
        ("fig_5.attack", "pgd_swep", "exhibits.fig_5.attack: unknown attack 'pgd_swep'; .*did you mean 'pgd_sweep'"),
        ("fig_5.rival", "cee", "exhibits.fig_5.rival: unknown training 'cee'; .*did you mean 'ce'"),
        ("fig_5.panels", [{"dataset": "mnist"}], "exhibits.fig_5.panels.0: key 'archs' is missing; it is required"),
        (
            "fig_5.panels",
            [{"dataset": "mnst", "archs": ["resnet18"], "trainings": ["ce"]}],
            "exhibits.fig_5.panels.dataset: unknown data set 'mnst'; .*did you mean 'mnist'",
        ),
        ("table_1.attacks", ["fgms"], "exhibits.table_1.attacks: unknown attack 'fgms'; .*did you mean 'fgsm'"),
        ("table_1.archs", "resnet18", "exhibits.table_1.archs: found 'resnet18'; expected array"),
        ("table_3.trainings", ["mmcc"], "exhibits.table_3.trainings: unknown training 'mmcc'; .*did you mean 'mmc'"),
        ("theorem_1.check", "theorem_11", "exhibits.theorem_1.check: unknown check 'theorem_11'; .*'theorem_1'"),
        ("theorem_1", {"alias_of": "fig_33"}, "exhibits.theorem_1.alias_of: unknown exhibit 'fig_33'; .*mean 'fig_3'"),
        ("theorem_1", {"alias_of": "theorem_1"}, "exhibits.theorem_1.alias_of: unknown exhibit 'theorem_1'; .*"),
        ("theorem_1", {"alias_of": "fig_3", "title": "x"}, "exhibits.theorem_1.title: unknown key 'title'; .*alias_of"),
        ("theorem_1", "all", "exhibits.theorem_1: key 'kind' is missing; it is required"),
    ],
)
def test_fault_in_a_declaration(tmp_path, key, value, says):
    found = exhibits_fault(tmp_path, lambda content: put(content["exhibits"], key, value))
    assert re.match(says, found), found


@pytest.mark.parametrize("key", ["kind", "title", "caption", "toys", "trainings", "epochs"])
def test_missing_key_in_a_declaration(tmp_path, key):
    found = exhibits_fault(tmp_path, lambda content: content["exhibits"]["fig_1"].pop(key))
    assert found == f"exhibits.fig_1: key '{key}' is missing; it is required"


def test_fault_around_the_declarations(tmp_path):
    assert exhibits_fault(tmp_path, lambda content: content.pop("title")).startswith("top level: key 'title'")
    assert exhibits_fault(tmp_path, lambda content: put(content, "figures", {})).startswith("figures: unknown key")
    with pytest.raises(SettingsError, match=r"papers: unknown paper 'sq'; allowed: isce, jury, mnist, pc, sp; did you"):
        load_exhibits(EXHIBITS, ["sq"], EMBEDDED)


# Resolution


def test_selection_in_the_name():
    plain = run_settings(EMBEDDED, "digits_gray", "resnet18", "ce")
    last = run_settings(EMBEDDED, "digits_gray", "resnet18", "ce@last")
    assert plain["selection"] == "best_test"
    assert last == plain | {"training": "ce@last", "selection": "last"}
    paths = Paths("embedded")
    assert paths.model(Run("d", "a", "ce"), 0, "x") != paths.model(Run("d", "a", "ce@last"), 0, "x")
    with pytest.raises(SettingsError, match=r"unknown training 'cce'.*did you mean 'ce'"):
        recipe_settings(EMBEDDED, "cce")
    with pytest.raises(SettingsError, match="unknown training 'ce@first'"):
        recipe_settings(EMBEDDED, "ce@first")


def test_recipes_override_and_inherit():
    config = load(cli={"training": {"learning_rate": 0.5, "batch_size": 7, "schedule": "step", "weight_decay": 0.25}})
    recipe = recipe_settings(config, "ce+l2")
    assert recipe["training"] == config["training"] | {"weight_decay": 0.0005}
    assert recipe["criterion"] == {"name": "ce", "parameters": {}}
    sp = recipe_settings(config, "sp_focal")
    assert sp["training"] == config["training"]
    assert sp["criterion"]["parameters"] == {"alpha": 0.25, "gamma": 2, "eta": 0.03, "regulariser": "true_class"}
    run = run_settings(config, "digits_gray", "resnet18", "ce+l2")
    assert run["optimiser"] == {
        "name": "adam",
        "learning_rate": 0.5,
        "betas": [0.9, 0.999],
        "schedule": "step",
        "weight_decay": 0.0005,
    }
    assert run["batch_size"] == 7


RELEASED = {"criterion": "ce", "schedule": "milestones", "factor": 0.2}
RELEASED |= {"milestones": {"default": [50, 100], "mnist": [17, 33], "mnist/lenet5": []}}
RELEASED |= {"epochs": {"default": 150, "mnist": 50}}


def test_optimisers_and_schedules_resolve_to_what_they_read():
    base = {"learning_rate": 0.001, "weight_decay": 0.0}
    adam = {"name": "adam", "betas": [0.9, 0.999], **base}
    recipes = {
        "released": RELEASED,
        "listed": {"criterion": "ce", "schedule": "milestones", "milestones": [3]},
        "momentum": {"criterion": "ce", "optimiser": "sgd", "momentum": 0.9, "nesterov": True},
        "plain": {"criterion": "ce", "optimiser": "sgd"},
    }
    config = load(cli={"trainings": recipes})

    def resolved(training, data="digits_gray", arch="resnet18"):
        return run_settings(config, data, arch, training)["optimiser"]

    assert resolved("ce") == adam | {"schedule": "constant"}
    steps = adam | {"schedule": "milestones", "factor": 0.2}
    assert resolved("released") == steps | {"milestones": [50, 100]}
    assert resolved("released", "mnist") == steps | {"milestones": [17, 33]}
    assert resolved("released", "mnist", "lenet5") == steps | {"milestones": []}
    assert resolved("listed", "mnist") == steps | {"milestones": [3], "factor": 0.1}
    constant = {"name": "sgd", "schedule": "constant", **base}
    assert resolved("momentum") == constant | {"momentum": 0.9, "nesterov": True}
    assert resolved("plain") == constant | {"momentum": 0.0, "nesterov": False}


def test_a_recipe_need_not_undo_what_its_choice_does_not_read():
    cli = {
        "training": {"optimiser": "sgd", "momentum": 0.9, "schedule": "milestones", "milestones": [1], "factor": 0.5},
        "trainings": {"ce": {"optimiser": "adam", "schedule": "constant"}},
    }
    config = load(cli=cli)
    assert run_settings(config, "mnist", "lenet5", "ce")["optimiser"] == {
        "name": "adam", "learning_rate": 0.001, "betas": [0.9, 0.999], "schedule": "constant", "weight_decay": 0.0
    }  # fmt: skip
    assert run_settings(config, "mnist", "lenet5", "focal")["optimiser"]["milestones"] == [1]


def test_precision_and_compilation_reach_the_run():
    config = load(cli={"training": {"precision": "bf16"}, "trainings": {"ce": {"compile": True}}})
    found = {name: run_settings(config, "mnist", "lenet5", name) for name in ("ce", "focal")}
    assert {name: (run["precision"], run["compile"]) for name, run in found.items()} == {
        "ce": ("bf16", True),
        "focal": ("bf16", False),
    }
    plain = run_settings(EMBEDDED, "mnist", "lenet5", "ce")
    assert (plain["precision"], plain["compile"]) == ("fp32", False)


def test_most_specific_epochs_and_accepted_model_options():
    config = load(cli={"training": {"epochs": {"default": 1, "digits_gray": 2, "digits_gray/cnn2": 3}}})
    epochs = {
        (data, arch): run_settings(config, data, arch, "ce")["epochs"]
        for data in ("digits_gray", "digits_colour")
        for arch in ("cnn2", "resnet18")
    }
    assert epochs == {
        ("digits_gray", "cnn2"): 3,
        ("digits_gray", "resnet18"): 2,
        ("digits_colour", "cnn2"): 1,
        ("digits_colour", "resnet18"): 1,
    }
    # An option that a network does not take must not make its results stale.
    assert "stem" in run_settings(config, "digits_gray", "resnet18", "ce")["model"]
    assert "stem" not in run_settings(config, "digits_gray", "lenet5", "ce")["model"]
    before = load(cli={"models": {"activation": "pre"}})
    for arch in catalogue("models"):
        told = [run_settings(one, "digits_gray", arch, "ce") for one in (load(), before)]
        assert (told[0] != told[1]) == arch.startswith(("resnet32", "resnet56")), arch
    assert run_settings(before, "mnist", "resnet56", "ce")["model"]["activation"] == "pre"
    assert run_settings(EMBEDDED, "mnist", "resnet18", "ce")["model"] == {
        "stem": "imagenet", "width": 0.125, "normalise": False
    }  # fmt: skip


def test_augmentation_for_all_or_per_data_set():
    def chosen(given, dataset, arch="lenet5"):
        config = load(cli={"trainings": {"new": {"criterion": "ce", "augmentation": given}}})
        return run_settings(config, dataset, arch, "new")["augmentation"]

    assert chosen("crop_flip", "digits_gray") == "crop_flip"
    per = {"default": "none", "digits_colour": "crop_flip", "digits_colour/resnet18": "none"}
    assert chosen(per, "digits_gray") == "none"
    assert chosen(per, "digits_colour") == "crop_flip"
    assert chosen(per, "digits_colour", "resnet18") == "none"
    for wrong, says in (
        ("cropflip", "trainings.new.augmentation: found 'cropflip'; allowed: crop_flip, flip_rotate_crop, none"),
        (
            {"default": "flip"},
            "trainings.new.augmentation.default: found 'flip'; allowed: crop_flip",
        ),
        ({"mnist": "none"}, "trainings.new.augmentation: key 'default' is missing"),
        (3, "trainings.new.augmentation: found 3; expected string or object"),
    ):
        with pytest.raises(SettingsError, match=re.escape(says)):
            chosen(wrong, "digits_gray")


def test_toy_settings_hold_only_their_toys():
    told = toy_settings(EMBEDDED, "sp_focal", ["rings_97"])
    assert list(told["toys"]) == ["rings_97"]
    assert told["toys"]["rings_97"]["parameters"]["removed"] == 0.97
    assert told["seeds"] == 10


names = st.tuples(
    st.sampled_from(sorted(EMBEDDED["datasets"])),
    st.sampled_from(sorted(catalogue("models"))),
    st.sampled_from(sorted(EMBEDDED["trainings"])),
    st.sampled_from(["", *(f"@{choice}" for choice in SELECTIONS)]),
    st.integers(0, 20),
)


@settings(max_examples=200, deadline=None)
@given(names, names)
def test_two_different_runs_never_share_a_path(one, other):
    def described(run):
        data, arch, recipe, selection, seed = run
        told = run_settings(EMBEDDED, data, arch, recipe + selection) | {"seed": seed}
        run = Run(data, arch, recipe + selection)
        paths = Paths("embedded")
        files = {paths.model(run, seed, "record.json"), paths.attack(run, seed, "test", "pgd")}
        return told, files | {paths.landscape(run, seed, "package")}

    (told, files), (told_other, files_other) = described(one), described(other)
    assert (told == told_other) == (files == files_other)
    assert (told == told_other) == bool(files & files_other)


# The schema and the catalogue as the manual


def walk(schema, path=()):
    for key, part in schema.get("properties", {}).items():
        yield (*path, key), part
        yield from walk(part, (*path, key))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from walk(schema["additionalProperties"], (*path, "*"))


def test_the_schemas_choices_are_the_codes():
    parts = yaml.safe_load(SCHEMA.read_text())["properties"]
    training = parts["training"]["properties"]
    one, several = (training["augmentation"][key] for key in ("else", "then"))
    models = parts["models"]["properties"]
    assert (
        models["activation"]["enum"] == list(BLOCKS) == catalogue("models")["resnet32"].parameters["activation"]["enum"]
    )
    assert models["stem"]["enum"] == list(STEMS)
    assert parts["device"]["enum"] == list(devices.DEVICES)
    assert training["selection"]["enum"] == list(SELECTIONS)
    assert training["optimiser"]["enum"] == list(OPTIMISERS) == list(TAKEN_BY["optimiser"])
    assert training["schedule"]["enum"] == list(SCHEDULES) == list(TAKEN_BY["schedule"])
    assert training["precision"]["enum"] == list(PRECISIONS)
    assert one["enum"] == several["additionalProperties"]["enum"] == list(AUGMENTATIONS)


def test_every_choice_is_one_that_a_training_takes():
    data = encoded_set()
    for selection in SELECTIONS:
        fit(tiny_settings("files", selection=selection), data, 0, torch.device("cpu"))
    with pytest.raises(KeyError, match="first"):
        fit(tiny_settings("files", selection="first"), data, 0, torch.device("cpu"))
    for schedule in SCHEDULES:
        told = {"learning_rate": 1.0, "schedule": schedule, "milestones": [1], "factor": 0.5}
        assert 0 <= learning_rate(told, 1, 2) <= 1


def test_schema_describes_every_key():
    schema = yaml.safe_load(SCHEMA.read_text())
    for path, part in walk(schema):
        assert "type" in part or "enum" in part, path
        if "properties" not in part and "enum" not in part:
            assert len(part.get("description", "")) > 5, path
        if part.get("type") == "object" and "properties" in part and "*" not in path:
            assert part.get("additionalProperties") is not None, path
    # config/ and config.yaml show what there is.
    files = [BASE, *(BASE.parent / "config").glob("*.yaml")]
    shown = {key for file in files for key in re.findall(r"^(?:# )?([a-z_]+):", file.read_text(), re.MULTILINE)}
    assert set(schema["properties"]) - shown == {"protocol"}  # an edition's


@pytest.mark.parametrize("kind", ["criteria", "heads", "models", "datasets", "attacks", "toys", "theory"])
def test_every_parameter_has_a_description_and_a_valid_default(kind):
    from jsonschema import Draft202012Validator

    entries = catalogue(kind)
    assert entries
    for entry in entries.values():
        for key, spec in entry.parameters.items():
            if (entry.name, key) != ("loss_curves", "trainings"):  # given by the step, not by a file
                Draft202012Validator(spec).validate(spec["default"])
            assert spec.get("description"), (entry.name, key)
