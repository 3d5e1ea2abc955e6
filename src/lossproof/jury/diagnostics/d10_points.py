"""D10 and D20: are the points that the other diagnostics' attacks made what their attacks say?"""

from __future__ import annotations

from lossproof.jury.bench import Bench, Note
from lossproof.jury.finding import Finding, not_judged

CATALOGUE = {
    "transfer_failure": {
        "build": "transfer_failure",
        "id": "D10",
        "of": "attack",
        "title": "points that fool what was attacked and not what is deployed",
        "unit": "percent",
        "threshold": 0,
        "flag": "above",
        "source": "arXiv:2106.09947, indicator 5 (pralab/IndicatorsOfAttackFailure)",
        "last": True,
    },
    "unmoved": {
        "build": "unmoved",
        "id": "D20",
        "of": "attack",
        "title": "points that are the image itself, or no numbers",
        "unit": "percent",
        "threshold": 0,
        "flag": "above",
        "source": "momentum and division by a gradient of zero; saturated pixels of C&W",
        "last": True,
    },
}


def _by_attack(notes: list[Note], what: str) -> str:
    """ "; fgsm 3, spsa 1" for the attacks that have any."""
    counts: dict[str, int] = {}
    for note in notes:
        counts[note.attack] = counts.get(note.attack, 0) + getattr(note, what)
    each = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    return f": {each}" if each else ""


def transfer_failure(bench: Bench) -> Finding:
    """Of the points that fool what was attacked, the share that the deployed network gets right.

    Attacked are the logits averaged over draws, scaled, or in float64; deployed is one pass in float32. An image
    within rounding of the boundary is no mismatch.
    """
    claimed, mismatched = (sum(getattr(note, what) for note in bench.notes) for what in ("claimed", "mismatched"))
    if not claimed:
        return not_judged("no attack fooled any image", len(bench))
    return Finding(
        100 * mismatched / claimed,
        f"{mismatched} of {claimed} points that fooled what was attacked do not fool the deployed network"
        f"{_by_attack(bench.notes, 'mismatched')}",
        len(bench),
    )


def unmoved(bench: Bench) -> Finding:
    """The share of points that equal their images or hold a number that is none."""
    made, still, broken = (sum(getattr(note, what) for note in bench.notes) for what in ("made", "unmoved", "broken"))
    if not made:
        return not_judged("no attack was made", len(bench))
    return Finding(
        100 * (still + broken) / made,
        f"{still} of {made} points are the image itself{_by_attack(bench.notes, 'unmoved')}; {broken} are not finite"
        f"{_by_attack(bench.notes, 'broken')}",
        len(bench),
    )
