"""From exhibits to runs, files and answers to printed numbers."""

from __future__ import annotations

import csv
import io
from collections import Counter

import numpy as np
import pytest
from tidy_rows import CLAIMS, TABLES

from editions import EXHIBITS, edition, load, plan
from lossproof.claims.ledger import build_ledger
from lossproof.exhibits.accuracy import COLUMNS, rows, said_of
from lossproof.paths import Paths, Run
from lossproof.planning.caption import caption
from lossproof.planning.declare import load_exhibits
from lossproof.planning.named import named_datasets, without
from lossproof.planning.plan import Plan
from lossproof.records import write_csv
from lossproof.threats.epsilon import parse_list

# The first paper alone: what it asks for does not hang on what others do.
EMBEDDED = plan(cli={"papers": ["sp"]})


def test_shared_runs_appear_once():
    runs = EMBEDDED.runs
    assert len(runs) == len(set(runs)) == len({str(run) for run in runs})
    # Tables 2, 4, 5 and 6 share one stand-in; fig_4 and fig_5 use table_2's ResNet-18.
    colour = [run for run in runs if run.dataset == "digits_colour"]
    archs = ("resnet18", "resnet34")
    expected = [Run("digits_colour", arch, training) for arch in archs for training in ("ce", "sp_focal")]
    rivals = [Run("digits_colour", "resnet18", name) for name in ("focal", "mmc_sp", "center_sp", "lgm_sp")]
    assert sorted(colour) == sorted([*expected, *rivals])
    asked = Counter(run for needs in EMBEDDED.needs.values() for run in needs.runs)
    assert asked[Run("digits_colour", "resnet18", "ce")] >= 6
    attacks = EMBEDDED.attacks
    assert len(attacks) == len(set(attacks))
    assert {run for run, _ in attacks} <= set(runs)


def test_needs_of_each_kind():
    needs = EMBEDDED.needs
    run = Run("digits_gray", "resnet18", "ce")
    table = needs["sp/table_1"]
    assert len(table.models) == 6
    assert (run, "worst_case") in table.attacks
    assert len(table.attacks) == 6 * 7
    assert not (table.toys or table.theory or table.landscapes or table.histories)
    curves = needs["sp/fig_5"]
    assert {attack for _, attack in curves.attacks} == {"pgd_sweep"}
    assert len(curves.models) == 3 + 4
    assert needs["sp/fig_1"].toys == [("segments", training) for training in ("ce", "focal", "sp_focal")]
    assert not needs["sp/fig_1"].runs
    assert needs["sp/fig_2"].toys == [("segments", "ce"), ("segments", "sp_focal")]
    assert needs["sp/fig_2"].theory == ["loss_curves"]
    assert needs["sp/fig_4"].landscapes == [Run("digits_colour", "resnet18", name) for name in ("ce", "sp_focal")]
    assert needs["sp/fig_4"].runs == needs["sp/fig_4"].landscapes
    histories = needs["sp/fig_7"].histories
    assert histories == [Run("digits_gray", "cnn2", name) for name in ("ce", "ce+l2", "sp_focal")]
    assert needs["sp/theorem_1"].theory == ["theorem_1"]
    assert {exhibit.kind for exhibit in EMBEDDED.made} == {
        "accuracy_table",
        "boundaries",
        "epsilon_curves",
        "landscape",
        "statement",
        "statement_overview",
        "weight_history",
        "weights_and_curves",
    }


def test_the_second_papers_figures_and_statements_need_no_images():
    both = plan(cli={"papers": ["sp", "isce"]})
    names = ("fig_1", "fig_2", "fig_3", "property_1", "eq_10", "eq_13", "minmax_1", "statements")
    needs = {name: both.needs[f"isce/{name}"] for name in names}
    assert not any(one.runs or one.attacks for one in needs.values())
    assert needs["fig_1"].toys == [("moons", "ce"), ("moons", "isce")]
    assert (needs["fig_2"].theory, needs["fig_3"].theory) == (["isce_regression"], ["isce_surface"])
    statements = {check for name in names[3:7] for check in needs[name].theory}
    assert set(needs["statements"].theory) == statements | {"isce_prediction_rule", "isce_mean_values"}
    assert {both.exhibit("isce", name).grids for name in names[:3]} == {True}


def test_another_name_is_the_same_exhibit():
    both = plan(cli={"papers": ["sp", "isce"]})
    assert both.aliases["isce/conf_fig_5"] == "isce/fig_3"
    assert both.exhibit("isce", "fig_3").same_as == ("conf_fig_5",)
    assert not {exhibit.id for exhibit in both.exhibits} & set(both.aliases)
    assert not EMBEDDED.aliases
    files = [path for exhibit in both.made for path in (*both.inputs(exhibit), *both.outputs(exhibit))]
    assert not [path for path in files if "conf_fig" in path]


def test_rival_is_run_even_where_it_is_not_shown():
    config = load()
    exhibits = [item for item in load_exhibits(EXHIBITS, ["sp"], config) if item.name == "table_1"]
    exhibits[0].declaration["trainings"] = ["sp_focal"]
    assert {run.training for run in Plan(config, exhibits).runs} == {"ce", "sp_focal"}


def test_missing_says_why():
    assert not EMBEDDED.missing
    test = plan(edition("test"))
    assert test.missing["sp/table_4"] == "no data in this edition for: cinic10"
    assert set(test.missing) == {"sp/table_4", "sp/table_5", "sp/table_6"}
    assert "sp/table_4" not in test.needs
    paper = plan(edition("paper"))
    assert set(paper.missing) == {"sp/table_5"}  # Clothing1M is behind a licence
    gray, colour = {"mnist", "fashion_mnist", "kmnist"}, {"cifar10", "cifar100", "svhn", "cinic10", "tiny_imagenet"}
    assert {run.dataset for run in paper.runs} == gray | colour | {"voc2007"}
    absent = plan(edition("paper"), cli={"stand_ins": {"cifar10": None}})
    assert absent.missing["sp/table_2"] == "no data in this edition for: cifar10"
    # A panel whose data is there is made.
    assert "sp/fig_5" not in absent.missing
    assert "cifar10" not in {run.dataset for run in absent.runs}
    with pytest.raises(StopIteration):
        absent.exhibit("sp", "table_2")


def test_an_exhibit_is_made_with_the_panels_that_have_data():
    half = plan(cli={"papers": ["sp"], "stand_ins": {"cifar10": None}})
    figure = half.exhibit("sp", "fig_5")
    assert [panel["dataset"] for panel in figure.declaration["panels"]] == ["mnist"]
    assert {run.dataset for run in half.needs["sp/fig_5"].runs} == {"digits_gray"}
    assert half.in_part == {"sp/fig_5": "left out, no data in this edition for: cifar10"}
    assert "Left out, no data in this edition for: cifar10. In this edition digits_gray" in caption(half, figure)
    # The declaration that was read stays whole, and a whole exhibit says nothing.
    assert len(next(one for one in half.exhibits if one.name == "fig_5").declaration["panels"]) == 2
    assert not EMBEDDED.in_part
    assert "Left out" not in caption(EMBEDDED, EMBEDDED.exhibit("sp", "fig_5"))
    none = plan(cli={"papers": ["sp"], "stand_ins": {"cifar10": None, "mnist": None}})
    assert none.missing["sp/fig_5"] == "no data in this edition for: cifar10; no data in this edition for: mnist"
    assert not none.in_part


def test_what_is_left_of_a_declaration():
    assert without({"datasets": ["a", "b"]}, ["a"]) == {"datasets": ["b"]}
    assert without({"datasets": ["a"]}, ["a"]) is None
    assert without({"dataset": "a", "panels": [{"dataset": "b"}]}, ["a"]) is None
    assert without({"toys": ["a"]}, []) == {"toys": ["a"]}


def test_the_ledger_judges_the_radius_on_mnist_when_only_mnist_is_there(tmp_path):
    paper = plan(edition("paper"))
    path = tmp_path / "fig_5.csv"
    write_csv(path, accuracy_rows(paper, paper.exhibit("sp", "fig_5")), COLUMNS)
    ledger = build_ledger(
        CLAIMS,
        {"sp/fig_5": list(csv.DictReader(io.StringIO(path.read_text())))},
        full_protocol=True,
        edition="paper",
        data_for={meant: data for meant, data in paper.config["stand_ins"].items() if data},
        missing=paper.missing | paper.in_part,
    )
    (radius,) = [one for one in ledger if one["metric"] == "epsilon_below_which_accuracy_is_good"]
    assert (radius["dataset"], radius["exhibit"]) == ("mnist", "text_4.b.2")
    # The made-up cross entropy keeps 50 percent at every radius, which is not good.
    assert (radius["verdict"], radius["measured"]) == ("not reproduced", 0.0)


def test_inputs_of_a_table():
    exhibit = EMBEDDED.exhibit("sp", "table_1")
    inputs = EMBEDDED.inputs(exhibit)
    assert len(inputs) == len(set(inputs))
    # 4 runs (one network stands in for another) x 3 seeds x (record, predictions)
    # + x (6 attacks on two splits, 1 on one) x (json, npz)
    assert len(inputs) == 4 * 3 * 2 + 4 * 3 * (6 * 2 + 1) * 2
    base = "results/embedded/attacks/digits_gray/resnet18/ce/seed2"
    assert f"{base}/train/fgsm.npz" in inputs
    assert f"{base}/test/worst_case.json" in inputs
    assert f"{base}/train/worst_case.json" not in inputs
    assert "results/embedded/models/digits_gray/resnet34/sp_focal/seed0/predictions.npz" in inputs


def test_inputs_of_other_kinds():
    def inputs(name):
        return EMBEDDED.inputs(EMBEDDED.exhibit("sp", name))

    base = "results/embedded"
    assert inputs("fig_3")[:2] == [f"{base}/toys/moons/ce/networks.npz", f"{base}/toys/moons/ce/record.json"]
    assert inputs("lemma_1") == [f"{base}/theory/sp/lemma_1.json"]
    assert inputs("fig_4") == [
        f"{base}/landscapes/digits_colour/resnet18/{training}/seed0/{method}.npz"
        for training in ("ce", "sp_focal")
        for method in ("filter_normalised", "package")
    ]
    assert inputs("fig_7")[0] == f"{base}/models/digits_gray/cnn2/ce/seed0/history.csv"


def test_outputs_and_tidy():
    def of(method, name):
        return method(EMBEDDED.exhibit("sp", name))

    tidy, outputs = EMBEDDED.tidy, EMBEDDED.outputs
    assert of(tidy, "fig_4") == [f"results/embedded/exhibits/sp/fig_4.{suffix}" for suffix in ("csv", "npz")]
    assert of(tidy, "table_1") == ["results/embedded/exhibits/sp/table_1.csv"]
    assert of(outputs, "fig_4") == ["figures/embedded/sp/fig_4.png", "figures/embedded/sp/fig_4.pdf"]
    tables = [f"results/embedded/tables/sp/theorem_1.{suffix}" for suffix in ("md", "tex", "csv")]
    assert of(outputs, "theorem_1") == tables
    assert len(of(outputs, "table_1")) == 5
    everything = [path for exhibit in EMBEDDED.made for path in (*tidy(exhibit), *outputs(exhibit))]
    assert len(everything) == len(set(everything))


def test_editions_share_no_file():
    def files(made):
        return {path for exhibit in made.made for path in (*made.inputs(exhibit), *made.outputs(exhibit))}

    assert not files(EMBEDDED) & files(plan(edition("test")))


def test_named_datasets_at_any_depth():
    assert named_datasets({"panels": [{"dataset": "a"}, {"dataset": "b"}], "datasets": ["c"], "arch": "d"}) == {
        *("a", "b", "c")
    }


def accuracy_rows(plan, exhibit):
    """The tidy rows that the plan's settings imply, through the collecting code, with made-up outcomes."""
    paths = Paths(plan.config["edition"])
    declared = exhibit.declaration
    blocks = [(name, declared["archs"], declared["trainings"]) for name in declared.get("datasets", [])]
    blocks += [(one["dataset"], one["archs"], one["trainings"]) for one in declared.get("panels", [])]
    attacks = declared.get("attacks") or [declared["attack"]]

    def measured(run, high):
        outcomes = np.arange(60).reshape(3, 20) % 10 < (9 if high else 5)
        found = [
            ({"split": split, "metric": f"{split}_accuracy", "attack": "none", "record": "r"}, outcomes)
            for split in ("train", "test")
        ]
        for name in attacks:
            attack = plan.config["attacks"][name]
            for split in attack["splits"]:
                for text, value in zip(*parse_list(attack["epsilon"]), strict=True):
                    what = {"split": split, "metric": "adversarial_accuracy", "attack": name}
                    what |= said_of(attack) | {"epsilon": value, "epsilon_printed": text}
                    what |= {"record": paths.attack(run, "*", split, name)}
                    found.append((what, outcomes))
        return found

    for dataset, archs, trainings in blocks:
        for arch in archs:
            for training in trainings:
                run = Run(plan.config["stand_ins"][dataset], arch, training)
                named = {"paper": "sp", "exhibit": exhibit.name, "dataset": dataset, "data": run.dataset}
                named |= {"arch": arch, "training": training}
                rival = None if training == declared["rival"] else declared["rival"]
                yield from rows(named, measured(run, training != "ce"), rival, measured(run, False))


def test_every_printed_cell_has_a_measured_row(tmp_path):
    tidy = {}
    for exhibit in EMBEDDED.made:
        if exhibit.kind in ("accuracy_table", "epsilon_curves"):
            path = tmp_path / f"{exhibit.name}.csv"
            write_csv(path, accuracy_rows(EMBEDDED, exhibit), COLUMNS)
            tidy[exhibit.id] = list(csv.DictReader(io.StringIO(path.read_text())))
    ledger = build_ledger(
        CLAIMS,
        tidy,
        full_protocol=False,
        edition="embedded",
        data_for=EMBEDDED.config["stand_ins"],
        missing=EMBEDDED.missing,
        attacked_split="train",
    )
    answered = [one for one in ledger if one["measured"] is not None]
    cells = [one for one in answered if one["exhibit"] in TABLES]
    assert len(cells) == 228
    assert all(one["exhibit"] not in TABLES or one["measured"] is not None for one in ledger)
    # Of the running text: what refers to table_1, table_2, table_4 and to fig_5; not facts of data sets, nor what
    # compares table_3's competitors (these rows have one rival only).
    text = [one for one in answered if one["exhibit"].startswith("text")]
    open_ = [one for one in ledger if one["measured"] is None and one["exhibit"].startswith("text")]
    assert {one["metric"] for one in text} == {"difference", "epsilon_below_which_accuracy_is_good"}
    assert {one["metric"] for one in open_} == {"difference", "dataset_fact"}
    assert [one["refers_to"] for one in open_ if one["metric"] == "difference"] == ["table_3"]
    assert {one["verdict"] for one in open_} == {"not run"}
    # Each was compared on the split on which the paper can have measured it, and with its rival.
    assert {one["split"] for one in cells if one["metric"] == "adversarial_accuracy"} == {"train"}
    sp = [one for one in cells if one["training"] == "sp_focal" and float(one["value"]) > 0]
    assert "undecided" not in {one["verdict"] for one in sp}
    assert {one["verdict"] for one in cells if one["training"] == "ce"} == {"baseline"}
