"""Logit gaps and input gradients of one run's networks, for the clean test images that are attacked."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lossproof import devices
from lossproof.attacks.subset import choose_images
from lossproof.datasets import prepared
from lossproof.jury.sensitivity import sensitivity, summary
from lossproof.records import SCHEMA_VERSION, Clock, write_json, write_npz, write_provenance
from lossproof.training.feeding import feed, loading_for
from lossproof.training.stored import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON: the resolved run")
    parser.add_argument("--images", required=True, type=json.loads, help="number of test images, null for all")
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
    # The images that are attacked, so that gradients and outcomes stand side by side.
    index = choose_images(data.test_labels, arguments.images, settings["dataset"], "test")
    chosen = feed(data.test_images, data.test_labels, index, device, loading)
    run = "/".join((settings["dataset"], settings["arch"], settings["training"]))
    for seed in arguments.seeds:
        clock = Clock()
        weights = arguments.results / "models" / run / f"seed{seed}" / "model.safetensors"
        found = sensitivity(load_model(weights, settings, data, device), chosen, run, seed)
        record = {
            "schema": SCHEMA_VERSION,
            "kind": "sensitivity",
            "run": {**settings, "seed": seed},
            "n_images": len(index),
            **summary(found),
        }
        folder = arguments.results / "jury" / run / f"seed{seed}"
        write_npz(folder / "sensitivity.npz", {**found, "index": index})
        write_json(folder / "sensitivity.json", record)
        written = devices.describe(device)
        write_provenance(folder, clock, [weights], written, arguments.threads, "sensitivity.provenance.json")


if __name__ == "__main__":
    main()
