"""Every kind of figure: drawn from a tiny tidy table, to the same bytes, with clear refusals."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from pathlib import Path

import competitors
import fake_jury
import numpy as np
import pytest
from draw import draw, watched_page
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lossproof import tidy
from lossproof.catalogue import catalogue
from lossproof.drawing import accuracy_dots, labels, style
from lossproof.exhibits import accuracy
from lossproof.exhibits.accuracy_table import by_network, by_training
from lossproof.exhibits.diagnostics_map.kind import COLUMNS as DIAGNOSTIC_COLUMNS
from lossproof.exhibits.embedding.kind import COLUMNS as EMBEDDING_COLUMNS
from lossproof.exhibits.gap_bound.kind import COLUMNS as GAP_BOUND_COLUMNS
from lossproof.exhibits.jury_verdicts.kind import COLUMNS as VERDICT_COLUMNS
from lossproof.exhibits.masking_arguments.kind import COLUMNS as MASKING_COLUMNS
from lossproof.exhibits.sweep.swept import COLUMNS as SWEEP_COLUMNS
from lossproof.exhibits.tsne.kind import COLUMNS as TSNE_COLUMNS
from lossproof.exhibits.wrong_class_ranks.kind import COLUMNS as RANK_COLUMNS
from lossproof.records import read_npz, write_csv, write_npz

TRAININGS = ("ce", "focal", "sp_focal")
# One paper compares these; the two ways of adversarial training too.
TEN = (*competitors.TRAININGS, "at_steps")
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
            | {"steps": None, "targeted": "", "reading": ""}
        )
        for track, epsilon in product(("printed", "honest"), (0.01, 0.1)):
            attacked = {"metric": "adversarial_accuracy", "attack": "pgd", "track": track, "epsilon": epsilon}
            said = {"epsilon_printed": str(epsilon), "steps": 40, "targeted": "untargeted", "reading": ""}
            rows.append(row | attacked | said)
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


def _full(rows: Rows, columns: list[str]) -> Rows:
    """Every column in every row, as in a file."""
    return [dict.fromkeys(columns) | row for row in rows]


def _parameter_grid() -> tuple[Rows, Arrays]:
    return _full(competitors.sweep(competitors.GRID), SWEEP_COLUMNS), {}


def _level_curves() -> tuple[Rows, Arrays]:
    return _full(competitors.sweep(competitors.LEVELS), SWEEP_COLUMNS), {}


def _embedding() -> tuple[Rows, Arrays]:
    rows, arrays = competitors.embeddings(images=60)
    arrays["points/mnist/mmc"][:3] = np.nan
    arrays["points/cifar10/mmc"][:] = np.nan
    return _full(rows, EMBEDDING_COLUMNS), arrays


def _gap_bound() -> tuple[Rows, Arrays]:
    rows, arrays = competitors.gap_bounds(images=80)
    arrays["gradient/mnist/lenet5/pc/pgd"][:5] = 0  # no place on a logarithmic axis
    return _full(rows, GAP_BOUND_COLUMNS), arrays


def _tsne() -> tuple[Rows, Arrays]:
    rows, arrays = competitors.scatters(images=40, fooling=15)
    arrays["points/clean/mnist/isce"][:] = np.nan
    arrays["fooling/attacked/mnist/ce_isce"][:] = False  # an attack that fools it with nothing
    return _full(rows, TSNE_COLUMNS), arrays


def _mean_gaps() -> tuple[Rows, Arrays]:
    clean = {"split": "test", "attack": "none", "rival": None}
    rows: Rows = []
    for (dataset, arch), training in product((("cifar100", "resnet56"), ("tiny_imagenet", "vgg13")), TRAININGS):
        named = clean | {"dataset": dataset, "data": dataset, "arch": arch, "training": training}
        for seed in (0, 1, None):
            over = {"seed": seed, "value": 0.4, "ci_low": -0.1, "ci_high": 0.9}
            rows += [named | over | {"metric": metric} for metric in ("mean_probability_gap", "test_accuracy")]
        rows.append(named | {"metric": "difference", "rival": "ce", "value": 0.1})
    return _full(rows, accuracy.COLUMNS), {}


def _wrong_class_ranks() -> tuple[Rows, Arrays]:
    rows = competitors.wrong_classes(competitors.PANELS[:3], budgets=4, images=40)
    return _full(rows, RANK_COLUMNS), {}


def _masking_arguments() -> tuple[Rows, Arrays]:
    return _full(competitors.masking(competitors.TRAININGS[:3]), MASKING_COLUMNS), {}


def _jury_verdicts() -> tuple[Rows, Arrays]:
    return _full(fake_jury.verdict_rows(), [*VERDICT_COLUMNS, "value"]), {}


def _diagnostics_map() -> tuple[Rows, Arrays]:
    return _full(fake_jury.diagnostic_rows(), DIAGNOSTIC_COLUMNS), {}


KINDS: dict[str, Callable[[], tuple[Rows, Arrays]]] = {
    "boundaries": _boundaries,
    "weights_and_curves": _weights_and_curves,
    "landscape": _landscape,
    "epsilon_curves": _accuracy,
    "accuracy_table": _accuracy,
    "parameter_grid": _parameter_grid,
    "level_curves": _level_curves,
    "embedding": _embedding,
    "gap_bound": _gap_bound,
    "tsne": _tsne,
    "mean_gaps": _mean_gaps,
    "wrong_class_ranks": _wrong_class_ranks,
    "masking_arguments": _masking_arguments,
    "jury_verdicts": _jury_verdicts,
    "diagnostics_map": _diagnostics_map,
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
        draw(self.kind, {"kind": self.kind, "trainings": TRAININGS} | exhibit, self.csv, self.npz, out_stem)
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
    assert {kind for kind, entry in catalogue("exhibits").items() if "figure" in entry.about} == set(KINDS)


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
        "import sys; from pathlib import Path; from draw import draw; folder = Path(sys.argv[2]);"
        "draw(sys.argv[1], {}, folder / 'e.csv', folder / 'e.npz', folder / sys.argv[3])"
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


@pytest.mark.parametrize("inputs", [kind for kind in sorted(KINDS) if "training" in KINDS[kind]()[0][0]], indirect=True)
def test_one_training_and_one_seed_are_enough(inputs: Inputs, tmp_path: Path) -> None:
    clean = (row["training"] for row in inputs.rows if row.get("attack") in ("none", None, ""))
    one = next(clean, inputs.rows[0]["training"])
    # A single seed has an aggregated row too, wherever its kind has such rows.
    rows = [
        row | {"rival": None} for row in inputs.rows if row["training"] == one and row.get("metric") != "difference"
    ]
    rows = [row for row in rows if row.get("seed") in (None, 0)]
    write_csv(inputs.csv, rows, list(rows[0]))
    if inputs.npz:
        write_npz(inputs.npz, {key: value for key, value in read_npz(inputs.npz).items() if of(one, key)})
    png, pdf = inputs.draw(tmp_path / "figure")
    assert png.startswith(b"\x89PNG") and pdf.startswith(b"%PDF")


def of(training: object, array: str) -> bool:
    """Whether an array is one training's, or no training's."""
    named = set(array.split("/")) & {*TRAININGS, *competitors.TRAININGS}
    return not named or training in named


def test_no_rows_and_no_arrays_are_refused(inputs: Inputs, tmp_path: Path) -> None:
    if inputs.npz:
        write_npz(inputs.npz, {"other": np.zeros(1)})
        with pytest.raises(ValueError, match=r"exhibit\.npz: array"):
            inputs.draw(tmp_path / "figure")
    with inputs.csv.open("w", newline="") as file:
        csv.writer(file).writerow(inputs.rows[0])
    with pytest.raises(ValueError, match=r"exhibit\.csv: the table has no rows"):
        inputs.draw(tmp_path / "figure")


@pytest.mark.parametrize("kind", ["accuracy_table", "parameter_grid", "level_curves", "mean_gaps"])
def test_a_table_without_accuracies_is_refused(kind: str, tmp_path: Path) -> None:
    rows = [row | {"metric": "difference", "seed": 0} for row in KINDS[kind]()[0]]
    write_csv(tmp_path / "e.csv", rows, list(rows[0]))
    with pytest.raises(ValueError, match=r"e\.csv: no rows with a(n accuracy| mean probability gap)"):
        draw(kind, {}, tmp_path / "e.csv", None, tmp_path / "e")
    assert not (tmp_path / "e.png").exists()


def test_an_embedding_without_points_is_refused(tmp_path: Path) -> None:
    rows, arrays = _embedding()
    write_csv(tmp_path / "e.csv", rows, EMBEDDING_COLUMNS)
    del arrays["points/cifar10/isce"]
    write_npz(tmp_path / "e.npz", arrays)
    with pytest.raises(ValueError, match=r"e\.npz: array 'points/cifar10/isce' is missing"):
        draw("embedding", {}, tmp_path / "e.csv", tmp_path / "e.npz", tmp_path / "e")


def test_attacked_images_stand_beside_clean_ones_in_the_colour_of_their_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Figure] = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    rows, arrays = competitors.scatters(images=40, fooling=15)
    arrays["perplexity/clean/mnist/isce"] = np.array(40 / 3)
    write_csv(tmp_path / "e.csv", _full(rows, TSNE_COLUMNS), TSNE_COLUMNS)
    write_npz(tmp_path / "e.npz", arrays)
    draw("tsne", {"trainings": ["ce_isce", "isce"]}, tmp_path / "e.csv", tmp_path / "e.npz", tmp_path / "e")
    axes = seen[0].subfigs[0].axes
    assert [one.get_title() for one in axes] == [
        *("CE\nclean", "CE\nand FGSM, ε = 0.3: 15 fool it"),
        *("I-SCE\nclean\nperplexity 13.3", "I-SCE\nand FGSM, ε = 0.3: 15 fool it"),
    ]
    assert [len(one.collections) for one in axes] == [1, 2, 1, 2]
    dots, crosses = axes[1].collections
    assert (len(dots.get_offsets()), len(crosses.get_offsets())) == (40, 15)
    # The attacked images' classes go on where the clean ones' stop: image 40 is of class 0, as image 0 is.
    assert np.allclose(crosses.get_edgecolors()[0][:3], dots.get_facecolors()[0][:3])
    assert not np.allclose(crosses.get_edgecolors()[1][:3], dots.get_facecolors()[0][:3])


def test_bars_of_ranks_stack_to_all_newly_fooled_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Figure] = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    rows = _full(competitors.wrong_classes(competitors.PANELS[:1], budgets=20, images=900), RANK_COLUMNS)
    write_csv(tmp_path / "e.csv", rows, RANK_COLUMNS)
    draw("wrong_class_ranks", {}, tmp_path / "e.csv", None, tmp_path / "e")
    shares, counts = seen[0].axes
    bars = [patch for patch in shares.patches if isinstance(patch, Rectangle)]
    assert len(bars) == 5 * 21
    tops = {round(bar.get_x() + bar.get_width() / 2): bar.get_y() + bar.get_height() for bar in bars}
    assert tops == {0: 0} | dict.fromkeys(range(1, 21), pytest.approx(100))
    expected = [row["value"] for row in rows if row["quantity"] == "new" and row["epsilon_printed"]]
    assert counts.lines[0].get_ydata().tolist() == expected
    assert shares.lines[0].get_ydata().tolist() == [18.0] * 20  # chance, wherever there are images
    assert len(shares.get_xticks()) <= 8 and shares.get_xticklabels()[0].get_text() == "0.000"


def test_trainings_have_the_declared_order_also_by_data_set() -> None:
    found = ("d", "c", "b", "a")
    assert tidy.order(["a", "b", "x"], found) == ["a", "b", "d", "c"]
    assert tidy.order({"cifar10": ["c", "a"], "mnist": ["a", "b", "c"]}, found) == ["a", "b", "c", "d"]


def test_a_figure_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), style.page(tmp_path / "figure", style.COLUMN, 1):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_trainings_are_told_apart() -> None:
    looks = [style.look(training) for training in TRAININGS + COMPETITORS]
    for part in ("colour", "line", "marker", "label"):
        assert len({getattr(look, part) for look in looks}) == len(looks), part


def test_ten_trainings_of_one_paper_are_told_apart() -> None:
    looks = [style.look(training) for training in TEN]
    for part in ("line", "marker", "label"):
        assert len({getattr(look, part) for look in looks}) == len(TEN), part
    assert [look.label for look in looks] == [labels.name(training) for training in TEN]
    assert style.look("ce_isce") == style.look("ce") == style.look("ce_pc")
    # Adversarial training has one colour, in both readings of its budget.
    colours = {look.colour for look in looks}
    assert len(colours) == len(competitors.TRAININGS)
    assert min(seen_apart(one, other) for one, other in combinations(colours, 2)) > 20


# Who lacks the cones for red or for green, and who lacks neither: linear RGB (Machado et al. 2009, severity 1).
EYES = (
    np.eye(3),
    np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
)


def seen_apart(one: str, other: str) -> float:
    """The smallest distance of two colours in CIE Lab over the three ways of seeing; about 2 is just noticed."""
    return min(float(np.linalg.norm(lab(one, eye) - lab(other, eye))) for eye in EYES)


def lab(colour: str, eye: np.ndarray) -> np.ndarray:
    value = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.clip(eye @ np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4), 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    part = xyz / np.array([0.9505, 1, 1.089])
    root = np.where(part > 0.008856, np.cbrt(part), 7.787 * part + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def test_many_trainings_are_named_at_the_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    for module in (by_network, by_training):
        monkeypatch.setattr(module, "draw", lambda *_, name=module.__name__: chosen.append(name.rpartition("_")[2]))
    for count in (4, 5, 10):
        rows = competitors.accuracies(competitors.TRAININGS[:count])
        write_csv(tmp_path / "e.csv", rows, accuracy.COLUMNS)
        draw("accuracy_table", {"rival": "ce_isce"}, tmp_path / "e.csv", None, tmp_path / "e")
    assert chosen == ["network", "training", "training"]


@pytest.mark.parametrize("splits", [("test",), ("train", "test")])
def test_ten_trainings_under_nine_attacks(
    tmp_path: Path, splits: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    rows = competitors.accuracies(splits=splits)
    write_csv(tmp_path / "e.csv", rows, accuracy.COLUMNS)
    told = {"trainings": competitors.TRAININGS, "rival": "ce_isce"}
    draw("accuracy_table", told, tmp_path / "e.csv", None, tmp_path / "e")
    (page,) = seen
    blocks = [band.axes for band in page.subfigs]
    assert [len(axes) for axes in blocks] == [10, 10]  # no attack and nine, for each of two networks
    first = blocks[0][0]
    assert [text.get_text() for text in first.get_yticklabels()] == [labels.name(one) for one in competitors.TRAININGS]
    # Every training has its dot in every panel, and the rival's line is there.
    for axes in (axes for block in blocks for axes in block):
        marked = [line for line in axes.lines if line.get_marker() == style.look("isce").marker]
        assert len(marked) == len(splits)
        assert [line for line in axes.lines if line.get_linestyle() == ":"]
    titles = [axes.get_title() for axes in blocks[0]]
    assert titles[0] == "no attack"
    assert "L2 PGD\nε = 0.02, 50 steps\ntargeted: least likely\nε: step" in titles
    assert "SimBA\nε = 0.5, 300 queries\nuntargeted" in titles
    # Nothing is drawn over anything else: titles do not reach into the panel beside them.
    page.draw_without_rendering()
    boxes = [axes.title.get_window_extent() for axes in blocks[0][:5]]
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))


def test_networks_under_other_attacks_have_panels_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def attacked(kind: str, *epsilons: str) -> tuple[tuple[object, ...], ...]:
        return tuple(
            (f"{method}_{kind}", "linf", epsilon, 10, "untargeted", "")
            for method in ("fgsm", "pgd", "mim")
            for epsilon in epsilons
        )

    gray = tuple((dataset, "digits_gray", "lenet5") for dataset in ("mnist", "kmnist", "fashion_mnist"))
    colour = tuple((dataset, "digits_colour", "vgg13") for dataset in ("cifar10", "svhn"))
    pair = ("ce_pc", "pc")
    apart = competitors.accuracies(pair, gray, attacked("gray", "0.1", "0.2"))
    apart += competitors.accuracies(pair[:1], colour, attacked("colour", "0.04", "0.12"))
    every = attacked("gray", "0.1", "0.2") + attacked("colour", "0.04", "0.12")
    shared = competitors.accuracies(pair, (*gray, *colour), every)
    apart, shared = (
        [*rows, *(row | {"split": "train"} for row in rows if row["attack"] == "none")] for rows in (apart, shared)
    )
    seen: list[Figure] = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    for at, rows in enumerate((apart, shared)):
        write_csv(tmp_path / f"{at}.csv", rows, accuracy.COLUMNS)
        draw("accuracy_table", {}, tmp_path / f"{at}.csv", None, tmp_path / str(at))
    page, usual = seen
    # Where all face the same attacks they share one grid of panels.
    assert not usual.subfigs and len(usual.axes) == 13
    assert all(len(axes.get_yticks()) == 5 and axes.get_xlabel() for axes in usual.axes)
    names = [[text.get_text() for text in band.axes[0].get_yticklabels()] for band in page.subfigs]
    assert [[name.partition("\n")[2].partition(" ")[0] for name in block] for block in names] == [
        ["MNIST", "KMNIST", "Fashion-MNIST"],
        ["CIFAR-10", "SVHN"],
    ]
    titles = [[axes.get_title() for axes in band.axes] for band in page.subfigs]
    assert [(len(block), block[:2]) for block in titles] == [
        (7, ["no attack", "FGSM\nε = 0.1 (printed)"]),
        (7, ["no attack", "FGSM\nε = 0.04 (printed)"]),
    ]
    for band, count in zip(page.subfigs, (3 * 2, 2 * 1), strict=True):
        clean, *others = ([line for line in axes.lines if line.get_markersize() == 4] for axes in band.axes)
        assert len(clean) == 2 * count and all(len(dots) == count for dots in others)  # a row has all its dots
        # Dots of training images, which are not attacked, share the room of their network's row.
        rows = [round(line.get_ydata()[0]) for line in clean]
        assert sorted(rows) == sorted([*range(len(band.axes[0].get_yticks()))] * (len(rows) // (max(rows) + 1)))
        # The scale stands under every column, its name under the last row.
        assert [axes.xaxis.get_tick_params()["labelbottom"] for axes in band.axes] == [False] * 3 + [True] * 4
    assert page.get_figheight() < 0.55 * usual.get_figheight()
    page.draw_without_rendering()
    first, second = (band.axes for band in page.subfigs)
    lowest = min(axes.get_tightbbox().y0 for axes in first)
    assert max(axes.get_tightbbox().y1 for axes in second) <= lowest


def test_panels_without_a_bound_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = _accuracy()
    rows = [row for row in rows if row["epsilon"] != 0.1 and row["track"] != "honest"]
    free = [row | {"attack": "cw_100", "epsilon": None, "epsilon_printed": "unbounded"} for row in rows if row["track"]]
    longer = [row | {"attack": "cw_1000", "steps": 1000} for row in free]
    write_csv(tmp_path / "e.csv", [*rows, *free, *longer], accuracy.COLUMNS)
    seen: list[Figure] = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    draw("accuracy_table", {}, tmp_path / "e.csv", None, tmp_path / "e")
    (page,) = seen
    titles = [axes.get_title() for axes in page.axes]
    assert titles[1:] == ["PGD\nε = 0.01 (printed)", "C&W-100\nunbounded (printed)", "C&W-1000\nunbounded (printed)"]
    panels = accuracy_dots.panels([{key: str(row.get(key) or "") for key in accuracy.COLUMNS} for row in longer])
    assert list(accuracy_dots.panel_titles(panels).values()) == ["C&W\nunbounded, 1000 steps"]
    # A logarithmic axis has no place for it.
    write_csv(tmp_path / "c.csv", [*rows, *free], accuracy.COLUMNS)
    draw("epsilon_curves", {}, tmp_path / "c.csv", None, tmp_path / "c")
    curves = [axes for axes in seen[-1].axes if "C&W" in axes.get_ylabel()]
    assert curves and all(np.isfinite(line.get_xdata()).all() for axes in curves for line in axes.lines)


def test_a_grid_marks_its_best_point_and_what_is_not_told_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Figure] = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    rows = competitors.sweep({"s": (1.0, 2.0), "m": (0.02, 0.1)}, competitors.NETWORKS[:1], competitors.ATTACKS[:1])
    attacked = {(row["x"], row["y"]): row for row in rows if row["attack"] != "none" and row["metric"] != "difference"}
    for (x, y), value in {(1.0, 0.02): 20.0, (1.0, 0.1): 50.0, (2.0, 0.02): 48.0, (2.0, 0.1): 30.0}.items():
        attacked[x, y] |= {"value": value, "ci_low": value - 5, "ci_high": value + 5}
    best = attacked[1.0, 0.1]
    rows = [row for row in rows if row["metric"] != "difference"]
    for place, half in (((1.0, 0.02), 6), ((2.0, 0.02), 3), ((2.0, 0.1), 6)):
        gap = attacked[place]["value"] - 50.0
        change = {"metric": "difference", "rival": best["training"], "value": gap}
        rows.append(attacked[place] | change | {"ci_low": gap - half, "ci_high": gap + half})
    write_csv(tmp_path / "e.csv", _full(rows, SWEEP_COLUMNS), SWEEP_COLUMNS)
    draw("parameter_grid", {}, tmp_path / "e.csv", None, tmp_path / "e")
    panel = next(axes for axes in seen[0].subfigs[0].axes if axes.get_title().startswith("L2 PGD"))
    (frame,) = (patch for patch in panel.patches if isinstance(patch, Rectangle))
    assert frame.get_xy() == (-0.5, 0.5)  # s = 1, m = 0.1
    assert [(round(float(x)), round(float(y))) for line in panel.lines for x, y in line.get_xydata()] == [(1, 0)]
    assert [text.get_text() for text in panel.texts] == ["20", "50", "48", "30"]
    # 30 points of range are more than twice the interval of 10, so that they span the colours.
    assert panel.images[0].get_clim() == (20.0, 50.0)
    clean = next(axes for axes in seen[0].subfigs[0].axes if axes.get_title() == "no attack")
    low, high = clean.images[0].get_clim()
    assert high - low == pytest.approx(2 * 11) and high == pytest.approx(100)  # 95 [89, 100], and no differences


def test_a_curve_tells_its_maximum_with_its_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Figure] = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    rows = competitors.sweep({"defence.epsilon": (0.0, 1.0, 2.0)}, competitors.NETWORKS[:1], competitors.ATTACKS[:1])
    attacked = [row for row in rows if row["attack"] != "none" and row["metric"] != "difference"]
    top = max(attacked, key=lambda row: row["value"])
    write_csv(tmp_path / "e.csv", _full(rows, SWEEP_COLUMNS), SWEEP_COLUMNS)
    draw("level_curves", {}, tmp_path / "e.csv", None, tmp_path / "e")
    (axes,) = seen[0].axes
    said = axes.get_legend().get_texts()[1].get_text()
    interval = f"{top['value']:.1f} [{top['ci_low']:.1f}, {top['ci_high']:.1f}]"
    assert said.split("\n")[1] == f"largest at {top['x']:g}: {interval}"
    stars = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "*"]
    assert [top["x"], top["value"]] in [star[0] for star in stars] and len(stars) == 2
    assert axes.get_xlabel() == "ε in training"


def test_an_embedding_has_one_scale_on_three_axes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Figure] = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    rows, arrays = competitors.embeddings(("isce",), (("mnist", "mnist"),), images=200)
    arrays["points/mnist/isce"] *= np.array([1, 1, 0.01], np.float32)
    write_csv(tmp_path / "e.csv", _full(rows, EMBEDDING_COLUMNS), EMBEDDING_COLUMNS)
    write_npz(tmp_path / "e.npz", arrays)
    draw("embedding", {}, tmp_path / "e.csv", tmp_path / "e.npz", tmp_path / "e")
    (axes,) = seen[0].subfigs[0].axes
    lengths = [high - low for low, high in (axes.get_xlim(), axes.get_ylim(), axes.get_zlim())]
    assert lengths == pytest.approx([lengths[0]] * 3)
    name, scale, share = axes.get_title().split("\n")
    assert (name, share) == ("I-SCE", "main 3 of 64 axes: 87 %")
    assert float(scale.removeprefix("each axis ± ")) == pytest.approx(lengths[0] / 2, rel=0.01)
    assert sorted(text.get_text() for text in axes.texts) == [str(label) for label in range(10)]


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
    assert labels.attack("pgd_l2_50_tar", ("50",)) == "L2 PGD"
    assert (labels.attack("deepfool_10"), labels.attack("simba")) == ("DeepFool-10", "SimBA")
    assert (labels.steps("simba", "300"), labels.steps("pgd", "1"), labels.steps("pgd", "")) == (
        "300 queries",
        "1 step",
        "",
    )
    assert (labels.reading("per_step"), labels.reading("")) == ("ε: each L2 step", "")
    assert (labels.name("mmc_sp"), labels.name("ce_isce"), labels.name("sp_ce")) == ("MMC", "CE", "SP-CE")
    assert labels.dataset("cifar10", "digits_colour") == "CIFAR-10 (here: digits colour)"
    assert (labels.short(0.01234), labels.short(0.000021)) == ("0.0123", "2.1×10⁻⁵")


def test_figures_do_not_import_torch_or_pandas() -> None:
    modules = ", ".join(
        sorted(entry.module_of("figure") for entry in catalogue("exhibits").values() if "figure" in entry.about)
    )
    code = f"import sys, {modules}; assert not {{'torch', 'pandas', 'seaborn'}} & set(sys.modules)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_planes_share_the_heights_of_a_loss_and_the_package_names_its_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Figure] = []
    monkeypatch.setattr(style, "page", watched_page(seen))
    rows, arrays = _landscape()
    write_csv(tmp_path / "e.csv", rows, list(rows[0]))
    write_npz(tmp_path / "e.npz", arrays)
    draw("landscape", {}, tmp_path / "e.csv", tmp_path / "e.npz", tmp_path / "e")
    ours, package = seen[0].subfigs
    assert "biases and batch-norm weights move too" in package.get_supxlabel()
    assert "fault" not in ours.get_supxlabel()
    bars = [
        {axes.get_xlabel(): axes.get_xlim() for axes in band.axes if axes.get_label() == "<colorbar>"}
        for band in (ours, package)
    ]
    assert bars[0] == bars[1]
    assert set(bars[0]) >= {"cross-entropy, log scale", "SP focal loss, log scale"}
    finite = np.concatenate([grid[np.isfinite(grid)] for name, grid in arrays.items() if name.endswith("/ce")])
    assert bars[0]["cross-entropy, log scale"] == pytest.approx((finite.min(), finite.max()))
