"""The jury's diagnostics of masked gradients, of one run's networks."""

from __future__ import annotations

import json

import torch

from lossproof.attacks.subset import choose_images
from lossproof.jury.diagnose import diagnose
from lossproof.jury.subject import Subject
from lossproof.records import SCHEMA_VERSION, Clock, write_json
from lossproof.threats.epsilon import parse
from lossproof.training.evaluate import pixels
from lossproof.training.opening import network_parser, open_run


def main() -> None:
    parser = network_parser(__doc__)
    parser.add_argument("--twin", default=[], type=json.loads, help="JSON: [the resolved twin], or []")
    parser.add_argument("--diagnostics", required=True, type=json.loads, help="JSON: settings by diagnostic")
    parser.add_argument("--images", required=True, type=json.loads, help="number of test images, null for all")
    parser.add_argument("--draws", required=True, type=int, help="passes averaged where a network draws at each")
    parser.add_argument("--epsilon", required=True, help="L-infinity radius in pixels, a fraction or decimal")
    arguments = parser.parse_args()
    settings = arguments.settings
    opened = open_run(arguments)
    # Every network of a data set is judged on the same images; those that the jury attacks are among them.
    index = choose_images(opened.data.test_labels, arguments.images, settings["dataset"], "test")
    chosen = opened.images("test", index)
    images = pixels(torch.cat([batch for batch, _ in chosen.batches(len(index))]))
    criterion = opened.criterion()
    # Cross entropy is among the losses that are swapped anyway; an attacker cannot raise what is no function of logits.
    if settings["criterion"]["name"] == "ce" or getattr(criterion, "uses_features", False):
        criterion = None
    for seed in arguments.seeds:
        clock = Clock()
        twins = [opened.network(seed, twin) for twin in arguments.twin]
        subject = Subject(
            model=opened.network(seed),
            images=images,
            labels=chosen.labels,
            norm="linf",
            epsilon=arguments.epsilon,
            epsilon_value=parse(arguments.epsilon),
            criterion=criterion,
            twin=twins[0] if twins else None,
            names=(opened.run, seed),
            draws=arguments.draws,
        )
        found = diagnose(subject, arguments.diagnostics, opened.run, seed)
        folder = opened.results / "jury" / opened.run / f"seed{seed}"
        record = {"schema": SCHEMA_VERSION, "kind": "diagnostics", "run": {**settings, "seed": seed}, **found}
        write_json(folder / "diagnostics.json", record)
        weights = [opened.weights(seed), *(opened.weights(seed, twin) for twin in arguments.twin)]
        opened.provenance(folder, clock, weights, "diagnostics.provenance.json")


if __name__ == "__main__":
    main()
