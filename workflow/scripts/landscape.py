"""Loss surfaces around trained networks of one run: our filter-normalised plane and the loss-landscapes package's."""

from __future__ import annotations

from typing import Any

import torch

from lossproof.landscapes.package import package_surface
from lossproof.landscapes.surface import filter_normalised_surface
from lossproof.records import Clock, write_npz
from lossproof.seeding import seed_of
from lossproof.training.evaluate import pixels
from lossproof.training.feeding import gathered
from lossproof.training.opening import network_parser, open_run


def main() -> None:
    arguments = network_parser(__doc__).parse_args()
    opened, options = open_run(arguments), arguments.plan.get("landscape")
    settings, data, criterion = opened.settings, opened.data, opened.criterion()
    for seed in arguments.seeds:
        clock = Clock()
        model = opened.network(seed)
        # The same images and directions for every loss, or the surfaces could not be compared.
        name = ("landscape", settings["dataset"], settings["arch"], seed)
        order = torch.randperm(
            len(data.train_labels), generator=torch.Generator().manual_seed(seed_of(*name, "images"))
        )
        chosen = order[: options["images"]].sort().values
        images = pixels(torch.from_numpy(gathered(data.train_images, chosen.numpy(), opened.loading))).to(opened.device)
        labels = torch.from_numpy(data.train_labels)[chosen].to(opened.device)
        same: dict[str, Any] = {"distance": options["reach"], "seed": seed_of(*name, "directions")}
        ours = filter_normalised_surface(model, images, labels, criterion, size=options["grid"], **same)
        theirs = package_surface(model, images, labels, criterion, size=options["package_grid"], **same)
        folder = opened.results / "landscapes" / opened.run / f"seed{seed}"
        write_npz(folder / "filter_normalised.npz", ours)
        write_npz(folder / "package.npz", theirs)
        opened.provenance(folder, clock, [opened.weights(seed)])


if __name__ == "__main__":
    main()
