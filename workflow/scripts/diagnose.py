"""The jury's diagnostics of masked gradients, of one run's networks."""

from __future__ import annotations

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
    arguments = parser.parse_args()
    plan = arguments.plan
    network = plan.get("networks", arguments.run)
    baselines = [plan.network(network["baseline"])] if "baseline" in network else []
    epsilon = network["epsilon"]
    opened = open_run(arguments)
    settings = opened.settings
    # Every network of a data set is judged on the same images; those that the jury attacks are among them.
    index = choose_images(opened.data.test_labels, plan.get("audit", "images"), settings["dataset"], "test")
    chosen = opened.images("test", index)
    images = pixels(torch.cat([batch for batch, _ in chosen.batches(len(index))]))
    criterion = opened.criterion()
    # Cross entropy is among the losses that are swapped anyway; an attacker cannot raise what is no function of logits.
    if settings["criterion"]["name"] == "ce" or getattr(criterion, "uses_features", False):
        criterion = None
    for seed in arguments.seeds:
        clock = Clock()
        twins = [opened.network(seed, twin) for twin in baselines]
        subject = Subject(
            model=opened.network(seed),
            images=images,
            labels=chosen.labels,
            norm="linf",
            epsilon=epsilon,
            epsilon_value=parse(epsilon),
            criterion=criterion,
            twin=twins[0] if twins else None,
            names=(opened.run, seed),
            draws=plan.get("audit", "draws"),
        )
        found = diagnose(subject, plan.get("diagnostics"), opened.run, seed)
        folder = opened.results / "jury" / opened.run / f"seed{seed}"
        record = {"schema": SCHEMA_VERSION, "kind": "diagnostics", "run": {**settings, "seed": seed}, **found}
        write_json(folder / "diagnostics.json", record)
        weights = [opened.weights(seed), *(opened.weights(seed, twin) for twin in baselines)]
        opened.provenance(folder, clock, weights, "diagnostics.provenance.json")


if __name__ == "__main__":
    main()
