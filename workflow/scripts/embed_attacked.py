"""Features of the images of an embedding that fool a run's networks under an attack, and where they lie."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lossproof import devices
from lossproof.attacks import budgets
from lossproof.attacks.protocol import resolve
from lossproof.catalogue import load
from lossproof.datasets import prepared
from lossproof.embeddings.attacked import attacked
from lossproof.embeddings.displacement import displacement
from lossproof.records import SCHEMA_VERSION, Clock, read_npz, write_json, write_npz, write_provenance
from lossproof.training.feeding import feed, loading_for
from lossproof.training.stored import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON: the resolved run")
    parser.add_argument("--attack", required=True, type=json.loads, help="JSON: {name: attack settings}, of one attack")
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--seeds", required=True, type=int, nargs="+")
    parser.add_argument("--data", required=True, type=Path, help="folder of the prepared data set")
    parser.add_argument("--results", required=True, type=Path, help="results/<edition>, with the clean embeddings")
    parser.add_argument("--device", default="auto", choices=devices.DEVICES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="of the threads, processes that decode large images")
    parser.add_argument("--prefetch", type=int, default=2, help="batches that each of them decodes ahead")
    arguments = parser.parse_args()
    settings = arguments.settings
    ((name, told),) = arguments.attack.items()
    plan = resolve(told)
    data = prepared.load(arguments.data)
    loading = loading_for(data, arguments.workers, arguments.prefetch, arguments.threads)
    device = devices.prepare(arguments.threads - loading.workers, arguments.device)
    criterion = load("criteria", settings["criterion"]["name"])(**settings["criterion"]["parameters"])
    run = "/".join((settings["dataset"], settings["arch"], settings["training"]))
    folder = arguments.results / "embeddings" / run
    for seed in arguments.seeds:
        clock = Clock()
        clean = read_npz(folder / f"seed{seed}.npz")
        images = feed(data.test_images, data.test_labels, clean["index"], device, loading)
        weights = arguments.results / "models" / run / f"seed{seed}" / "model.safetensors"
        model = load_model(weights, settings, data, device)
        found = attacked(model, images, clean, plan, (run, seed, name), arguments.batch_size, criterion)
        right = int((clean["predictions"] == clean["labels"]).sum())
        results = []
        for budget in budgets.of_plan(plan, images.shape):
            here = {key: array[found["epsilon"] == budget.value] for key, array in found.items()}
            moved = (here["rows"], here["features"], here["predictions"])
            results.append(
                {
                    "epsilon": budget.text,
                    "epsilon_value": budget.value,
                    "n_fooling": len(here["rows"]),
                    "fooled_share": 100 * len(here["rows"]) / right if right else None,
                    **displacement(clean["features"], clean["labels"], *moved),
                }
            )
        record = {
            "schema": SCHEMA_VERSION,
            "kind": "attacked embedding",
            "run": {**settings, "seed": seed},
            "attack": plan | {"name": name},
            "n_images": len(clean["index"]),
            "results": results,
        }
        write_npz(folder / f"seed{seed}.{name}.npz", {key: array for key, array in found.items() if key != "rows"})
        write_json(folder / f"seed{seed}.{name}.json", record)
        written = devices.describe(device)
        write_provenance(folder, clock, [weights], written, arguments.threads, f"seed{seed}.{name}.provenance.json")


if __name__ == "__main__":
    main()
