"""Draw an exhibit's figure from its tidy table (and grids), as PNG and PDF."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lossproof.catalogue import catalogue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON: declaration, title, caption, kind")
    parser.add_argument("--tidy", required=True, type=Path, nargs="+", help="the tidy table, and its grids")
    parser.add_argument("--out", required=True, type=Path, nargs=2, help="the PNG and the PDF, beside each other")
    arguments = parser.parse_args()
    grids = arguments.tidy[1] if len(arguments.tidy) > 1 else None
    draw = catalogue("exhibits")[arguments.settings["kind"]].load_part("figure")
    draw(arguments.settings, arguments.tidy[0], grids, arguments.out[0].with_suffix(""))


if __name__ == "__main__":
    main()
