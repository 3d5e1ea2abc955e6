"""Typeset an exhibit's tidy table as Markdown, LaTeX and CSV, printed numbers beside measured ones."""

from __future__ import annotations

from pathlib import Path

from lossproof.drawing.typeset import latex, markdown, to_csv
from lossproof.exhibits.typeset import exhibit_table
from lossproof.plan_file import step_parser
from lossproof.records import read_csv, write_text


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--exhibit", required=True, help="paper/exhibit")
    parser.add_argument("--tidy", required=True, type=Path)
    parser.add_argument("--claims", required=True, type=Path, help="reference/claims.csv")
    parser.add_argument("--out", required=True, type=Path, nargs=3, help="the .md, .tex and .csv")
    arguments = parser.parse_args()
    told = arguments.plan.get("draw", arguments.exhibit)
    words = (told["paper"], told["exhibit"], told["kind"], told["title"])
    tidy = read_csv(arguments.tidy)
    claims = read_csv(arguments.claims)
    table = exhibit_table(*words, tidy, claims, told.get("same_as", ()), told.get("reported_as"))
    for path, typeset in zip(arguments.out, (markdown, latex, to_csv), strict=True):
        write_text(path, typeset(table))


if __name__ == "__main__":
    main()
