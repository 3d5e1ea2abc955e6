"""Run a bundle of attacks on one run's networks; one record and one file of outcomes per split and attack."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from lossproof import devices
from lossproof.attacks.protocol import AttackData, run_bundle
from lossproof.attacks.subset import choose_images
from lossproof.catalogue import load
from lossproof.datasets import prepared
from lossproof.records import Clock, write_json, write_npz, write_provenance
from lossproof.training.feeding import feed, loading_for
from lossproof.training.stored import load_model


def run_path(settings: dict[str, Any]) -> str:
    """Data set, architecture and training of resolved settings, as in paths."""
    return "/".join((settings["dataset"], settings["arch"], settings["training"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON: the resolved run")
    parser.add_argument("--attacks", required=True, type=json.loads, help="JSON: attack settings by name")
    parser.add_argument("--substitutes", default={}, type=json.loads, help="JSON: the runs that attacks are made on")
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
    criterion = load("criteria", settings["criterion"]["name"])(**settings["criterion"]["parameters"])
    models = arguments.results / "models"
    run = run_path(settings)

    def chosen(cap: int | None) -> dict[str, AttackData]:
        """What is attacked of each split: every network of a data set faces the same images."""
        found = {}
        for split in prepared.SPLITS:
            images, labels = data.split(split)
            counts = [count for count in (arguments.images[split], cap) if count is not None]
            index = choose_images(labels, min(counts, default=None), settings["dataset"], split)
            found[split] = AttackData(feed(images, labels, index, device, loading), index)
        return found

    # Attacks of few images look at some of those that the others attack.
    caps = list(dict.fromkeys(attack.get("images") for attack in arguments.attacks.values()))
    attacked = {cap: chosen(cap) for cap in caps}
    for seed in arguments.seeds:
        clock = Clock()
        networks = {run_path(one): one for one in (settings, *arguments.substitutes.values())}
        weights = {path: models / path / f"seed{seed}" / "model.safetensors" for path in networks}
        loaded = {path: load_model(weights[path], one, data, device) for path, one in networks.items()}
        found: dict[Any, Any] = {}
        for cap, images in attacked.items():
            found |= run_bundle(
                loaded[run],
                images,
                {name: attack for name, attack in arguments.attacks.items() if attack.get("images") == cap},
                run_name=run,
                seed=seed,
                batch_size=arguments.batch_size,
                criterion=criterion,
                substitutes={name: loaded[run_path(one)] for name, one in arguments.substitutes.items()},
            )
        folder = arguments.results / "attacks" / run / f"seed{seed}"
        for (split, attack), (record, arrays) in found.items():
            write_npz(folder / split / f"{attack}.npz", arrays)
            write_json(folder / split / f"{attack}.json", record | {"run": {**settings, "seed": seed}})
        written = devices.describe(device)
        name = f"{arguments.bundle}.provenance.json"
        write_provenance(folder, clock, list(weights.values()), written, arguments.threads, name)


if __name__ == "__main__":
    main()
