"""What runs in place of the data set and the network that an exhibit names."""

from __future__ import annotations

from collections.abc import Mapping

from lossproof.paths import Run

# From a paper's data set or architecture to the one that runs; an architecture that is not named runs itself.
StandIns = Mapping[str, str | None]


def run_of(stand_ins: StandIns, dataset: str, arch: str, training: str) -> Run:
    """The run behind an exhibit's data set, architecture and training."""
    return Run(str(stand_ins[dataset]), stand_ins.get(arch) or arch, training)
