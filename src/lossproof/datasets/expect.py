"""What a data set must look like on arrival: sizes, classes and their order, channels, image size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossproof.datasets.prepared import Prepared
from lossproof.paths import SPLITS

KEYS = (*SPLITS, "channels", "image_size", "classes")


def check_expected(data: Prepared, expect: Mapping[str, Any]) -> None:
    """Compare a data set with what is known of it; ValueError says where it came from, what was found and expected.

    ``expect`` may hold ``train`` and ``test`` (numbers of images), ``channels``, ``image_size`` and ``classes``
    (the names in their order, or how many).
    """
    card = data.card
    names = card["classes"]
    # Whether the images agree with labels and card is checked when the set is saved, for every form that it may have.
    found: dict[str, Any] = {
        **{split: len(data.split(split)[1]) for split in SPLITS},
        "channels": card["channels"],
        "image_size": card["image_size"],
        "classes": len(names) if isinstance(expect.get("classes"), int) else names,
    }
    for key, expected in expect.items():
        if key not in KEYS:
            raise ValueError(f"{card['name']}: unknown expectation '{key}'; allowed: {', '.join(KEYS)}")
        if found[key] != expected:
            what = f"{key} images" if key in SPLITS else key.replace("_", " ")
            raise ValueError(f"{card['name']} ({card['source']}): {what}: found {found[key]}, expected {expected}")
