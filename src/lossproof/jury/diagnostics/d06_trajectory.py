"""D6 and D7: does PGD as printed throw successes away, and does it stop while it still gains?"""

from __future__ import annotations

import torch
from torch import Tensor

from lossproof.jury.bench import Bench
from lossproof.jury.finding import Finding, not_judged, share, sign_test
from lossproof.jury.parameters import STEPS

GAIN = 0.05
CATALOGUE = {
    "silent_success": {
        "build": "silent_success",
        "id": "D6",
        "of": "attack",
        "title": "fooled on the way, right at the end",
        "unit": "percent",
        "threshold": 0,
        "flag": "above",
        "source": "arXiv:2106.09947, indicator 3 (pralab/IndicatorsOfAttackFailure)",
        "parameters": {"steps": STEPS},
    },
    "unfinished": {
        "build": "unfinished",
        "id": "D7",
        "of": "attack",
        "title": "what the last steps still gain, as a share of the loss's range",
        "unit": "share",
        "threshold": GAIN,
        "flag": "above",
        "source": "arXiv:2106.09947, indicator 4 (pralab/IndicatorsOfAttackFailure)",
        "parameters": {
            "steps": STEPS,
            "last": {"type": "integer", "minimum": 2, "default": 10, "description": "iterates at the end"},
        },
    },
}


def silent_success(bench: Bench, *, steps: int) -> Finding:
    """The share of images that are fooled at some iterate of PGD on cross entropy, and right at its last."""
    if bench.drawn:
        return not_judged("the network draws at each pass, so one success may be luck", len(bench))
    (trace,) = bench.pgd(steps=steps)
    lost = trace.ever & ~trace.last
    return Finding(
        share(lost),
        f"PGD-{steps} fools {int(trace.ever.sum())} of {len(bench)} images at some iterate, "
        f"{int(trace.last.sum())} at the last",
        len(bench),
    )


def gains(losses: Tensor, last: int) -> Tensor:
    """What the ``last`` iterates gain of each loss [T, N] that is raised, as a share of its range [N]; 0 for no range.

    The indicator's own arithmetic: the loss to be lowered is scaled to [0, 1] over all iterates, followed by its
    smallest value so far, and what it falls by at the end is taken.
    """
    low, high = losses.amin(0), losses.amax(0)
    left = (high - losses) / (high - low).clamp_min(torch.finfo(losses.dtype).tiny)
    tail = left.cummin(0).values[-last:]
    return tail.amax(0) - tail.amin(0)


def unfinished(bench: Bench, *, steps: int, last: int) -> Finding:
    """The mean gain of PGD's last steps over the images that stand; the loss is cross entropy.

    p: a sign test that most of these images gain more than the threshold.
    """
    (trace,) = bench.pgd(steps=steps)
    left = ~trace.fooled
    if not left.any():
        return Finding(0.0, f"PGD-{steps} fools every image", len(bench))
    found = gains(trace.losses, last).cpu().numpy()[left]
    return Finding(
        float(found.mean()),
        f"on the {int(left.sum())} of {len(bench)} images that stand, the last {last} of {steps + 1} iterates gain "
        f"{100 * found.mean():.1f} % of what PGD gains in all",
        len(bench),
        p=sign_test(int((found > GAIN).sum()), int((found <= GAIN).sum())),
    )
