"""Prepare one data set: raw files (or a packaged set) to checked arrays and a card."""

from __future__ import annotations

import sys
from pathlib import Path

from lossproof.datasets import prepared
from lossproof.datasets.arrive import arrive
from lossproof.datasets.locate import locate
from lossproof.datasets.source import source_of
from lossproof.plan_file import step_parser
from lossproof.records import Clock, read_json, write_provenance


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--dataset", required=True, help="id of the data set")
    parser.add_argument("--cache", required=True, type=Path, help="folder with raw files")
    parser.add_argument("--files", nargs="?", type=Path, help="files.json of the download, where there is one")
    arguments = parser.parse_args()
    clock = Clock()
    settings = dict(arguments.plan.get("datasets", arguments.dataset))
    out = arguments.plan.data(arguments.dataset)
    source = source_of(settings.pop("source"))
    try:
        files = locate(source, arguments.cache, arguments.files)
        known = read_json(arguments.files) if arguments.files else {}
        prepared.save(out, arrive(source, files, arguments.dataset, settings, known))
    except (ValueError, OSError) as error:
        sys.exit(f"lossproof: {error}")
    write_provenance(out, clock)


if __name__ == "__main__":
    main()
