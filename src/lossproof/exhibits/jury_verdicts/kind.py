"""Every judged network beside its twin: as a paper would have attacked it, and under the strongest attacks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossproof.display_names import name
from lossproof.exhibits.accuracy import said_of
from lossproof.exhibits.context import Context, Tidy
from lossproof.exhibits.judged import PANELS, Judged, diagnosed, diagnostics, judged, number_of
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.outcomes import right_after
from lossproof.exhibits.stand_ins import StandIns
from lossproof.jury import verdict as rule
from lossproof.jury.finding import RAISED
from lossproof.paths import Run
from lossproof.records import read_json, read_npz
from lossproof.statistics.intervals import Estimate, accuracy, gain, over_images, over_seeds
from lossproof.statistics.paired_tests import corrected, in_every_seed

CATALOGUE = {
    "jury_verdicts": {
        "build": "JuryVerdicts",
        "figure": "figure:draw",
        "table": "table:jury_verdicts_table",
        "judges": True,  # the plan puts in the networks
        "audit_table": "verdicts",  # what summaries and cards read in its tidy table
        "parameters": {
            "panels": PANELS,
            "attacks": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "description": "track printed: where a gain is claimed; track honest: the worst cases that decide; "
                "else jury.attacks of the configuration",
            },
        },
        "required": ["attacks"],
    }
}
SPLIT = "test"
JOINT = ("gain", "joint_low", "joint_high")
COLUMNS = [
    *("paper", "exhibit", "dataset", "arch", "training", "control", "twin"),
    *("attack", "track", "norm", "epsilon", "epsilon_printed", "n_images", "seeds", "clean"),
    *("accuracy", "low", "high", "image_low", "image_high", "seed_low", "seed_high"),
    *("twin_accuracy", "gain", "gain_low", "gain_high", "joint_low", "joint_high", "p", "p_corrected"),
    *("flags", "verdict", "why", "record"),
]


@dataclass(frozen=True)
class Level:
    """One attack with one budget on one run: outcomes bool [S, N]."""

    said: dict[str, Any]
    index: np.ndarray  # [N] int: the images
    clean: np.ndarray
    correct: np.ndarray

    @property
    def ball(self) -> tuple[str, float]:
        return self.said["attack"], self.said["epsilon"]


class JuryVerdicts:
    """``needs`` and ``collect`` of the kind."""

    @staticmethod
    def needs(declaration: dict[str, Any], stand_ins: StandIns) -> Needs:
        runs = [one.run for one in judged(declaration)]
        return Needs(attacks=[(run, attack) for run in runs for attack in declaration["attacks"]], diagnoses=runs)

    @staticmethod
    def collect(declaration: dict[str, Any], context: Context) -> Tidy:
        runs = judged(declaration)
        levels = {one.run: list(_levels(context, one.run, declaration["attacks"])) for one in runs}
        rows = [row for one in runs for row in _rows(context, one, levels)]
        _correct(rows)
        for one in runs:
            mine = [row for row in rows if Run(row["dataset"], row["arch"], row["training"]) == one.run]
            flags = _flags(context, one.run)
            said, why = _judge(one, one.rival in levels, mine, flags, context.seeds)
            for row in mine:
                row |= {"flags": " ".join(flags), "verdict": said, "why": why}
        return Tidy(COLUMNS, rows)


def _levels(context: Context, run: Run, attacks: Sequence[str]) -> Iterable[Level]:
    """Outcomes of a run under every attack and budget, an unbounded one left out."""
    for attack in attacks:
        places = [context.paths.attack(run, seed, SPLIT, attack, "npz") for seed in range(context.seeds)]
        arrays = [read_npz(context.root / place) for place in places]
        record = read_json(context.root / context.paths.attack(run, 0, SPLIT, attack))
        clean = np.stack([one["clean"] == one["label"] for one in arrays])
        after = np.stack([right_after(one) for one in arrays], axis=1)
        shared = {"attack": attack} | {key: said_of(record["attack"])[key] for key in ("track", "norm")}
        shared["record"] = context.paths.attack(run, "*", SPLIT, attack)
        if any(not np.array_equal(one["index"], arrays[0]["index"]) for one in arrays):
            raise ValueError(f"{shared['record']}: seeds were attacked on different images")
        for at, result in enumerate(record["results"]):
            if result["epsilon_value"] is not None:
                said = shared | {"epsilon": result["epsilon_value"], "epsilon_printed": result["epsilon"]}
                yield Level(said, arrays[0]["index"], clean, after[at])


def _rows(context: Context, one: Judged, levels: Mapping[Run, list[Level]]) -> Iterable[dict[str, Any]]:
    """Rows of one run without its verdict. Raises ValueError where its twin was attacked on other images."""
    named = context.named(**one.run._asdict(), control=one.control, twin=one.twin)
    beside = {level.ball: level for level in levels.get(one.rival, ())} if one.rival else {}
    tracks = Counter(level.said["track"] for level in levels[one.run])
    for level in levels[one.run]:
        seeds, images = level.correct.shape
        found = {"seeds": seeds, "n_images": images, "clean": 100 * float(level.clean.mean())}
        for (low, high), (value, *bounds) in (
            (("low", "high"), accuracy(level.correct)),
            (("image_low", "image_high"), over_images(level.correct)),
            (("seed_low", "seed_high"), _within(over_seeds(100 * level.correct.mean(1)), 0.0)),
        ):
            found |= {"accuracy": value, low: bounds[0], high: bounds[1]}
        other = beside.get(level.ball)
        if other is not None:
            if not np.array_equal(other.index, level.index):
                raise ValueError(f"{level.said['record']}: other images than those of the baseline {one.twin}")
            for names, among in (("gain", "gain_low", "gain_high"), 1), (JOINT, tracks[level.said["track"]]):
                found |= dict(zip(names, _within(gain(level.correct, other.correct, among), -100.0), strict=True))
            found |= {"twin_accuracy": 100 * float(other.correct.mean())}
            found |= {"p": in_every_seed(level.correct, other.correct)}
        yield named | level.said | found


def _within(found: Estimate, least: float) -> tuple[float | None, ...]:
    """An estimate in percent or points with bounds that can be reached; None for bounds that are not known."""
    bounds = (None if math.isnan(bound) else min(max(bound, least), 100.0) for bound in found[1:])
    return found.value, *bounds


def _correct(rows: Sequence[dict[str, Any]]) -> None:
    """Put the corrected p beside every p: claims and worst cases are families of their own, each over all networks."""
    for track in dict.fromkeys(row["track"] for row in rows):
        tested = [row for row in rows if row["track"] == track and "p" in row]
        for row, p in zip(tested, corrected([row["p"] for row in tested]), strict=True):
            row["p_corrected"] = p


def _flags(context: Context, run: Run) -> list[str]:
    """Ids of the signs of masked gradients that a diagnosed seed raises."""
    raised = {
        found["id"]
        for _, _, record in diagnosed(context, run)
        for _, found in diagnostics(record)
        if (found["of"], found["flag"]) == ("model", RAISED)
    }
    return sorted(raised, key=number_of)


def _judge(
    one: Judged, has_twin: bool, rows: Sequence[Mapping[str, Any]], flags: Sequence[str], seeds: int
) -> tuple[str, str]:
    """The verdict on a run from its rows, and why."""
    if not one.twin:
        what = f"A control: {one.control}." if one.control else "Others are compared with it."
        return rule.CONTROL if one.control else rule.REFERENCE, what
    if not has_twin:
        said, why = rule.UNDECIDED, f"Its baseline {name(one.twin)} was not audited."
    else:
        gains = [
            rule.Gain(
                row["attack"],
                row["track"],
                row["norm"],
                row["epsilon_printed"],
                row["epsilon"],
                Estimate(row["gain"], row["gain_low"], row["gain_high"]),
                row["p_corrected"],
                Estimate(*(row[key] for key in JOINT)),
            )
            for row in rows
            if "gain" in row
        ]
        said, why = rule.verdict(gains, seeds, flags)
    return (
        (rule.CONTROL, f"A control, {one.control}; as others it would be '{said}': {why}")
        if one.control
        else (said, why)
    )
