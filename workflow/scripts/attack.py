"""Run a bundle of attacks on one run's networks; one record and one file of outcomes per split and attack."""

from __future__ import annotations

from typing import Any

from lossproof.attacks.protocol import AttackData, run_bundle
from lossproof.attacks.subset import choose_images
from lossproof.datasets.prepared import SPLITS
from lossproof.records import Clock, write_json, write_npz
from lossproof.training.opening import network_parser, open_run, run_path


def main() -> None:
    parser = network_parser(__doc__)
    parser.add_argument("--bundle", required=True, help="name of a bundle of attacks")
    arguments = parser.parse_args()
    plan = arguments.plan
    attacks = {name: plan.get("attacks", name) for name in sorted(plan.get("bundles", arguments.bundle))}
    made_on = plan.get("networks", arguments.run, "substitutes")
    substitutes = {name: plan.network(made_on[name]) for name in attacks if name in made_on}
    opened = open_run(arguments)
    settings = opened.settings

    def chosen(cap: int | None) -> dict[str, AttackData]:
        """What is attacked of each split: every network of a data set faces the same images."""
        found = {}
        for split in SPLITS:
            _, labels = opened.data.split(split)
            counts = [count for count in (plan.get("attack_images", split), cap) if count is not None]
            index = choose_images(labels, min(counts, default=None), settings["dataset"], split)
            found[split] = AttackData(opened.images(split, index), index)
        return found

    criterion = opened.criterion()
    networks = {run_path(one): one for one in (settings, *substitutes.values())}
    # Attacks of few images look at some of those that the others attack.
    caps = list(dict.fromkeys(attack.get("images") for attack in attacks.values()))
    attacked = {cap: chosen(cap) for cap in caps}
    for seed in arguments.seeds:
        clock = Clock()
        loaded = {path: opened.network(seed, one) for path, one in networks.items()}
        found: dict[Any, Any] = {}
        for cap, images in attacked.items():
            found |= run_bundle(
                loaded[opened.run],
                images,
                {name: attack for name, attack in attacks.items() if attack.get("images") == cap},
                run_name=opened.run,
                seed=seed,
                batch_size=plan.get("attack_batch_size"),
                criterion=criterion,
                substitutes={name: loaded[run_path(one)] for name, one in substitutes.items()},
            )
        folder = opened.results / "attacks" / opened.run / f"seed{seed}"
        for (split, attack), (record, arrays) in found.items():
            write_npz(folder / split / f"{attack}.npz", arrays)
            write_json(folder / split / f"{attack}.json", record | {"run": {**settings, "seed": seed}})
        weights = [opened.weights(seed, one) for one in networks.values()]
        opened.provenance(folder, clock, weights, f"{arguments.bundle}.provenance.json")


if __name__ == "__main__":
    main()
