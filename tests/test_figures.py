"""Every kind of figure: drawn from a tiny tidy table, to the same bytes, with clear refusals."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from lossproof.catalogue import catalogue, load
from lossproof.figures import labels, style, tidy
from lossproof.records import write_csv, write_npz

TRAININGS = ("ce", "focal", "sp_focal")
COMPETITORS = ("ce+l2", "sp_ce", "gradient_starvation", "mmc", "center", "l_gm", "isce", "pc")
Rows = list[dict[str, object]]
Arrays = dict[str, np.ndarray]


def _boundaries() -> tuple[Rows, Arrays]:
    axis = np.linspace(-2, 2, 21)
    arrays = {"grid_x": axis, "grid_y": axis, "labels": np.array([0, 0, 1, 1])}
    arrays |= {"points": np.array([[-1, -1], [1, -1], [-1, 1], [1, 1.0]]), "kept": np.array([True, True, True, False])}
    rows: Rows = []
    for training, epoch in product(TRAININGS, (10, 100)):
        arrays[f"confidence/{training}/{epoch}"] = 1 / (1 + np.exp(-np.tile(axis[:, None], 21)))
        rows.append({"toy": "t", "training": training, "seed": 0, "epoch": epoch, "quantity": "loss", "value": 0.5})
    arrays["gap/sp_focal/100"] = np.tile(axis[:, None], 21)  # a smoother line, where there is one
    arrays["confidence/ce/100"] = np.full((21, 21), 0.9)  # one class everywhere: no line to draw
    arrays["confidence/focal/100"] = np.full((21, 21), np.nan)
    return rows, arrays


def _weights_and_curves() -> tuple[Rows, Arrays]:
    rows: Rows = []
    for training, x in product(TRAININGS[::2], (0, 1, 10, 100)):
        weight = {"part": "weights", "training": training, "seed": 0, "x": x, "value": 0.1 * x}
        rows += [weight | {"quantity": quantity} for quantity in ("weight_00", "weight_01", "norm")]
    for part, training, x in product(("loss", "gradient"), TRAININGS, np.linspace(-3, 3, 7)):
        slope = np.tanh(x - 0.5) if training == "sp_focal" else -np.exp(-x)
        value = np.cosh(x - 0.5) if part == "loss" else slope
        rows.append({"part": part, "training": training, "seed": None, "x": x, "quantity": part, "value": value})
    return rows, {}


def _landscape() -> tuple[Rows, Arrays]:
    axis = np.linspace(-1, 1, 7)
    bowl = axis[:, None] ** 2 + axis**2
    arrays: Arrays = {}
    rows: Rows = []
    for method, training in product(("filter_normalised", "package"), ("ce", "sp_focal")):
        arrays |= {f"axis_u/{method}": axis, f"axis_v/{method}": axis}
        arrays[f"{training}/{method}/ce"] = bowl + (0.001 if method == "package" else 1)
        arrays[f"{training}/{method}/own"] = arrays[f"{training}/{method}/ce"] * (1 + (training != "ce"))
        named = {
            "dataset": "cifar10",
            "data": "digits",
            "arch": "resnet18",
            "training": training,
            "method": method,
            "metric": "ce",
        }
        rows.append(named | {"quantity": "centre", "value": 0.1})
    arrays["ce/package/ce"][0, 0] = np.nan
    return rows, arrays


def _accuracy() -> tuple[Rows, Arrays]:
    rows: Rows = []
    shared: dict[str, object] = {
        "dataset": "cifar10",
        "data": "digits",
        "rival": None,
        "ci_low": 40.0,
        "ci_high": 60.0,
        "value": 50.0,
    }
    for training, seed, split in product(TRAININGS, (0, 1, None), ("train", "test")):
        row = shared | {"arch": "resnet18", "training": training, "seed": seed, "split": split}
        rows.append(
            row
            | {"metric": f"{split}_accuracy", "attack": "none", "track": None, "epsilon": None, "epsilon_printed": ""}
        )
        for track, epsilon in product(("printed", "honest"), (0.01, 0.1)):
            attacked = {"metric": "adversarial_accuracy", "attack": "pgd", "track": track, "epsilon": epsilon}
            rows.append(row | attacked | {"epsilon_printed": str(epsilon)})
    return rows, {}


def _weight_history() -> tuple[Rows, Arrays]:
    rows: Rows = []
    quantities = ("q00", "q05", "q25", "q50", "q75", "q95", "q100", "norm", "train_accuracy", "test_accuracy")
    for training, seed, epoch, quantity in product(TRAININGS, (0, 1), range(3), quantities):
        named = {
            "dataset": "mnist",
            "data": "digits",
            "arch": "small_cnn",
            "training": training,
            "seed": seed,
            "epoch": epoch,
        }
        rows.append(named | {"quantity": quantity, "value": float(epoch)})
    return rows, {}


def _surface() -> tuple[Rows, Arrays]:
    arrays: Arrays = {}
    for panel, s, m in (("printed", 2.0, 0.1), ("wide", 8.0, 4.0)):
        arrays |= {f"{panel}/s": np.linspace(1, s, 9), f"{panel}/m": np.linspace(0, m, 8)}
        arrays[f"{panel}/z"] = 0.1 - 0.02 * np.add.outer(arrays[f"{panel}/m"], arrays[f"{panel}/s"])
    arrays["wide/z"][0, 0] = np.nan
    places = ((1.0, 2.2), (5.4, 0.1), (2.0, 2.3), (3.0, 1.0))
    return [{"panel": "wide", "quantity": "sign_change", "s": s, "m": m, "value": 0.0} for s, m in places], arrays


def _descent() -> tuple[Rows, Arrays]:
    axis, arrows = np.linspace(-2, 2, 12), np.linspace(-1.5, 1.5, 4)
    arrays: Arrays = {"axis": axis, "arrows": arrows}
    rows: Rows = []
    for training, quantity in (("ce", "radial"), ("isce", "angle"), ("label_smoothing", "gap"), ("other", "gap")):
        arrays[f"{training}/loss"] = np.subtract.outer(axis, axis)
        arrays |= {f"{training}/true": np.full((4, 4), 0.7), f"{training}/other": np.full((4, 4), -0.7)}
        rows += [{"training": training, "quantity": name, "value": 1.0} for name in ("one_direction", quantity)]
    return rows, arrays


KINDS: dict[str, Callable[[], tuple[Rows, Arrays]]] = {
    "boundaries": _boundaries,
    "weights_and_curves": _weights_and_curves,
    "landscape": _landscape,
    "epsilon_curves": _accuracy,
    "accuracy_table": _accuracy,
    "weight_history": _weight_history,
    "surface": _surface,
    "descent": _descent,
}


@dataclass
class Inputs:
    """The files of one exhibit, and a call that draws it."""

    kind: str
    csv: Path
    npz: Path | None
    rows: Rows

    def draw(self, out_stem: Path, **exhibit: object) -> list[bytes]:
        load("figures", self.kind)({"kind": self.kind, "trainings": TRAININGS} | exhibit, self.csv, self.npz, out_stem)
        return [out_stem.with_suffix(suffix).read_bytes() for suffix in (".png", ".pdf")]


@pytest.fixture(params=sorted(KINDS))
def inputs(request: pytest.FixtureRequest, tmp_path: Path) -> Inputs:
    rows, arrays = KINDS[request.param]()
    rows[-1]["value"] = float("nan")
    rows[-2]["value"] = None
    write_csv(tmp_path / "exhibit.csv", rows, list(rows[0]))
    npz = tmp_path / "exhibit.npz" if arrays else None
    if npz:
        write_npz(npz, arrays)
    return Inputs(request.param, tmp_path / "exhibit.csv", npz, rows)


def test_every_kind_is_tested() -> None:
    assert set(catalogue("figures")) == set(KINDS)


def test_draws_the_same_png_and_pdf_twice(inputs: Inputs, tmp_path: Path) -> None:
    png, pdf = inputs.draw(tmp_path / "first" / "figure")
    assert png.startswith(b"\x89PNG")
    assert pdf.startswith(b"%PDF")
    assert inputs.draw(tmp_path / "second" / "figure") == [png, pdf]
    assert not list((tmp_path / "first").glob(".*")), "temporary files stay behind"
    assert b"CreationDate" not in pdf
    assert b"Software" not in png


@pytest.mark.parametrize("kind", ["boundaries", "landscape"])
def test_bytes_do_not_depend_on_the_process(kind: str, tmp_path: Path) -> None:
    rows, arrays = KINDS[kind]()
    write_csv(tmp_path / "e.csv", rows, list(rows[0]))
    write_npz(tmp_path / "e.npz", arrays)
    code = (
        "import sys; from pathlib import Path; from lossproof.catalogue import load; folder = Path(sys.argv[2]);"
        "load('figures', sys.argv[1])({}, folder / 'e.csv', folder / 'e.npz', folder / sys.argv[3])"
    )
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        subprocess.run([sys.executable, "-c", code, kind, str(tmp_path), seed], env=environment, check=True)
    for suffix in ("png", "pdf"):
        assert (tmp_path / f"1.{suffix}").read_bytes() == (tmp_path / f"2.{suffix}").read_bytes()


def test_a_missing_column_is_named_with_the_file(inputs: Inputs, tmp_path: Path) -> None:
    needed = "quantity" if inputs.kind == "surface" else "training"
    columns = [column for column in inputs.rows[0] if column != needed]
    write_csv(inputs.csv, [{key: row[key] for key in columns} for row in inputs.rows], columns)
    with pytest.raises(ValueError, match=rf"exhibit\.csv: column '{needed}' is missing"):
        inputs.draw(tmp_path / "figure")
    assert not (tmp_path / "figure.png").exists()


def test_no_rows_and_no_arrays_are_refused(inputs: Inputs, tmp_path: Path) -> None:
    if inputs.npz:
        write_npz(inputs.npz, {"other": np.zeros(1)})
        with pytest.raises(ValueError, match=r"exhibit\.npz: array"):
            inputs.draw(tmp_path / "figure")
    with inputs.csv.open("w", newline="") as file:
        csv.writer(file).writerow(inputs.rows[0])
    with pytest.raises(ValueError, match=r"exhibit\.csv: the table has no rows"):
        inputs.draw(tmp_path / "figure")


def test_a_figure_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), style.page(tmp_path / "figure", style.COLUMN, 1):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_trainings_are_told_apart() -> None:
    looks = [style.look(training) for training in TRAININGS + COMPETITORS]
    for part in ("colour", "line", "marker", "label"):
        assert len({getattr(look, part) for look in looks}) == len(looks), part


def test_a_variant_keeps_its_colour() -> None:
    base, variant = style.look("sp_focal"), style.look("sp_focal@last")
    assert variant.colour == base.colour
    assert variant.hollow
    assert variant != base
    assert variant.label == "SP focal @last"
    assert style.look("something_new") == style.look("something_new") != style.look("something_else")


def test_order_and_trace() -> None:
    assert tidy.order(["b", "x", "a"], ["a", "c", "b"]) == ["b", "a", "c"]
    x, y = tidy.trace([{"x": "2", "value": "1"}, {"x": "1", "value": ""}, {"x": "2", "value": "3"}], "x")
    assert x.tolist() == [1, 2]
    assert np.isnan(y[0])
    assert y[1] == 2


def test_names() -> None:
    assert labels.attack("upgd_library") == "UPGD, library settings"
    assert labels.attack("worst_case") == "worst case"
    assert labels.attack("pgd_10") == "PGD-10"
    assert labels.dataset("cifar10", "digits_colour") == "CIFAR-10 (here: digits colour)"
    assert (labels.short(0.01234), labels.short(0.000021)) == ("0.0123", "2.1×10⁻⁵")


def test_figures_do_not_import_torch_or_pandas() -> None:
    modules = ", ".join(sorted(entry.module for entry in catalogue("figures").values()))
    code = f"import sys, {modules}; assert not {{'torch', 'pandas', 'seaborn'}} & set(sys.modules)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
