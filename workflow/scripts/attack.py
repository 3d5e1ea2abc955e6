"""Run a bundle of attacks on one run's networks; one record and one file of outcomes per split and attack."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lossproof import devices
from lossproof.attacks.protocol import AttackData, run_bundle
from lossproof.attacks.subset import choose_images
from lossproof.catalogue import load
from lossproof.datasets import prepared
from lossproof.records import Clock, write_json, write_npz, write_provenance
from lossproof.training.feeding import feed, loading_for
from lossproof.training.stored import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON: the resolved run")
    parser.add_argument("--attacks", required=True, type=json.loads, help="JSON: attack settings by name")
    parser.add_argument("--bundle", required=True, help="name of the bundle, for provenance")
    parser.add_argument("--images", required=True, type=json.loads, help="JSON: images per split, null for all")
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--seeds", required=True, type=int, nargs="+")
    parser.add_argument("--data", required=True, type=Path, help="folder of the prepared data set")
    parser.add_argument("--results", required=True, type=Path, help="results/<edition>")
    parser.add_argument("--device", default="auto", choices=devices.DEVICES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="of the threads, processes that decode large images")
    parser.add_argument("--prefetch", type=int, default=2, help="batches that each of them decodes ahead")
    arguments = parser.parse_args()
    settings = arguments.settings
    data = prepared.load(arguments.data)
    loading = loading_for(data, arguments.workers, arguments.prefetch, arguments.threads)
    device = devices.prepare(arguments.threads - loading.workers, arguments.device)
    # Every network of a data set faces the same images.
    attacked = {}
    for split in prepared.SPLITS:
        images, labels = data.split(split)
        index = choose_images(labels, arguments.images[split], settings["dataset"], split)
        attacked[split] = AttackData(feed(images, labels, index, device, loading), index)
    criterion = load("criteria", settings["criterion"]["name"])(**settings["criterion"]["parameters"])
    run = "/".join((settings["dataset"], settings["arch"], settings["training"]))
    for seed in arguments.seeds:
        clock = Clock()
        weights = arguments.results / "models" / run / f"seed{seed}" / "model.safetensors"
        model = load_model(weights, settings, data, device)
        found = run_bundle(
            model,
            attacked,
            arguments.attacks,
            run_name=run,
            seed=seed,
            batch_size=arguments.batch_size,
            criterion=criterion,
        )
        folder = arguments.results / "attacks" / run / f"seed{seed}"
        for (split, attack), (record, arrays) in found.items():
            write_npz(folder / split / f"{attack}.npz", arrays)
            write_json(folder / split / f"{attack}.json", record | {"run": {**settings, "seed": seed}})
        written = devices.describe(device)
        name = f"{arguments.bundle}.provenance.json"
        write_provenance(folder, clock, [weights], written, arguments.threads, name)


if __name__ == "__main__":
    main()
