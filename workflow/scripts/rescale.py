"""Multiply the logits of trained networks by one number: controls that decide as before, but surer or less sure."""

from __future__ import annotations

import numpy as np
import torch
from safetensors.torch import save_file

from lossproof.heads.scaled import Scaled
from lossproof.jury.rescaled import matching_scale, true_class_probability
from lossproof.records import SCHEMA_VERSION, Clock, whole, write_json, write_npz
from lossproof.seeding import seed_of
from lossproof.training.evaluate import kept_predictions, logits
from lossproof.training.opening import network_parser, open_run


def main() -> None:
    arguments = network_parser(__doc__).parse_args()
    opened = open_run(arguments)
    settings = opened.settings
    change = settings["logits"]
    trained = {key: value for key, value in settings.items() if key != "logits"} | {"training": change["of"]}
    train, test = opened.images("train"), opened.images("test")
    for seed in arguments.seeds:
        clock = Clock()
        torch.manual_seed(seed_of("rescaled", opened.run, seed))

        sources = [opened.weights(seed, trained)]
        model = opened.network(seed, trained)
        own = logits(model, train)
        scale, figures = change.get("scale"), {}
        if scale is None:
            matched = arguments.plan.network(arguments.plan.get("networks", arguments.run, "match"))
            sources.append(opened.weights(seed, matched))
            reference = opened.network(seed, matched)
            wanted = true_class_probability(logits(reference, train), train.labels)
            scale, figures = matching_scale(own, train.labels, wanted), {"wanted_true_class_probability": wanted}
        model.head = Scaled(model.head, scale).to(opened.device)
        found, accuracies = kept_predictions(model, train, test, np.arange(len(train)))
        out = opened.results / "models" / opened.run / f"seed{seed}"
        with whole(out / "model.safetensors") as path:
            save_file({key: value.cpu().contiguous() for key, value in model.state_dict().items()}, path)
        write_npz(out / "predictions.npz", found)
        record = {
            "schema": SCHEMA_VERSION,
            "kind": "rescaled",
            "run": {**settings, "seed": seed},
            "scale": scale,
            "true_class_probability": true_class_probability(own, train.labels, scale),
            **figures,
            **accuracies,
        }
        write_json(out / "record.json", record)
        opened.provenance(out, clock, sources)


if __name__ == "__main__":
    main()
