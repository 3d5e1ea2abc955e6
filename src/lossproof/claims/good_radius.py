"""A radius below which accuracy is good, read off a curve."""

from __future__ import annotations

from collections.abc import Sequence

from lossproof.claims.setting import Finding, Setting, joined, smallest
from lossproof.claims.verdict import Comparison
from lossproof.statistics.intervals import Estimate
from lossproof.tidy import Row, number

# Percent accuracy at which a curve still counts as good; the papers give no number.
GOOD_ACCURACY = 80.0


def _radius(curve: Sequence[Row]) -> tuple[float, float | None]:
    """Largest eps up to which a curve stays good (0 where it never is) and the next eps, None at the end."""
    good = 0.0
    points = sorted((number(row["epsilon"]) or 0.0, number(row["value"]) or 0.0) for row in curve)
    for epsilon, accuracy in points:
        if accuracy < GOOD_ACCURACY:
            return good, epsilon
        good = epsilon
    return good, None


def good_radius(claim: Row, setting: Setting) -> Finding:
    """The radius below which accuracy is good, from the measured curves: the smaller of its networks' radii."""
    printed = number(claim["value"])
    exhibit = setting.exhibits(claim)[0]
    rows = [
        row
        for row in setting.rows(exhibit)
        if row["metric"] == "adversarial_accuracy"
        and all(row[key] == claim[key] for key in ("dataset", "training", "method"))
        and row["track"] == "printed"
        and not row["seed"]
    ]
    preferred = setting.split(claim)
    splits = {row["split"] for row in rows}
    split = preferred if preferred in splits or not splits else sorted(splits)[0]
    curves = {
        arch: [row for row in rows if row["arch"] == arch and row["split"] == split]
        for arch in claim["arch"].split(";")
    }
    absent = [arch for arch, curve in curves.items() if not curve]
    if absent:
        missing = setting.not_run(exhibit, f"{', '.join(absent)} / {claim['training']} on {claim['dataset']}")
        return Finding(Comparison(printed, missing=missing), split=split)
    radii = {arch: _radius(curve) for arch, curve in curves.items()}
    arch = min(radii, key=lambda name: radii[name][0])
    good, bad = radii[arch]
    curve = curves[arch]
    comparison = Comparison(
        printed,
        measured=Estimate(good),
        baseline=claim["training"] == claim["against"],
        same_protocol=setting.same_protocol(claim["dataset"]),
        at_least=True,
        tolerance=(bad if bad is not None else good) - good,
        unit="of eps",
        failed=setting.failed(exhibit, claim["dataset"], arch, claim["training"]),
        subject=f"'good' is read as at least {GOOD_ACCURACY:g} percent at every smaller eps of the curve ({arch}).",
    )
    return Finding(
        comparison,
        split=split,
        n_images=smallest([row["n_images"] for row in curve]),
        seeds=smallest([row["seeds"] for row in curve]),
        record=joined([row["record"] for row in curve]),
    )
