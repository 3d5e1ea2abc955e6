"""Which defence a run has, and where it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossproof.catalogue import catalogue, load


def defence_of(settings: Mapping[str, Any], acts: str) -> Any:
    """What builds the defence of resolved settings if it acts there, else None.

    acts: "forward", inside the classifier, or "batch", on the batches of training.
    """
    if "defence" not in settings:
        return None
    name = settings["defence"]["name"]
    return load("defences", name) if catalogue("defences")[name].about["acts"] == acts else None
