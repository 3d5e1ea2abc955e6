"""Draw the cards of many networks, one picture for each, in one process."""

from __future__ import annotations

from pathlib import Path

from lossproof.drawing import style
from lossproof.drawing.sheet import write_png
from lossproof.exhibits.card import figure
from lossproof.plan_file import step_parser
from lossproof.progress import track
from lossproof.records import read_csv, read_json

SEED, SPLIT = 0, "test"
NAMED = ("dataset", "arch", "training")


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--dataset", required=True, help="the data set whose networks to draw")
    parser.add_argument("--verdicts", type=Path, help="tidy table of the jury's verdicts, for the words")
    arguments = parser.parse_args()
    judged = {
        tuple(row[key] for key in NAMED): {key: row[key] for key in ("verdict", "why", "twin", "control")}
        for row in (read_csv(arguments.verdicts) if arguments.verdicts else ())
    }
    plan = arguments.plan
    runs = plan.get("cards", arguments.dataset)["runs"]
    with style.house():
        for run in track(runs, len(runs), "cards"):
            path = "/".join(run[key] for key in NAMED)
            record = read_json(plan.results / "jury" / path / f"seed{SEED}" / "diagnostics.json")
            folder = plan.results / "attacks" / path / f"seed{SEED}" / SPLIT
            attacks = {name: read_json(folder / f"{name}.json") for name in run["attacks"]}
            words = run | judged.get(tuple(run[key] for key in NAMED), {})
            write_png(figure.draw(record, attacks, words), plan.figures / "jury/cards" / f"{path}.png")


if __name__ == "__main__":
    main()
