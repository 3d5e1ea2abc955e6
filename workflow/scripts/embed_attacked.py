"""Features of the images of an embedding that fool a run's networks under an attack, and where they lie."""

from __future__ import annotations

from lossproof.attacks import budgets
from lossproof.attacks.protocol import resolve
from lossproof.embeddings.attacked import attacked
from lossproof.embeddings.displacement import displacement
from lossproof.records import SCHEMA_VERSION, Clock, read_npz, write_json, write_npz
from lossproof.training.opening import network_parser, open_run


def main() -> None:
    parser = network_parser(__doc__)
    parser.add_argument("--attack", required=True, help="id of an attack")
    arguments = parser.parse_args()
    name, batch_size = arguments.attack, arguments.plan.get("attack_batch_size")
    plan = resolve(arguments.plan.get("attacks", name))
    opened = open_run(arguments)
    settings = opened.settings
    criterion = opened.criterion()
    folder = opened.results / "embeddings" / opened.run
    for seed in arguments.seeds:
        clock = Clock()
        clean = read_npz(folder / f"seed{seed}.npz")
        images = opened.images("test", clean["index"])
        names = (opened.run, seed, name)
        found = attacked(opened.network(seed), images, clean, plan, names, batch_size, criterion)
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
        opened.provenance(folder, clock, [opened.weights(seed)], f"seed{seed}.{name}.provenance.json")


if __name__ == "__main__":
    main()
