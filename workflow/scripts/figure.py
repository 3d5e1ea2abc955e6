"""Draw an exhibit's figure from its tidy table (and grids), as PNG and PDF."""

from __future__ import annotations

from pathlib import Path

from lossproof.catalogue import catalogue
from lossproof.plan_file import step_parser


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--exhibit", required=True, help="paper/exhibit")
    parser.add_argument("--tidy", required=True, type=Path, nargs="+", help="the tidy table, and its grids")
    parser.add_argument("--out", required=True, type=Path, nargs=2, help="the PNG and the PDF, beside each other")
    arguments = parser.parse_args()
    grids = arguments.tidy[1] if len(arguments.tidy) > 1 else None
    told = arguments.plan.get("draw", arguments.exhibit)
    draw = catalogue("exhibits")[told["kind"]].load_part("figure")
    draw(told, arguments.tidy[0], grids, arguments.out[0].with_suffix(""))


if __name__ == "__main__":
    main()
