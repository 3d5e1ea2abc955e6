"""Kinds of exhibits that compare many trainings: declared, resolved to runs, collected from records."""

from __future__ import annotations

import json
import re
from itertools import product

import numpy as np
import pytest
from fake_records import attacked, context, predicted
from small_kinds import CONFIG, GRID, LEVELS, PLACES, SCATTER, TABLE, as_text, declared

from editions import edition, load
from lossproof.exhibits.accuracy_table.kind import AccuracyTable
from lossproof.exhibits.embedding.kind import COLUMNS as EMBEDDING_COLUMNS
from lossproof.exhibits.embedding.kind import Embedding
from lossproof.exhibits.sweep.kind import LevelCurves, ParameterGrid
from lossproof.exhibits.sweep.swept import COLUMNS
from lossproof.exhibits.tsne.kind import COLUMNS as TSNE_COLUMNS
from lossproof.exhibits.tsne.kind import TSNE
from lossproof.exhibits.typeset import exhibit_table
from lossproof.paths import Run
from lossproof.planning.plan import Plan
from lossproof.records import write_json, write_npz
from lossproof.settings.faults import SettingsError
from lossproof.settings.sweeps import points
from lossproof.statistics.intervals import over_seeds


def test_a_sweeps_trainings_stand_in_the_declaration(tmp_path):
    grid, levels = declared(tmp_path, grid=GRID, levels=LEVELS)
    expected = [
        {"training": name, "values": [[key, values[key]] for key in ("s", "m")]}
        for name, values in points(CONFIG, "isce_grid")
    ]
    assert grid.declaration["points"] == expected
    assert expected[0]["training"].startswith("isce_grid.s=")
    assert {key for point in levels.declaration["points"] for key, _ in point["values"]} == {"defence.epsilon"}
    # Another edition's sweep is another declaration, and so makes stale what was collected.
    paper = load(edition("paper"))
    (other,) = declared(tmp_path, paper, grid=GRID)
    assert len(other.declaration["points"]) == 25 != len(expected)


def test_needs_of_a_sweep(tmp_path):
    plan = Plan(CONFIG, declared(tmp_path, grid=GRID, levels=LEVELS))
    names = [name for name, _ in points(CONFIG, "isce_grid")]
    grid = plan.needs["isce/grid"]
    assert grid.models == [Run(data, "lenet5", name) for data, name in product(("digits_gray", "digits_colour"), names)]
    assert {(run.dataset, attack) for run, attack in grid.attacks} == {
        *(("digits_gray", "pgd"), ("digits_colour", "fgsm"), ("digits_colour", "bim"))
    }
    assert len(grid.attacks) == 3 * len(names)
    levels = plan.needs["isce/levels"]
    assert [run.training for run in levels.runs] == sorted(name for name, _ in points(CONFIG, "at_level"))
    assert len(plan.outputs(plan.exhibit("isce", "grid"))) == 5


def test_a_table_may_have_networks_and_attacks_by_data_set(tmp_path):
    by_data = TABLE | {"attacks": {"mnist": ["fgsm"], "cifar10": ["pgd", "bim"]}}
    needs = Plan(CONFIG, declared(tmp_path, table=by_data)).needs["isce/table"]
    assert {(run.dataset, run.arch) for run in needs.runs} == {("digits_gray", "lenet5"), ("digits_colour", "cnn2")}
    assert {(run.arch, attack) for run, attack in needs.attacks} == {
        *(("lenet5", "fgsm"), ("cnn2", "pgd"), ("cnn2", "bim"))
    }
    # Trainings too; the rival is trained for each.
    by_data |= {"trainings": {"mnist": ["isce", "nce"], "cifar10": ["isce"]}}
    needs = Plan(CONFIG, declared(tmp_path, table=by_data)).needs["isce/table"]
    assert {(run.arch, run.training) for run in needs.runs} == {
        *(("lenet5", name) for name in ("ce_isce", "isce", "nce")),
        *(("cnn2", name) for name in ("ce_isce", "isce")),
    }
    # A data set that the edition does not have takes its lists along.
    half = load(cli={"stand_ins": {"cifar10": None}})
    made = Plan(half, declared(tmp_path, half, table=by_data))
    assert {run.dataset for run in made.needs["isce/table"].runs} == {"digits_gray"}


def test_needs_of_an_embedding(tmp_path):
    plan = Plan(CONFIG, declared(tmp_path, places=PLACES))
    runs = [Run("digits_gray", "lenet5", training) for training in ("ce_isce", "isce")]
    assert plan.needs["isce/places"].embeddings == plan.runs == runs
    base = "results/embedded/embeddings/digits_gray/lenet5"
    inputs = plan.inputs(plan.exhibit("isce", "places"))
    assert inputs == [
        *(f"{base}/{training}/seed{seed}.json" for training in ("ce_isce", "isce") for seed in range(3)),
        *(f"{base}/{training}/seed0.npz" for training in ("ce_isce", "isce")),
    ]
    assert plan.tidy(plan.exhibit("isce", "places"))[1].endswith("places.npz")


def test_needs_of_a_scatter(tmp_path):
    plan = Plan(CONFIG, declared(tmp_path, scatter=SCATTER, plain={**PLACES, "kind": "tsne"}))
    runs = [Run("digits_gray", "lenet5", training) for training in ("ce_isce", "isce")]
    needs = plan.needs["isce/scatter"]
    assert needs.embeddings == runs and needs.attacked_embeddings == [(run, "pgd_sweep") for run in runs]
    assert not needs.attacks and not plan.needs["isce/plain"].attacked_embeddings
    inputs = plan.inputs(plan.exhibit("isce", "scatter"))
    assert len(inputs) == 2 * (3 + 1) * 2
    assert "results/embedded/embeddings/digits_gray/lenet5/isce/seed0.pgd_sweep.npz" in inputs
    assert "results/embedded/embeddings/digits_gray/lenet5/isce/seed2.pgd_sweep.json" in inputs
    # Features of the clean images are an input of those of the attacked ones.
    assert set(plan.inputs(plan.exhibit("isce", "plain"))) < set(inputs)


@pytest.mark.parametrize(
    ("exhibit", "change", "says"),
    [
        (GRID, {"sweep": "isce_gird"}, "grid.sweep: unknown sweep 'isce_gird'; .*did you mean 'isce_grid'"),
        (GRID, {"sweep": "at_level"}, "grid.sweep: 'at_level' varies defence.epsilon; expected a sweep of 2"),
        (LEVELS, {"sweep": "isce_grid"}, "grid.sweep: 'isce_grid' varies s, m; expected a sweep of 1"),
        (LEVELS, {"sweep": "words"}, "grid.sweep: 'words' has normalise = logits; expected numbers on its axes"),
        (GRID, {"attacks": {"mnist": ["pgd"]}}, "grid.attacks: no list for data set 'cifar10'; one list for all, "),
        (GRID, {"attacks": ["pdg"]}, "grid.attacks: unknown attack 'pdg'; .*did you mean 'pgd'"),
        (
            GRID,
            {"attacks": {"mnist": ["pgd"], "cifar10": ["fgms"]}},
            "grid.attacks: unknown attack 'fgms'; .*did you mean 'fgsm'",
        ),
        (
            TABLE,
            {"archs": {"mnist": ["lenet5"], "cifar10": ["cnn2"], "svhn": ["cnn2"]}},
            "grid.archs: unknown data set 'svhn'; allowed: cifar10, mnist",
        ),
        (TABLE, {"archs": "lenet5"}, "grid.archs: found 'lenet5'; expected array or object"),
        (
            SCATTER,
            {"epsilon": "0.10"},
            "grid.epsilon: found '0.10'; expected one of pgd_sweep: 0.003, 0.01, 0.03, 0.1,",
        ),
        (SCATTER, {"attack": "pgd"}, "grid.epsilon: found '0.1'; expected one of pgd: 8/255"),
        (PLACES, {"kind": "tsne", "epsilon": "0.1"}, "grid.epsilon: found '0.1' without an attack; expected none"),
        (PLACES, {"kind": "tsne", "attack": "pgd"}, "grid.epsilon: found none; expected one of pgd: 8/255"),
        (TABLE, {"trainings": {"mnist": ["isce"]}}, "grid.trainings: no list for data set 'cifar10'"),
        (PLACES, {"trainings": ["isec"]}, "grid.trainings: unknown training 'isec'; .*did you mean 'isce'"),
    ],
)
def test_fault_in_a_declaration(tmp_path, exhibit, change, says):
    config = load(cli={"sweeps": {"words": {"base": "isce", "over": {"normalise": ["logits", "features"]}}}})
    with pytest.raises(SettingsError) as caught:
        declared(tmp_path, config, grid=exhibit | change)
    found = str(caught.value)
    assert "\n" not in found
    assert re.search(rf"isce\.yaml: exhibits\.{says}", found), found


SETTINGS = {
    "method": "pgd_l2",
    "track": "printed",
    "norm": "l2",
    "steps": 50,
    "step_size": None,
    "targeted": "least_likely",
}


def test_rows_say_what_an_attack_aims_at_and_how_its_budget_is_read(tmp_path):
    told = context(tmp_path, seeds=1, tar=["test"], old=["test"], queries=["test"])
    kinds = {"tar": SETTINGS | {"reading": "radius"}, "old": {"method": "pgd", "track": "printed", "steps": 40}}
    kinds["queries"] = {"method": "simba", "track": "printed", "queries": 300, "targeted": "none"}
    for training in ("ce_isce", "isce"):
        predicted(told, Run("mnist", "lenet5", training), 0, 20)
        for name, settings in kinds.items():
            attacked(told, Run("mnist", "lenet5", training), 0, name, settings, 10)
    table = {"datasets": ["mnist"], "archs": ["lenet5"], "trainings": ["isce"], "rival": "ce_isce"}
    rows = AccuracyTable.collect(table | {"attacks": list(kinds)}, told).rows
    said = {row["attack"]: (row.get("targeted"), row.get("reading"), row.get("steps"), row.get("norm")) for row in rows}
    assert said == {
        "none": (None, None, None, None),
        "tar": ("least_likely", "radius", 50, "l2"),
        "old": ("untargeted", "", 40, "linf"),
        "queries": ("untargeted", "", 300, "linf"),
    }


def test_rows_of_trainings_by_data_set(tmp_path):
    told = context(tmp_path, seeds=1, pgd=["test"])
    for run in (Run("mnist", "lenet5", "isce"), Run("mnist", "lenet5", "ce_isce"), Run("cifar10", "cnn2", "ce_isce")):
        predicted(told, run, 0, 20)
        attacked(told, run, 0, "pgd", SETTINGS, 10)
    table = TABLE | {"trainings": {"mnist": ["ce_isce", "isce"], "cifar10": ["ce_isce"]}, "attacks": ["pgd"]}
    rows = AccuracyTable.collect(table, told).rows
    assert list(dict.fromkeys((row["dataset"], row["training"]) for row in rows)) == [
        *(("mnist", "ce_isce"), ("mnist", "isce"), ("cifar10", "ce_isce"))
    ]


def collected(tmp_path, seeds=2):
    """A sweep of four points; right are 12, 19, 18 and 5 of 20 attacked images, and all without attack."""
    told = context(tmp_path, seeds=seeds, pgd=["test"])
    values = [[["s", s], ["m", m]] for s, m in product((1, 2), ("0.02", "1/10"))]
    found = [{"training": f"isce_grid.{at}", "values": value} for at, value in enumerate(values)]
    for point, right in zip(found, (12, 19, 18, 5), strict=True):
        for seed in range(seeds):
            predicted(told, Run("mnist", "lenet5", point["training"]), seed, 20)
            attacked(told, Run("mnist", "lenet5", point["training"]), seed, "pgd", SETTINGS, right)
    declaration = {"datasets": ["mnist"], "arch": "lenet5", "attacks": ["pgd"], "points": found}
    # As a rule hands it to the step.
    return ParameterGrid.collect(json.loads(json.dumps(declaration, sort_keys=True)), told)


@pytest.mark.parametrize("seeds", [1, 2])
def test_every_point_is_compared_with_the_best(tmp_path, seeds):
    tidy = collected(tmp_path, seeds)
    assert tidy.columns == COLUMNS and all(set(row) <= set(COLUMNS) for row in tidy.rows)
    over = [row for row in tidy.rows if row.get("seed") is None and row["metric"] == "adversarial_accuracy"]
    assert [(row["x"], row["y"], row["value"]) for row in over] == [
        *((1.0, 0.02, 60.0), (1.0, 0.1, 95.0), (2.0, 0.02, 90.0), (2.0, 0.1, 25.0))
    ]
    assert {(row["x_parameter"], row["y_parameter"]) for row in tidy.rows} == {("s", "m")}
    gaps = [row for row in tidy.rows if row["metric"] == "difference" and row["attack"] == "pgd"]
    assert [(row["training"], row["rival"], row["value"]) for row in gaps] == [
        (f"isce_grid.{at}", "isce_grid.1", pytest.approx(gap)) for at, gap in ((0, -35), (2, -5), (3, -70))
    ]
    alike = [row["training"] for row in gaps if row["ci_low"] <= 0 <= row["ci_high"]]
    assert alike == ["isce_grid.2"]


def test_the_table_of_a_grid(tmp_path):
    made = exhibit_table("isce", "x", "parameter_grid", "T", as_text(collected(tmp_path).rows, COLUMNS), [])
    sections = {section.title: section.lines for section in made.sections}
    assert made.columns == (("s =", "1"), ("s =", "2")) and made.stub == ("m",)
    lines = sections["MNIST LeNet-5, test images: PGD, ε = 0.02, 50 steps, targeted: least likely"]
    assert [line.labels for line in lines] == [("0.02",), ("0.1",)]
    assert [cell.split()[0] for line in lines for cell in line.texts] == ["60.0", "90.0≈", "95.0*", "25.0"]
    record = next(one for one in made.records if (one["attack"], one["training"]) == ("pgd", "isce_grid.3"))
    assert (record["best"], float(record["difference"]), record["x"], record["y"]) == ("isce_grid.1", -70, "2.0", "0.1")


def test_the_table_of_levels(tmp_path):
    told = context(tmp_path, pgd=["test"])
    found = [{"training": f"at.{at}", "values": [["defence.epsilon", value]]} for at, value in enumerate(("0", "0.5"))]
    for point, right in zip(found, (3, 15), strict=True):
        for seed in range(2):
            predicted(told, Run("cifar10", "cnn2", point["training"]), seed, 20)
            attacked(told, Run("cifar10", "cnn2", point["training"]), seed, "pgd", SETTINGS, right)
    declaration = {"dataset": "cifar10", "arch": "cnn2", "attacks": ["pgd"], "points": found}
    tidy = LevelCurves.collect(declaration, told)
    made = exhibit_table("isce", "x", "level_curves", "T", as_text(tidy.rows, COLUMNS), [])
    assert made.stub == ("ε in training",)
    assert [head for _, head in made.columns] == ["no attack", "PGD, ε = 0.02, 50 steps, targeted: least likely"]
    section = next(one for one in made.sections if one.title.endswith("test images"))
    assert [(line.labels[0], *(cell.split()[0] for cell in line.texts)) for line in section.lines] == [
        *(("0", "100.0*", "15.0"), ("0.5", "100.0≈", "75.0*"))
    ]


def test_measures_of_an_embedding_over_seeds(tmp_path):
    told = context(tmp_path, seeds=3)
    features = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    for training, values in (("ce_isce", (1.0, 2.0, 6.0)), ("isce", (None, None, 4.0))):
        for seed, value in enumerate(values):
            run = Run("mnist", "lenet5", training)
            record = dict.fromkeys(("between_within", "silhouette", "nearest_centroid"), 1.0)
            record["accuracy"] = 80.0 + 9 * seed
            record |= {"separation": value, "dimension": 5, "n_images": 30}
            write_json(told.root / told.paths.embedding(run, seed, "json"), record)
            arrays = {"features": features, "labels": np.arange(30) % 10}
            write_npz(told.root / told.paths.embedding(run, seed, "npz"), arrays)
    tidy = Embedding.collect(PLACES, told)
    assert all(set(row) <= set(EMBEDDING_COLUMNS) for row in tidy.rows)
    over = {row["training"]: row for row in tidy.rows if row["quantity"] == "separation" and "seed" not in row}
    high = over_seeds(np.array([1.0, 2.0, 6.0])).high
    # No distance is below 0, and so no interval.
    assert (over["ce_isce"]["value"], over["ce_isce"]["ci_low"], over["ce_isce"]["ci_high"]) == (3.0, 0.0, high)
    assert (over["isce"]["value"], over["isce"]["ci_low"], over["isce"]["seeds"]) == (4.0, None, 1)
    accuracy = next(row for row in tidy.rows if row["quantity"] == "accuracy" and row["seeds"] == 3)
    assert (accuracy["value"], accuracy["ci_high"]) == (89.0, 100.0)  # not 111
    assert tidy.arrays is not None and tidy.arrays["points/mnist/isce"].shape == (30, 3)
    assert 0.6 < tidy.arrays["share/mnist/isce"] < 1
    made = exhibit_table("isce", "x", "embedding", "T", as_text(tidy.rows, EMBEDDING_COLUMNS), [])
    (section,) = made.sections
    assert section.title == "MNIST LeNet-5, 30 images"
    line = next(line for line in section.lines if line.labels[0].startswith("smallest centre distance"))
    assert line.texts == (f"3 [0, {high:.3g}]", "4")


def test_measures_of_a_scatter(tmp_path):
    told = context(tmp_path, seeds=2)
    generator = np.random.default_rng(0)
    run = Run("mnist", "lenet5", "isce")
    for seed in range(2):
        measures = ("between_within", "silhouette", "nearest_centroid", "separation", "accuracy", "dimension")
        write_json(told.root / told.paths.embedding(run, seed, "json"), dict.fromkeys(measures, 1.0) | {"n_images": 30})
        arrays = {"features": generator.normal(size=(30, 5)), "labels": np.arange(30) % 10}
        write_npz(told.root / told.paths.embedding(run, seed, "npz"), arrays)
        results = [
            {
                "epsilon": text,
                "epsilon_value": value,
                "n_fooling": 6 + seed,
                "fooled_share": 40.0,
                "nearest_class": 50.0,
            }
            | {"centre_distance": value * (1 + seed), "centre_distance_before": None if seed else 1.0}
            for text, value in (("1/10", 0.1), ("0.3", 0.3))
        ]
        write_json(told.root / told.paths.embedding(run, seed, "fgsm.json"), {"results": results})
        arrays = {"features": generator.normal(size=(11, 5)), "labels": np.arange(11) % 10}
        write_npz(
            told.root / told.paths.embedding(run, seed, "fgsm.npz"), arrays | {"epsilon": np.repeat([0.1, 0.3], [5, 6])}
        )
    declaration = {"datasets": ["mnist"], "arch": "lenet5", "trainings": ["isce"], "attack": "fgsm", "epsilon": "1/10"}
    tidy = TSNE.collect(declaration, told)
    assert all(set(row) <= set(TSNE_COLUMNS) for row in tidy.rows)
    over = {row["quantity"]: row for row in tidy.rows if row["attack"] == "fgsm" and "seed" not in row}
    # Of the budget that is asked for, over both seeds; a measure that one seed lacks is the other's.
    assert (over["centre_distance"]["value"], over["centre_distance"]["n_images"]) == (pytest.approx(0.15), 13)
    assert over["centre_distance"]["ci_low"] == 0
    assert (over["centre_distance_before"]["value"], over["centre_distance_before"]["seeds"]) == (1.0, 1)
    assert {row["epsilon"] for row in over.values()} == {0.1}
    assert tidy.arrays is not None
    assert tidy.arrays["points/clean/mnist/isce"].shape == (30, 2)
    assert tidy.arrays["fooling/attacked/mnist/isce"].tolist() == [False] * 30 + [True] * 5
    assert tidy.arrays["labels/attacked/mnist/isce"][30:].tolist() == [0, 1, 2, 3, 4]
    assert float(tidy.arrays["perplexity/clean/mnist/isce"]) == 10
    made = exhibit_table("isce", "x", "tsne", "T", as_text(tidy.rows, TSNE_COLUMNS), [])
    titles = [section.title for section in made.sections]
    assert titles == ["MNIST LeNet-5, 30 images", "MNIST LeNet-5, images with which FGSM, ε = 1/10, fools the network"]
    cells = {line.labels[0]: line.texts for line in made.sections[1].lines}
    assert cells["distance from the common centre"][0].startswith("0.15 [0, ")
    assert cells["images, all seeds"] == ("13",) and len(made.notes) == 2


def test_an_interval_over_seeds():
    # Three values with mean 3 and deviation sqrt(7); Student's t with two degrees of freedom is 4.3027.
    value, low, high = over_seeds(np.array([1.0, 2.0, 6.0]))
    assert value == 3 and high - value == pytest.approx(4.302653 * 7**0.5 / 3**0.5) == pytest.approx(value - low)
    assert np.isnan(over_seeds(np.array([1.0]))[1:]).all()
