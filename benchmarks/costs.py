"""Count every architecture's multiply-adds and parameters, and write reference/costs.csv.

    python benchmarks/costs.py
    python benchmarks/costs.py --out counts.csv

Nothing is run: the networks stand on PyTorch's meta device, FlopCounterMode counts their convolutions and
matrix products. Run it again when an architecture is new or has changed; a test compares a sample.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from lossproof.catalogue import catalogue
from lossproof.models.classifier import build
from lossproof.planning.cost import COLUMNS, TABLE

SIZES = (28, 32, 64, 224)
CHANNELS = (1, 3)


def count(arch: str, **options: object) -> tuple[int, int, int]:
    """Multiply-adds per image and parameters, both of the backbone alone, and the number of its features."""
    with torch.device("meta"):
        model = build(arch, num_classes=1, **options).eval()  # type: ignore[arg-type]
        size = options["image_size"]
        images = torch.zeros(1, options["in_channels"], size, size)  # type: ignore[call-overload]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model.features(images)
    return (
        counter.get_total_flops() // 2,
        sum(p.numel() for p in model.backbone.parameters()),
        model.backbone.feature_dim,
    )


def split(once: int, doubled: int) -> tuple[int, int]:
    """What grows with the square of the width and what grows with the width, from the counts at widths 1 and 2."""
    return (doubled - 2 * once) // 2, (4 * once - doubled) // 2


def rows() -> Iterator[dict[str, object]]:
    """One row per architecture, stem, image size and number of channels that can be built."""
    for arch, entry in catalogue("models").items():
        stems = entry.parameters["stem"]["enum"] if "stem" in entry.parameters else [""]
        for stem, size, channels in product(stems, SIZES, CHANNELS):
            options: dict[str, object] = {"image_size": size, "in_channels": channels}
            options |= {"stem": stem} if stem else {}
            try:
                (macs, parameters, features), (macs_2, parameters_2, _) = (
                    count(arch, width=width, **options) for width in (1.0, 2.0)
                )
            except ValueError:  # the network does not take this size
                continue
            counted = [*split(macs, macs_2), *split(parameters, parameters_2), features]
            yield dict(zip(COLUMNS, [arch, stem, size, channels, *counted], strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=TABLE, help="the table; default: the plan's own")
    with parser.parse_args().out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows())


if __name__ == "__main__":
    main()
