"""The ledger: every printed number of the chosen papers, its measurement and a verdict."""

from __future__ import annotations

import sys
from pathlib import Path

from lossproof.claims.columns import read_claims
from lossproof.claims.ledger import COLUMNS, build_ledger
from lossproof.display_names import as_printed
from lossproof.paths import Paths
from lossproof.plan_file import step_parser
from lossproof.records import read_csv, read_json, write_csv
from lossproof.settings.faults import SettingsError


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--claims", required=True, type=Path, help="reference/claims.csv")
    parser.add_argument("--out", required=True, type=Path)
    arguments = parser.parse_args()
    told = arguments.plan.get("claims")
    paths = Paths(told["edition"])
    facts, tables = told["facts"], {}
    for exhibit in set(told["exhibits"].values()):
        paper, name = exhibit.split("/")
        tables[exhibit] = as_printed(read_csv(paths.tidy(paper, name)), facts[paper]["reported_as"])
    tidy = {name: tables[exhibit] for name, exhibit in told["exhibits"].items()}
    cards = {data: read_json(f"{paths.results}/datasets/{data}/card.json") for data in told["data"]}
    try:
        claims = read_claims(arguments.claims)
    except SettingsError as error:
        sys.exit(f"lossproof: {error}")
    rows = []
    for paper in told["papers"]:
        rows += build_ledger(
            [claim for claim in claims if claim["paper"] == paper],
            tidy,
            full_protocol=told["full_protocol"],
            edition=told["edition"],
            data_for={meant: data for meant, data in told["stand_ins"].items() if data},
            missing=told["missing"],
            cards=cards,
            sources=told["sources"],
            attacked_split=facts[paper]["attacked_split"],
            controls=facts[paper]["controls"],
        )
    write_csv(arguments.out, rows, COLUMNS)


if __name__ == "__main__":
    main()
