"""Loss surfaces around one trained network: our filter-normalised plane and the loss-landscapes package's."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from lossproof import devices
from lossproof.catalogue import load
from lossproof.datasets import prepared
from lossproof.landscapes.package import package_surface
from lossproof.landscapes.surface import filter_normalised_surface
from lossproof.records import Clock, write_npz, write_provenance
from lossproof.seeding import seed_of
from lossproof.training.evaluate import pixels
from lossproof.training.feeding import gathered, loading_for
from lossproof.training.stored import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON: the resolved run")
    parser.add_argument("--landscape", required=True, type=json.loads, help="JSON: grid, package_grid, reach, images")
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--data", required=True, type=Path, help="folder of the prepared data set")
    parser.add_argument("--results", required=True, type=Path, help="results/<edition>")
    parser.add_argument("--device", default="auto", choices=devices.DEVICES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="of the threads, processes that decode large images")
    parser.add_argument("--prefetch", type=int, default=2, help="batches that each of them decodes ahead")
    arguments = parser.parse_args()
    clock = Clock()
    data = prepared.load(arguments.data)
    loading = loading_for(data, arguments.workers, arguments.prefetch, arguments.threads)
    device = devices.prepare(arguments.threads - loading.workers, arguments.device)
    settings, options = arguments.settings, arguments.landscape
    place = Path(settings["dataset"], settings["arch"], settings["training"], f"seed{arguments.seed}")
    weights = arguments.results / "models" / place / "model.safetensors"
    model = load_model(weights, settings, data, device)
    criterion = load("criteria", settings["criterion"]["name"])(**settings["criterion"]["parameters"])
    # The same images and directions for every loss, or the surfaces could not be compared.
    name = ("landscape", settings["dataset"], settings["arch"], arguments.seed)
    order = torch.randperm(len(data.train_labels), generator=torch.Generator().manual_seed(seed_of(*name, "images")))
    chosen = order[: options["images"]].sort().values
    images = pixels(torch.from_numpy(gathered(data.train_images, chosen.numpy(), loading))).to(device)
    labels = torch.from_numpy(data.train_labels)[chosen].to(device)
    seed = seed_of(*name, "directions")
    same: dict[str, Any] = {"distance": options["reach"], "seed": seed}
    ours = filter_normalised_surface(model, images, labels, criterion, size=options["grid"], **same)
    theirs = package_surface(model, images, labels, criterion, size=options["package_grid"], **same)
    folder = arguments.results / "landscapes" / place
    write_npz(folder / "filter_normalised.npz", ours)
    write_npz(folder / "package.npz", theirs)
    write_provenance(folder, clock, [weights], devices.describe(device), arguments.threads)


if __name__ == "__main__":
    main()
