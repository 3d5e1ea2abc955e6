"""D11: do points made on the twin fool the network where its own gradients do not?"""

from __future__ import annotations

from lossproof.attacks.losses import gap
from lossproof.jury.bench import Bench
from lossproof.jury.finding import Finding, not_judged, paired, standing
from lossproof.jury.parameters import STEPS

CATALOGUE = {
    "twin_transfer": {
        "build": "twin_transfer",
        "id": "D11",
        "of": "model",
        "title": "PGD on the twin less PGD",
        "unit": "points",
        "threshold": 0,
        "flag": "below",
        "source": "arXiv:1902.06705",
        "parameters": {"steps": STEPS},
    }
}


def twin_transfer(bench: Bench, *, steps: int) -> Finding:
    """Accuracy under PGD's last points on the twin, less that under PGD on the network itself: same loss and starts."""
    if bench.twin is None:
        return not_judged("there is no twin to attack in its place", len(bench))
    (there,), (here,) = (
        bench.trace("pgd on the twin", steps=steps, model=bench.twin, foreign=True),
        bench.pgd(steps=steps),
    )
    assert there.points is not None
    fooled = (gap(bench.ask(there.points), bench.labels) < 0).cpu().numpy()
    first, second = standing(fooled), standing(here.fooled)
    return Finding(
        first - second,
        f"{first:.1f} % stand the points that PGD-{steps} made on the twin, {second:.1f} % those made on the network",
        len(bench),
        p=paired(fooled, here.fooled),
        curves={"transferred": first, "pgd": second},
    )
