"""Features of one run's networks for clean test images, and how far apart the classes lie in them."""

from __future__ import annotations

from lossproof.attacks.subset import choose_images
from lossproof.embeddings.features import embed
from lossproof.embeddings.measures import measures
from lossproof.records import SCHEMA_VERSION, Clock, write_json, write_npz
from lossproof.training.opening import network_parser, open_run


def main() -> None:
    arguments = network_parser(__doc__).parse_args()
    opened = open_run(arguments)
    settings = opened.settings
    # Every network of a data set places the same images, and those that are attacked are among them.
    index = choose_images(opened.data.test_labels, arguments.plan.get("embedding_images"), settings["dataset"], "test")
    chosen = opened.images("test", index)
    folder = opened.results / "embeddings" / opened.run
    for seed in arguments.seeds:
        clock = Clock()
        found = embed(opened.network(seed), chosen, opened.run, seed)
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
        opened.provenance(folder, clock, [opened.weights(seed)], f"seed{seed}.provenance.json")


if __name__ == "__main__":
    main()
