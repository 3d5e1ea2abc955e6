"""Train the networks of a bundle of toys under one training, and measure their boundaries."""

from __future__ import annotations

from lossproof import devices
from lossproof.catalogue import load
from lossproof.heads.choice import head_of
from lossproof.plan_file import step_parser
from lossproof.records import Clock, write_json, write_npz, write_provenance
from lossproof.toys.fit import fit_toys


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--bundle", required=True, help="name of a bundle of toys")
    parser.add_argument("--training", required=True)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    clock = Clock()
    devices.prepare(arguments.threads, "cpu")
    settings = arguments.plan.get("toys", arguments.bundle, arguments.training)
    criterion = load("criteria", settings["criterion"]["name"])(**settings["criterion"]["parameters"])
    made = fit_toys(
        settings["toys"],
        criterion,
        training=settings["training"],
        head=head_of(settings["criterion"]["name"], settings["criterion"]["parameters"]),
        seeds=range(settings["seeds"]),
        hidden=settings["hidden"],
        epochs=settings["epochs"],
        learning_rate=settings["learning_rate"],
    )
    for toy, (arrays, record) in made.items():
        folder = arguments.plan.results / "toys" / toy / settings["training"]
        write_npz(folder / "networks.npz", arrays)
        write_json(folder / "record.json", record)
        write_provenance(folder, clock, threads=arguments.threads, shared_by=sorted(made))


if __name__ == "__main__":
    main()
