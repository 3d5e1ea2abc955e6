"""Tidy rows of clean and attacked accuracy: per seed, over seeds, and against a rival training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lossproof.exhibits.context import Context
from lossproof.exhibits.outcomes import right_after
from lossproof.exhibits.stand_ins import StandIns, run_of
from lossproof.paths import Paths, Run
from lossproof.records import read_json, read_npz
from lossproof.statistics import intervals

COLUMNS = [
    "paper",
    "exhibit",
    "dataset",
    "data",
    "arch",
    "training",
    "rival",
    "seed",
    "seeds",
    "split",
    "metric",
    "attack",
    "method",
    "track",
    "norm",
    "epsilon",
    "epsilon_printed",
    "steps",
    "step_size",
    "momentum",
    "targeted",
    "reading",
    "value",
    "ci_low",
    "ci_high",
    "n_images",
    "record",
]

# What is said of a measurement: the columns that name it, and outcomes [S, N] behind it.
Measured = tuple[dict[str, Any], np.ndarray]


def _clean(root: Path, paths: Paths, run: Run, seeds: Sequence[int]) -> Iterable[Measured]:
    for split in ("train", "test"):
        files = [read_npz(root / paths.model(run, seed, "predictions.npz")) for seed in seeds]
        correct = np.stack([file[f"{split}_prediction"] == file[f"{split}_label"] for file in files])
        named = {"split": split, "metric": f"{split}_accuracy", "attack": "none"}
        yield named | {"record": paths.model(run, "*", "record.json")}, correct


def said_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the settings in an attack's record say in every tidy row of it.

    ``targeted``: untargeted, or what the attack aims at; ``reading``: what its budget means, where there are
    several ways to read it. A black-box attack's steps are its queries.
    """
    aim = settings.get("targeted")
    return {
        "method": settings["method"],
        "track": settings["track"],
        "norm": settings.get("norm", "linf"),
        "steps": settings.get("steps", settings.get("queries", 1)),
        "step_size": settings.get("step_size"),
        "momentum": settings.get("momentum"),
        "targeted": "untargeted" if aim in (None, "", "none") else aim,
        "reading": settings.get("reading") or "",
    }


def _attacked(root: Path, paths: Paths, run: Run, seeds: Sequence[int], attack: str, split: str) -> Iterable[Measured]:
    records = [read_json(root / paths.attack(run, seed, split, attack)) for seed in seeds]
    arrays = [read_npz(root / paths.attack(run, seed, split, attack, "npz")) for seed in seeds]
    shared = said_of(records[0]["attack"])
    for at, result in enumerate(records[0]["results"]):
        yield (
            {
                "split": split,
                "metric": "adversarial_accuracy",
                "attack": attack,
                "epsilon": result["epsilon_value"],
                "epsilon_printed": result["epsilon"],
                "record": paths.attack(run, "*", split, attack),
            }
            | shared,
            np.stack([right_after(array)[at] for array in arrays]),
        )


def measurements(
    root: Path,
    paths: Paths,
    run: Run,
    seeds: Sequence[int],
    attacks: Sequence[str],
    splits: dict[str, list[str]],
) -> list[Measured]:
    """Everything measured on one run."""
    found = list(_clean(root, paths, run, seeds))
    for attack in attacks:
        for split in splits[attack]:
            found += _attacked(root, paths, run, seeds, attack, split)
    return found


def rows(
    named: dict[str, Any], measured: Sequence[Measured], rival: str | None, against: Sequence[Measured]
) -> Iterable[dict[str, Any]]:
    """Tidy rows of one run; ``against`` holds the rival's measurements in the same order."""
    for number, (what, correct) in enumerate(measured):
        seeds, images = correct.shape
        shared = named | what | {"n_images": images}
        for seed in range(seeds):
            value, low, high = intervals.accuracy(correct[seed : seed + 1])
            record = what["record"].replace("seed*", f"seed{seed}")
            one = {"seed": seed, "seeds": 1, "value": value, "ci_low": low, "ci_high": high, "record": record}
            yield shared | one
        value, low, high = intervals.accuracy(correct)
        yield shared | {"seeds": seeds, "value": value, "ci_low": low, "ci_high": high}
        if rival is not None:
            yield _difference(shared, correct, rival, against[number][1])


def _difference(shared: dict[str, Any], correct: np.ndarray, rival: str, other: np.ndarray) -> dict[str, Any]:
    """The row of one training less another under the same attack: outcomes [S, N] of both, paired by seed and image."""
    value, low, high = intervals.difference(correct, other)
    found = {"metric": "difference", "rival": rival, "seeds": len(correct)}
    return shared | found | {"value": value, "ci_low": low, "ci_high": high}


def block_runs(
    stand_ins: StandIns, dataset: str, archs: Sequence[str], trainings: Sequence[str], rival: str
) -> list[Run]:
    """The runs behind a block of a table: the rival is always among the trainings."""
    names = dict.fromkeys([rival, *trainings])
    return [run_of(stand_ins, dataset, arch, training) for arch in archs for training in names]


def block(
    context: Context,
    dataset: str,
    archs: Sequence[str],
    trainings: Sequence[str],
    rival: str,
    attacks: Sequence[str],
    subject: str | None = None,
) -> list[dict[str, Any]]:
    """Tidy rows of one data set's block: architectures x trainings, each against the rival, ``subject`` against all."""
    measured = {
        run: measurements(context.root, context.paths, run, range(context.seeds), attacks, context.splits)
        for run in block_runs(context.stand_ins, dataset, archs, trainings, rival)
    }
    found: list[dict[str, Any]] = []
    for arch in archs:
        for training in trainings:
            run, beside = (run_of(context.stand_ins, dataset, arch, name) for name in (training, rival))
            named = context.named(dataset=dataset, data=run.dataset, arch=arch, training=training)
            found += rows(named, measured[run], None if run == beside else rival, measured[beside])
            for other in trainings if training == subject else ():
                if other not in (training, rival):
                    against = measured[run_of(context.stand_ins, dataset, arch, other)]
                    found += [
                        _difference(named | what | {"n_images": correct.shape[1]}, correct, other, against[at][1])
                        for at, (what, correct) in enumerate(measured[run])
                    ]
    return found
