"""Gather a finished edition's measurements into one file of reference/measured, with hardware, epochs and date."""

from __future__ import annotations

import argparse
import datetime
import sys
from functools import cache
from pathlib import Path

from lossproof.claims.published import COLUMNS, unprinted, with_run
from lossproof.paths import Paths
from lossproof.records import read_csv, read_json, write_csv
from lossproof.settings.resolved import all_epochs


@cache
def epochs_of(pattern: str) -> set[int]:
    """Epochs, of all phases, of the trainings behind a record's path, in which ``*`` stands for every seed."""
    return {all_epochs(read_json(path)["run"]) for path in sorted(Path().glob(pattern))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edition", required=True, help="the edition whose results to gather")
    parser.add_argument("--hardware", required=True, help="in words, e.g. '2 x86-64 cores'")
    parser.add_argument("--exhibits", nargs="*", default=[], help="exhibits that print no numbers, e.g. mnist/curves")
    parser.add_argument("--date", default=datetime.datetime.now(datetime.UTC).date().isoformat(), help="default: today")
    parser.add_argument("--out", required=True, type=Path, help="reference/measured/<edition>-<hardware>.csv")
    arguments = parser.parse_args()
    paths = Paths(arguments.edition)
    ledger = Path(paths.results) / "claims.csv"
    rows = [row for row in read_csv(ledger) if row["measured"]] if ledger.exists() else []
    for exhibit in arguments.exhibits:
        try:
            rows += unprinted(read_csv(paths.tidy(*exhibit.split("/"))))
        except (ValueError, OSError) as error:
            sys.exit(f"lossproof: --exhibits {exhibit}: {error}")
    cards = Path(paths.results).glob("datasets/*/card.json")
    notes = {card.parent.name: read_json(card).get("note", "") for card in cards}
    run = {"edition": arguments.edition, "hardware": arguments.hardware, "date": arguments.date}
    write_csv(arguments.out, with_run(rows, epochs_of, notes, **run), COLUMNS)


if __name__ == "__main__":
    main()
