"""Features of one run's networks for clean test images, and how far apart the classes lie in them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lossproof import devices
from lossproof.attacks.subset import choose_images
from lossproof.datasets import prepared
from lossproof.embeddings.features import embed
from lossproof.embeddings.measures import measures
from lossproof.records import SCHEMA_VERSION, Clock, write_json, write_npz, write_provenance
from lossproof.training.feeding import feed, loading_for
from lossproof.training.stored import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON: the resolved run")
    parser.add_argument("--images", required=True, type=int, help="number of test images")
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
    # Every network of a data set places the same images, and those that are attacked are among them.
    index = choose_images(data.test_labels, arguments.images, settings["dataset"], "test")
    chosen = feed(data.test_images, data.test_labels, index, device, loading)
    run = "/".join((settings["dataset"], settings["arch"], settings["training"]))
    folder = arguments.results / "embeddings" / run
    for seed in arguments.seeds:
        clock = Clock()
        weights = arguments.results / "models" / run / f"seed{seed}" / "model.safetensors"
        found = embed(load_model(weights, settings, data, device), chosen, run, seed)
        record = {
            "schema": SCHEMA_VERSION,
            "kind": "embedding",
            "run": {**settings, "seed": seed},
            "n_images": len(index),
            "dimension": found["features"].shape[1],
            "accuracy": 100 * float((found["predictions"] == found["labels"]).mean()),
            **measures(found["features"], found["labels"]),
        }
        write_npz(folder / f"seed{seed}.npz", {**found, "index": index})
        write_json(folder / f"seed{seed}.json", record)
        written = devices.describe(device)
        write_provenance(folder, clock, [weights], written, arguments.threads, f"seed{seed}.provenance.json")


if __name__ == "__main__":
    main()
