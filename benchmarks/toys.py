"""Ten toy networks trained as one batched network against ten trained one after the other."""

from __future__ import annotations

import torch
from side_by_side import compare

from lossproof.criteria.cross_entropy import CrossEntropy
from lossproof.toys.fit import fit_toys

TOY = {"segments": {"family": "segments", "parameters": {}}}
EPOCHS = 1000


def batched() -> None:
    fit_toys(TOY, CrossEntropy(), training="ce", seeds=range(10), epochs=EPOCHS)


def one_by_one() -> None:
    for seed in range(10):
        fit_toys(TOY, CrossEntropy(), training="ce", seeds=[seed], epochs=EPOCHS)


if __name__ == "__main__":
    torch.set_num_threads(1)
    compare(("one after the other", one_by_one), ("one batch", batched), rounds=3)
