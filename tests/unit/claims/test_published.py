"""Rows of runs that we publish."""

from __future__ import annotations

import re

import pytest

from editions import ROOT
from lossproof.claims.published import COLUMNS, unprinted, with_run
from lossproof.display_names import in_full, name
from lossproof.drawing.quantity import quantity
from lossproof.records import read_csv

TIDY = {
    "paper": "mnist", "exhibit": "small", "dataset": "mnist", "data": "mnist", "arch": "lenet5", "training": "sp_focal",
    "rival": "", "seed": "", "seeds": "3", "split": "test", "metric": "adversarial_accuracy", "attack": "pgd",
    "track": "printed", "norm": "linf", "epsilon": "0.1", "epsilon_printed": "0.1", "steps": "40", "step_size": "",
    "method": "pgd", "momentum": "", "reading": "",
    "value": "12.5", "ci_low": "10.0", "ci_high": "15.0", "n_images": "1000", "record": "a/seed*/pgd.json",
}  # fmt: skip


def test_rows_over_seeds_only_and_differences_name_their_rival():
    one, gap = unprinted([TIDY, TIDY | {"seed": "0"}, TIDY | {"metric": "difference", "rival": "ce"}])
    assert (one["measured"], one["value"], one["unit"], one["note"]) == ("12.5", "", "percent", "")
    assert (gap["against"], gap["unit"]) == ("ce", "percentage_points")
    assert unprinted([TIDY | {"reading": "radius"}])[0]["note"] == "epsilon read as: radius"


def test_norms_are_means_at_the_last_epoch():
    base = {"paper": "sp", "exhibit": "fig_7", "dataset": "mnist", "data": "mine", "arch": "cnn2", "training": "ce"}
    told = (("0", "1", "9"), ("0", "2", "2"), ("1", "2", "4"))
    rows = [base | {"quantity": "norm", "seed": seed, "epoch": epoch, "value": value} for seed, epoch, value in told]
    (row,) = unprinted(rows)
    assert (float(row["measured"]), row["epochs"], row["seeds"], row["data"]) == (3.0, 2, 2, "mine")
    with pytest.raises(ValueError, match="neither accuracies nor a weight history"):
        unprinted([{"paper": "sp", "toy": "moons", "quantity": "accuracy", "epoch": "1"}])


def test_every_row_says_what_ran_it():
    run = {"edition": "e", "hardware": "h", "date": "d"}
    (row,) = with_run(unprinted([TIDY]), lambda _: {50}, {"mnist": "redrawn"}, **run)
    assert row.items() >= (run | {"epochs": "50", "data": "mnist (redrawn)"}).items()
    assert set(row) <= set(COLUMNS)
    # A row of the ledger names its data in the path of its record only.
    ledger = {key: value for key, value in unprinted([TIDY])[0].items() if key != "data"}
    ledger["record"] = "results/e/attacks/digits/lenet5/ce/seed*/test/pgd.json"
    assert with_run([ledger], lambda _: {1}, {}, **run)[0]["data"] == "digits"
    # Where another network stood in for the paper's, the row says which.
    ledger["record"] = "results/e/attacks/digits/cnn2/ce/seed*/test/pgd.json"
    assert with_run([ledger], lambda _: {1}, {}, **run)[0]["note"] == "network: cnn2"
    with pytest.raises(ValueError, match=r"mnist/small: one row from runs of \[4, 50\] epochs"):
        with_run(unprinted([TIDY]), lambda _: {50, 4}, {}, **run)


def test_published_files_have_these_columns_and_say_what_ran_them():
    for path in (ROOT / "reference/measured").glob("*.csv"):
        rows = read_csv(path)
        # Files from before the ledger told its tolerances lack that column.
        assert tuple(rows[0]) in (COLUMNS, tuple(column for column in COLUMNS if column != "tolerance"))
        for row in rows:
            assert all(row[key] for key in ("measured", "data", "hardware", "epochs", "date")), f"{path.name}: {row}"


def lines_of(rows):
    """What the README may say of published accuracies: one line per network, images and attack."""
    names = ("arch", "split", "metric", "attack", "epsilon_printed", "steps", "epochs", "seeds", "n_images")
    cells: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:
        if row["note"] or row["against"] not in ("", "ce"):
            continue
        attacked = row["metric"] in ("adversarial_accuracy", "difference") and row["attack"] != "none"
        metric = "adversarial_accuracy" if attacked else f"{row['split']}_accuracy"
        who = f"{row['training']} - {row['against']}" if row["against"] else row["training"]
        low, high = (f"{float(row[key]):.1f}" if row[key] else "" for key in ("ci_low", "ci_high"))
        shown = f"{float(row['measured']):{'+' if row['against'] else ''}.1f} [{low}, {high}]"
        cells.setdefault(tuple((row | {"metric": metric})[key] for key in names), {})[who] = shown
    for key, found in cells.items():
        about = dict(zip(names, key, strict=True))
        if {"ce", "sp_focal", "sp_focal - ce"} <= found.keys():
            network = f"{name(about['arch'])}, {about['epochs']} epochs, seeds: {about['seeds']}"
            images = f"{about['n_images']} {about['split']}"
            shown = (found["ce"], found["sp_focal"], found["sp_focal - ce"])
            yield f"| {' | '.join((network, quantity(about | {'epsilon': ''}), images, *shown))} |"


METHODS = {
    "no attack": {"metric": "test_accuracy"},
    "PGD-50, untargeted": {"attack": "pgd_l2_un_50_sign", "epsilon_printed": "0.02"},
    "PGD-50, least likely": {"attack": "pgd_l2_tar_50_sign", "epsilon_printed": "0.02"},
    "DeepFool-50 within 2": {"attack": "deepfool_50", "epsilon_printed": "2"},
    "SimBA, 300 queries, 1.5": {"attack": "simba_300", "epsilon_printed": "1.5"},
    "worst case, L2 radius 1": {"attack": "worst_case_l2", "epsilon_printed": "1"},
}


FORMS = {
    "no attack": {"metric": "test_accuracy"},
    "FGSM 0.3": {"attack": "fgsm_gray", "epsilon_printed": "0.3"},
    "PGD 0.1": {"attack": "pgd_gray", "epsilon_printed": "0.1"},
    "PGD 0.2": {"attack": "pgd_gray", "epsilon_printed": "0.2"},
    "PGD 0.3": {"attack": "pgd_gray", "epsilon_printed": "0.3"},
    "C&W-1000": {"attack": "cw_long"},
    "C&W, pixels free": {"attack": "cw_free"},
    "SPSA-10": {"attack": "spsa_10"},
    "SPSA-100": {"attack": "spsa_100"},
    "worst case 0.1": {"attack": "worst_case_gray", "epsilon_printed": "0.1"},
    "worst case 0.2": {"attack": "worst_case_gray", "epsilon_printed": "0.2"},
    "every target 0.1": {"attack": "every_target_gray", "epsilon_printed": "0.1"},
    "every target 0.2": {"attack": "every_target_gray", "epsilon_printed": "0.2"},
}


def methods_of(rows, edition="mnist_isce_cpu", methods=METHODS):
    """What the README may say of the later papers' trainings: one line per training of LeNet-5."""
    mine = [row for row in rows if row["edition"] == edition and row["arch"] in ("lenet5", "resnet32")]
    for training in dict.fromkeys(row["training"] for row in mine):
        shown = []
        for said in methods.values():
            found = [
                row for row in mine
                if row["training"] == training and row["metric"] != "difference"
                and all(row[key] == value for key, value in said.items())
            ]  # fmt: skip
            cells = [f"{float(row['measured']):.1f}" for row in found]
            shown.append(cells[0] if cells else "–")
        epochs = {row["epochs"] for row in mine if row["training"] == training}
        yield f"| {name(training)}, {'/'.join(epochs)} epochs | {' | '.join(shown)} |"


def test_the_readme_says_of_published_runs_what_their_files_say():
    rows = [row for path in sorted((ROOT / "reference/measured").glob("*.csv")) for row in read_csv(path)]
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    section = page.partition("## What real runs find")[2].partition("\n## ")[0]
    told = [line for line in section.splitlines() if line.startswith("| ") and "epochs, seeds" in line]
    assert told
    assert set(told) <= set(lines_of(rows))
    methods = [line for line in section.splitlines() if line.startswith("| ") and " epochs | " in line]
    assert len(methods) >= 9
    forms = set(methods_of(rows, "mnist_pc_cpu", FORMS))
    assert set(methods) <= set(methods_of(rows)) | forms
    assert f"| method | {' | '.join(METHODS)} |" in section
    assert len(forms & set(methods)) >= 8
    assert f"| method | {' | '.join(FORMS)} |" in section


JUDGED = {
    "PGD 0.1": ("jury_pgd", "0.1"),
    "PGD 0.2": ("jury_pgd", "0.2"),
    "strongest L∞ 0.1": ("jury_linf", "0.1"),
    "strongest L∞ 0.2": ("jury_linf", "0.2"),
    "strongest L2 1.5": ("jury_l2", "1.5"),
}
GAIN = re.compile(r"less \w+: (\S+ \[\S+, \S+\]) points")


def judged_of(rows):
    """What the README may say of the jury's networks: one line per training, its gain under PGD and what is left."""
    mine = [row for row in rows if row["edition"] == "mnist_jury_cpu"]
    for training in dict.fromkeys(row["training"] for row in mine):
        here = {(row["attack"], row["epsilon_printed"]): row for row in mine if row["training"] == training}
        cells = [f"{float(here[attack]['measured']):.1f}" for attack in JUDGED.values()]
        gains = [GAIN.search(here[attack, "0.1"]["note"]) for attack in ("jury_pgd", "jury_linf")]
        said = re.search(r"the jury says ([\w ]+)", here["jury_pgd", "0.1"]["note"])[1]
        shown = [gain[1].replace("-", "−") if gain else "–" for gain in gains]
        yield f"| {' | '.join((in_full(training), *cells, *shown, said))} |"


def test_the_readme_says_of_the_jury_what_its_file_says():
    rows = read_csv(ROOT / "reference/measured/mnist_jury_cpu-2core.csv")
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    section = page.partition("## What the jury finds")[2].partition("\n## ")[0]
    assert f"| network | {' | '.join(JUDGED)} | gain, PGD 0.1 | gain, strongest 0.1 | verdict |" in section
    told = [line for line in section.splitlines() if re.match(r"\| (?!network)", line)]
    assert set(told) == set(judged_of(rows)) and len(told) == 14


def test_the_jurys_verdicts_are_published_with_gain_and_reason():
    row = {"dataset": "mnist", "arch": "lenet5", "training": "pc", "control": "", "twin": "ce_pc", "attack": "jury_pgd"}
    row |= {"track": "printed", "norm": "linf", "epsilon": "0.1", "epsilon_printed": "0.1", "n_images": "60"}
    row |= {"seeds": "3", "clean": "100", "accuracy": "85", "low": "73.4", "high": "92.1", "paper": "jury"}
    row |= {
        "gain": "50",
        "gain_low": "23.6",
        "gain_high": "76.4",
        "verdict": "gain vanishes",
        "why": "so",
        "record": "r",
    }
    (found,) = unprinted([row | {"exhibit": "verdicts"}])
    assert found["note"] == "the jury says gain vanishes; less ce_pc: +50.0 [23.6, 76.4] points"
    assert (found["measured"], found["ci_low"], found["ci_high"], found["reason"]) == ("85", "73.4", "92.1", "so")
    (alone,) = unprinted(
        [row | {"exhibit": "verdicts", "gain": "", "control": "logits of ce_pc x 2", "verdict": "control"}]
    )
    assert alone["note"] == "logits of ce_pc x 2; the jury says control"
