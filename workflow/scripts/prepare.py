"""Prepare one data set: raw files (or a packaged set) to checked arrays and a card."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from lossproof.datasets import prepared
from lossproof.datasets.arrive import arrive
from lossproof.datasets.locate import locate
from lossproof.datasets.source import source_of
from lossproof.records import Clock, read_json, write_provenance


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="id of the data set")
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON: source and its settings")
    parser.add_argument("--cache", required=True, type=Path, help="folder with raw files")
    parser.add_argument("--files", nargs="?", type=Path, help="files.json of the download, where there is one")
    parser.add_argument("--out", required=True, type=Path, help="folder for the prepared arrays")
    arguments = parser.parse_args()
    clock = Clock()
    settings = dict(arguments.settings)
    source = source_of(settings.pop("source"))
    try:
        files = locate(source, arguments.cache, arguments.files)
        known = read_json(arguments.files) if arguments.files else {}
        prepared.save(arguments.out, arrive(source, files, arguments.name, settings, known))
    except (ValueError, OSError) as error:
        sys.exit(f"lossproof: {error}")
    write_provenance(arguments.out, clock)


if __name__ == "__main__":
    main()
