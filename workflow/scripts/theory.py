"""Check statements of a paper numerically, or trace curves of its losses."""

from __future__ import annotations

from lossproof import devices
from lossproof.catalogue import catalogue, load
from lossproof.plan_file import step_parser
from lossproof.records import SCHEMA_VERSION, Clock, write_json, write_provenance


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--paper", required=True)
    parser.add_argument("--checks", required=True, nargs="+", help="entries of src/lossproof/theory")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    clock = Clock()
    devices.prepare(arguments.threads, "cpu")
    folder = arguments.plan.results / "theory" / arguments.paper
    shared = {"schema": SCHEMA_VERSION, "kind": "theory", "paper": arguments.paper}
    for check in arguments.checks:
        if "trainings" in catalogue("theory")[check].parameters:
            recipes = arguments.plan.get("curves", arguments.paper).items()
            criteria = {name: {"criterion": recipe["name"], **recipe["parameters"]} for name, recipe in recipes}
            found = {"curves": load("theory", check)(trainings=criteria)}
        else:
            found = load("theory", check)()
        write_json(folder / f"{check}.json", shared | {"statement": check} | found)
    write_provenance(folder, clock, threads=arguments.threads, name=f"{arguments.checks[0]}.provenance.json")


if __name__ == "__main__":
    main()
