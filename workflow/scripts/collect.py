"""Collect an exhibit's records into its tidy table (and grids, where its kind has some)."""

from __future__ import annotations

from pathlib import Path

from lossproof.catalogue import load
from lossproof.exhibits.context import Context
from lossproof.paths import Paths
from lossproof.plan_file import step_parser
from lossproof.records import write_csv, write_npz


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--exhibit", required=True, help="paper/exhibit")
    parser.add_argument("--root", type=Path, default=Path(), help="where results/ lies")
    arguments = parser.parse_args()
    told = arguments.plan.get("collect", arguments.exhibit)
    paths = Paths(told["edition"])
    context = Context(
        root=arguments.root,
        paths=paths,
        paper=told["paper"],
        exhibit=told["exhibit"],
        stand_ins=told["stand_ins"],
        seeds=told["seeds"],
        splits=told["splits"],
        diagnosed=told["diagnosed"],
    )
    tidy = load("exhibits", told["kind"]).collect(told["declaration"], context)
    write_csv(arguments.root / paths.tidy(told["paper"], told["exhibit"]), tidy.rows, tidy.columns)
    if tidy.arrays is not None:
        write_npz(arguments.root / paths.tidy(told["paper"], told["exhibit"], "npz"), tidy.arrays)


if __name__ == "__main__":
    main()
