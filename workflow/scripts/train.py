"""Train one run (data set, architecture, training) for the given seeds."""

from __future__ import annotations

from safetensors.torch import save_file

from lossproof import devices
from lossproof.datasets import prepared
from lossproof.plan_file import step_parser
from lossproof.records import SCHEMA_VERSION, Clock, whole, write_csv, write_json, write_npz, write_provenance
from lossproof.training.feeding import loading_for
from lossproof.training.history import COLUMNS
from lossproof.training.loop import fit


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--run", required=True, help="data set/architecture/training")
    parser.add_argument("--seeds", required=True, type=int, nargs="+", help="seeds to train, one after the other")
    parser.add_argument("--resume-every", type=float, default=60.0, help="seconds between resume points")
    parser.add_argument("--code", default="", help="what the code of this step is: other code's points are not used")
    parser.add_argument("--device", default="auto", choices=devices.DEVICES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="of the threads, processes that decode large images")
    parser.add_argument("--prefetch", type=int, default=2, help="batches that each of them decodes ahead")
    arguments = parser.parse_args()
    settings = arguments.plan.network(arguments.run)
    folder = arguments.plan.data(settings["dataset"])
    data = prepared.load(folder)
    loading = loading_for(data, arguments.workers, arguments.prefetch, arguments.threads)
    device = devices.prepare(arguments.threads - loading.workers, arguments.device)
    for seed in arguments.seeds:
        clock = Clock()
        resume = arguments.plan.resume_point(arguments.run, seed)
        trained = fit(settings, data, seed, device, resume, arguments.resume_every, loading, arguments.code)
        out = arguments.plan.results / "models" / arguments.run / f"seed{seed}"
        with whole(out / "model.safetensors") as path:
            save_file(trained.state, path)
        write_csv(out / "history.csv", trained.history, COLUMNS)
        write_npz(out / "predictions.npz", trained.predictions)
        run = {**settings, "seed": seed}
        write_json(out / "record.json", {"schema": SCHEMA_VERSION, "kind": "training", "run": run, **trained.figures})
        inputs = sorted(folder.glob("*.npy"))
        write_provenance(out, clock, inputs, devices.describe(device), arguments.threads)


if __name__ == "__main__":
    main()
