"""Gather a finished edition's measurements into one file of reference/measured, with hardware, epochs and date."""

from __future__ import annotations

import argparse
import datetime
from functools import cache
from pathlib import Path

from lossproof.claims.published import COLUMNS, final_norms, unprinted, with_run
from lossproof.exhibits.paths import Paths
from lossproof.records import read_csv, read_json, write_csv


@cache
def epochs_of(pattern: str) -> set[int]:
    """Epochs of the trainings behind a record's path, in which ``*`` stands for every seed."""
    return {read_json(path)["run"]["epochs"] for path in sorted(Path().glob(pattern))}


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
        tidy = read_csv(paths.tidy(*exhibit.split("/")))
        rows += final_norms(tidy) if "quantity" in tidy[0] else unprinted(tidy)
    run = {"edition": arguments.edition, "hardware": arguments.hardware, "date": arguments.date}
    write_csv(arguments.out, with_run(rows, epochs_of, **run), COLUMNS)


if __name__ == "__main__":
    main()
