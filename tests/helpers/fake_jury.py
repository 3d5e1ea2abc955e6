"""Judged networks with invented outcomes: honest ones, ones that mask their gradients, controls."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fake_records import context

from lossproof.exhibits.context import Context
from lossproof.exhibits.diagnostics_map.kind import DiagnosticsMap
from lossproof.exhibits.jury_verdicts.kind import JuryVerdicts
from lossproof.paths import Run
from lossproof.records import write_json, write_npz

ATTACKS = {
    "jury_pgd": {"method": "pgd", "track": "printed", "steps": 40},
    "jury_linf": {"method": "ensemble", "track": "honest", "norm": "linf"},
    "jury_l2": {"method": "ensemble", "track": "honest", "norm": "l2"},
}
MEMBERS = ("apgd_ce", "apgd_t", "fab_t", "margin", "unit_gap", "float64", "square", "transfer")
# id: name, of, title, unit, threshold
DIAGNOSTICS = {
    "D1": ("zero_gradients", "model", "input gradients that are exactly zero", "percent", 0),
    "D2": ("gradient_size", "model", "gradients of cross entropy too small for float32", "percent", 1),
    "D3": ("one_step", "attack", "FGSM less PGD", "points", 0),
    "D4": ("unbounded", "attack", "right without any bound", "percent", 0),
    "D5": ("monotone", "attack", "accuracy that rises with the budget", "points", 1),
    "D6": ("silent_success", "attack", "fooled on the way, right at the end", "percent", 0),
    "D7": ("unfinished", "attack", "what the last steps still gain, as a share of the loss's range", "share", 0.05),
    "D8": ("black_box", "model", "what Square fools beyond the worst case with gradients", "points", 0.2),
    "D9": ("unstable", "model", "relative change of the loss around an image, beyond the twin's", "share", 0.1),
    "D10": ("transfer_failure", "attack", "points that fool what was attacked and not what is deployed", "percent", 0),
    "D11": ("twin_transfer", "model", "PGD on the twin less PGD", "points", 0),
    "D12": ("outputs", "model", "outputs that differ from pass to pass, or are no logits", "", None),
    "D13": ("logit_scale", "model", "what PGD gains when logits are scaled, or in float64", "points", 1),
    "D14": ("loss_swap", "attack", "what targets gain over cross entropy and over the margin", "points", 2),
    "D15": ("effort", "attack", "what the longest PGD gains over the one before", "points", 1),
    "D16": ("noise", "attack", "random noise less PGD", "points", 0),
    "D17": ("spsa", "model", "SPSA less PGD", "points", 0),
    "D18": ("simba", "model", "steps that SimBA accepts by probability, of those it accepts by margin", "ratio", 0.5),
    "D19": ("minimal_norm", "attack", "by how much DeepFool's points are nearer than C&W's", "percent", 5),
    "D20": ("unmoved", "attack", "points that are the image itself, or no numbers", "percent", 0),
}
Counts = dict[str, Sequence[int]]


def judged(context: Context, run: Run, counts: Counts, seeds: int = 3, images: int = 100, spread: int = 1) -> None:
    """Attack records of a run: per attack the first images that are right at its budgets; seed k keeps k * spread more.

    The last five images are wrong without attack.
    """
    labels = np.arange(images) % 10
    wrong = (labels + 1) % 10
    clean = np.where(np.arange(images) < images - 5, labels, wrong)
    budgets = {"l2": ("0.5", "1"), "linf": ("0.05", "0.1")}
    for attack, kept in counts.items():
        settings = ATTACKS[attack]
        for seed in range(seeds):
            right = [min(max(count + seed * spread, 0), images - 5) if count else 0 for count in kept]
            adversarial = np.stack([np.where(np.arange(images) < one, labels, wrong) for one in right])
            results: list[dict[str, Any]] = []
            for epsilon, one in zip(budgets[settings.get("norm", "linf")], right, strict=True):
                result = {"epsilon": epsilon, "epsilon_value": float(epsilon), "accuracy": 100 * one / images}
                result |= {"ci_low": max(0.0, 100 * one / images - 7), "ci_high": min(100.0, 100 * one / images + 7)}
                if settings["method"] == "ensemble":
                    falls = 100 / images * np.linspace(images - 5, one, len(MEMBERS))
                    result |= {f"stands_{name}": float(left) for name, left in zip(MEMBERS, falls, strict=True)}
                results.append(result)
            base = context.root / context.paths.attack(run, seed, "test", attack)
            record = {"attack": settings, "results": results, "clean_accuracy": 100 * (images - 5) / images}
            write_json(base, record | {"n_images": images, "run": run._asdict() | {"seed": seed}})
            arrays = {"index": np.arange(images) * 2, "label": labels, "clean": clean, "adversarial": adversarial}
            write_npz(base.with_suffix(".npz"), arrays)


def diagnosis(raised: dict[str, float] | None = None, masked: bool = False) -> dict[str, Any]:
    """A record of the diagnostics; ``raised``: values by id. A masked network has the curves of one."""
    axis = np.linspace(-1, 1, 13)
    across, along = np.meshgrid(axis, axis)
    gap = (0.2 + 0.1 * along + 6 * np.exp(-30 * along**2)) if masked else 3 - 4 * along + 0.6 * across**2
    epsilon = [0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15]
    falling = [100.0, 96.7, 88.5, 70.5, 36.1, 11.5, 1.6, 0.0]
    curves: dict[str, dict[str, Any]] = {
        "monotone": {"epsilon": epsilon, "accuracy": [100, 98, 95, 93, 90, 91, 88, 89] if masked else falling},
        "logit_scale": {
            "scale": [0.01, 0.1, 1, 10, 100],
            "accuracy": [0.0, 3.3, 88.0, 96.7, 100.0] if masked else [1.6, 1.6, 1.6, 13.1, 80.3],
            "float64": 42.6 if masked else 1.6,
        },
        "loss_swap": {
            "loss": ["ce", "margin", "dlr", "targeted dlr", "own"],
            "accuracy": [88.0, 4.9, 3.3, 0.0, 90.2] if masked else [1.6, 1.6, 0.0, 0.0, 4.9],
        },
        "effort": {
            **{"steps": [10, 50, 200], "steps_accuracy": [93.4, 86.9, 70.5] if masked else [4.9, 1.6, 1.6]},
            **{"restarts": [1, 5, 20], "restarts_accuracy": [88.5, 77.0, 60.7] if masked else [1.6, 1.6, 0.0]},
        },
        "noise": {"accuracy": 85.2 if masked else 96.7},
        "surface": {"along": axis.tolist(), "across": axis.tolist(), "gap": gap.tolist(), "ce": np.exp(-gap).tolist()},
    }
    found: dict[str, dict[str, Any]] = {}
    for identity, (name, of, title, unit, threshold) in DIAGNOSTICS.items():
        value = (raised or {}).get(identity, 0.0 if threshold is not None else None)
        flag = "not judged" if threshold is None else "raised" if identity in (raised or {}) else "clear"
        found[name] = {"id": identity, "title": title, "of": of, "value": value, "unit": unit, "threshold": threshold}
        found[name] |= {"flag": flag, "n_images": 61, "says": f"{title}: {value} {unit}.", "source": "arXiv:1902.06705"}
        found[name]["curves"] = curves.get(name, {})
    found["surface"] = {"id": "", "title": "surface", "of": "model", "value": None, "unit": "", "threshold": None}
    found["surface"] |= {"flag": "not judged", "n_images": 61, "says": "", "source": "", "curves": curves["surface"]}
    record = {"schema": 1, "kind": "diagnostics", "norm": "linf", "epsilon": "0.1", "epsilon_value": 0.1}
    run = {"dataset": "digits_gray", "arch": "lenet5", "training": "isce", "seed": 0}
    return record | {"run": run, "n_images": 61, "clean_accuracy": 95.3, "diagnostics": found}


def diagnose(context: Context, run: Run, seed: int, record: dict[str, Any]) -> None:
    """Write a record of the diagnostics of one seed."""
    record = record | {"run": run._asdict() | {"seed": seed}}
    write_json(context.root / context.paths.diagnosis(run, seed), record)


def declaration(*runs: Run, twin: str = "ce_isce", controls: dict[str, str] | None = None) -> dict[str, Any]:
    """What the kinds' declarations hold of some runs: the twin of all that are not it, and what controls are."""
    controls = controls or {}
    told = [
        run._asdict() | {"twin": "" if run.training == twin else twin, "control": controls.get(run.training, "")}
        for run in runs
    ]
    return {"judged": told, "attacks": list(ATTACKS)}


def collected(context: Context, *runs: Run, **more: Any) -> list[dict[str, Any]]:
    """Rows of the verdicts on runs whose records are there."""
    return JuryVerdicts.collect(declaration(*runs, **more), context).rows


NETWORK = ("digits_gray", "lenet5")
CE, ISCE, AT, SCALED = (Run(*NETWORK, training) for training in ("ce_isce", "isce", "at", "ce_x100"))
CONTROLS = {"ce_x100": "logits of ce_isce x 100"}
# Images that are right at both budgets.
KEPT: dict[Run, Counts] = {
    ISCE: {"jury_pgd": (80, 70), "jury_linf": (21, 0), "jury_l2": (20, 0)},
    CE: {"jury_pgd": (30, 5), "jury_linf": (20, 0), "jury_l2": (20, 0)},
    AT: {"jury_pgd": (85, 60), "jury_linf": (80, 50), "jury_l2": (70, 40)},
    SCALED: {"jury_pgd": (90, 88), "jury_linf": (20, 0), "jury_l2": (20, 0)},
}
RAISED = {CE: {}, ISCE: {"D13": 85.0, "D2": 40.0, "D14": 88.0}, AT: {}, SCALED: {"D1": 99.0}}


def four(root: Path, seeds: int = 3) -> Context:
    """A loss that masks, its twin, adversarial training, and a control."""
    told = context(root, seeds=seeds)
    for run, counts in KEPT.items():
        judged(told, run, counts, seeds)
        diagnose(told, run, 0, diagnosis(RAISED[run]))
    return told


def verdict_rows() -> list[dict[str, Any]]:
    """Tidy rows of the verdicts on the four."""
    with tempfile.TemporaryDirectory() as folder:
        return collected(four(Path(folder)), *KEPT, controls=CONTROLS)


def diagnostic_rows() -> list[dict[str, Any]]:
    """Tidy rows of the diagnostics of the four."""
    with tempfile.TemporaryDirectory() as folder:
        return DiagnosticsMap.collect(declaration(*KEPT, controls=CONTROLS), four(Path(folder))).rows
