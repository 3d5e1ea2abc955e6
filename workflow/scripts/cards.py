"""Draw the cards of many networks, one picture for each, in one process."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from lossproof.drawing import style
from lossproof.drawing.sheet import write_png
from lossproof.exhibits.card import figure
from lossproof.progress import track
from lossproof.records import read_csv, read_json

SEED, SPLIT = 0, "test"
NAMED = ("dataset", "arch", "training")


def settings_of(text: str) -> Any:
    """JSON, or '-' for that of the standard input: of many networks it is longer than a command may be."""
    return json.loads(sys.stdin.read() if text == "-" else text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--settings",
        required=True,
        type=settings_of,
        help="JSON, '-' to read it from standard input: runs, a list of dataset, arch, training, attacks (by which the"
        " network is judged), and words for the card: twin, control, verdict, why",
    )
    parser.add_argument("--results", required=True, type=Path, help="results/<edition>")
    parser.add_argument("--figures", required=True, type=Path, help="figures/<edition>")
    parser.add_argument("--verdicts", type=Path, help="tidy table of the jury's verdicts, for the words")
    arguments = parser.parse_args()
    judged = {
        tuple(row[key] for key in NAMED): {key: row[key] for key in ("verdict", "why", "twin", "control")}
        for row in (read_csv(arguments.verdicts) if arguments.verdicts else ())
    }
    runs = arguments.settings["runs"]
    with style.house():
        for run in track(runs, len(runs), "cards"):
            path = "/".join(run[key] for key in NAMED)
            record = read_json(arguments.results / "jury" / path / f"seed{SEED}" / "diagnostics.json")
            folder = arguments.results / "attacks" / path / f"seed{SEED}" / SPLIT
            attacks = {name: read_json(folder / f"{name}.json") for name in run["attacks"]}
            words = run | judged.get(tuple(run[key] for key in NAMED), {})
            write_png(figure.draw(record, attacks, words), arguments.figures / "jury/cards" / f"{path}.png")


if __name__ == "__main__":
    main()
