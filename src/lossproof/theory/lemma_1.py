"""sp, lemma 1: two classes with one sample each."""

from __future__ import annotations

from typing import Any

import torch

from lossproof.criteria.stationary_point_ce import StationaryPointCE
from lossproof.criteria.stationary_point_focal import StationaryPointFocal
from lossproof.seeding import torch_generator
from lossproof.theory.cases import case, statement
from lossproof.theory.linear_fit import crossing, fit

CATALOGUE = {"lemma_1": {"build": "check", "parameters": {}}}

CRITERIA: dict[str, StationaryPointCE | StationaryPointFocal] = {
    "sp_ce, form A, eta 0.75": StationaryPointCE(eta=0.75, form="A"),
    "sp_ce, form B, eta 1": StationaryPointCE(eta=1, form="B"),
    "sp_ce, form C, eta 0.75": StationaryPointCE(eta=0.75),
    "sp_focal, true class, eta 0.03": StationaryPointFocal(eta=0.03),
    "sp_focal, whole vector, eta 0.03": StationaryPointFocal(eta=0.03, regulariser="whole_vector"),
}


def check() -> dict[str, Any]:
    """Fit a linear layer on two random feature vectors; its boundary against their midpoint (sp, lemma 1)."""
    targets = torch.tensor([0, 1])
    cases = []
    for name, criterion in CRITERIA.items():
        for dimension in (1, 2, 8):
            generator = torch_generator("theory", "lemma_1", dimension)
            features = torch.randn(2, dimension, generator=generator, dtype=torch.float64)
            start = 0.1 * torch.randn(2 * (dimension + 1), generator=generator, dtype=torch.float64)
            logits = fit(criterion, features, targets, 2, start)
            note = (
                "" if dimension == 1 else "beyond the reported proof, which divides by a feature and so needs scalars"
            )
            where = f"{name}, features in {dimension} dimensions"
            share = crossing(logits[0], logits[1], (0, 1))
            cases.append(case(where, "boundary as a share of the segment between both features", 0.5, share, note=note))
            probability = logits.softmax(dim=1)[0, 0].item()
            expected = criterion.stationary_probability(2)
            assert expected is not None
            cases.append(case(where, "true-class probability at the fit", expected, probability))
    return statement(
        "For two classes with one sample each, the boundary at the minimum of an SP loss cuts the segment "
        "between both features at its middle.",
        cases,
        "The loss has a stationary point inside (0, 1).",
    )
