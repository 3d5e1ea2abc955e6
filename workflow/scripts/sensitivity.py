"""Logit gaps and input gradients of one run's networks, for the clean test images that are attacked."""

from __future__ import annotations

from lossproof.attacks.subset import choose_images
from lossproof.jury.sensitivity import sensitivity, summary
from lossproof.records import SCHEMA_VERSION, Clock, write_json, write_npz
from lossproof.training.opening import network_parser, open_run


def main() -> None:
    arguments = network_parser(__doc__).parse_args()
    opened = open_run(arguments)
    settings = opened.settings
    # The images that are attacked, so that gradients and outcomes stand side by side.
    index = choose_images(
        opened.data.test_labels, arguments.plan.get("attack_images", "test"), settings["dataset"], "test"
    )
    chosen = opened.images("test", index)
    for seed in arguments.seeds:
        clock = Clock()
        found = sensitivity(opened.network(seed), chosen, opened.run, seed)
        record = {
            "schema": SCHEMA_VERSION,
            "kind": "sensitivity",
            "run": {**settings, "seed": seed},
            "n_images": len(index),
            **summary(found),
        }
        folder = opened.results / "jury" / opened.run / f"seed{seed}"
        write_npz(folder / "sensitivity.npz", {**found, "index": index})
        write_json(folder / "sensitivity.json", record)
        opened.provenance(folder, clock, [opened.weights(seed)], "sensitivity.provenance.json")


if __name__ == "__main__":
    main()
