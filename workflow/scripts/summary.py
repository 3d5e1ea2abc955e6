"""A paper's page: what holds, what vanishes under the jury, and why, as Markdown."""

from __future__ import annotations

from pathlib import Path

from lossproof.plan_file import step_parser
from lossproof.records import read_csv, write_text
from lossproof.report.summary import summarise
from lossproof.report.summary_text import markdown


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--paper", required=True)
    parser.add_argument("--claims", required=True, type=Path, help="the edition's ledger")
    parser.add_argument("--verdicts", type=Path, help="the jury's tidy table of verdicts; none: no jury sat")
    parser.add_argument("--diagnostics", type=Path, help="the jury's tidy table of diagnostics")
    parser.add_argument("--out", required=True, type=Path)
    arguments = parser.parse_args()
    told = arguments.plan.get("summaries", arguments.paper)
    verdicts, diagnostics = (read_csv(path) if path else [] for path in (arguments.verdicts, arguments.diagnostics))
    page = summarise(
        told["paper"],
        read_csv(arguments.claims),
        verdicts,
        diagnostics,
        runs=told["runs"],
        title=told["title"],
        edition=told["edition"],
    )
    write_text(arguments.out, markdown(page))


if __name__ == "__main__":
    main()
