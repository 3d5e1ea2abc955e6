"""See to it that one data set's raw files are in the cache, checked, and note what they are."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from lossproof.datasets.fetch import FetchError, fetch, manifest
from lossproof.datasets.source import source_of
from lossproof.records import write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="a source in src/lossproof/datasets with published files")
    parser.add_argument("--cache", required=True, type=Path, help="folder with raw files")
    parser.add_argument("--mirrors", default=[], type=json.loads, help="JSON: addresses to try first, a list")
    parser.add_argument("--offline", action="store_true", help="only look at what is there")
    parser.add_argument("--out", required=True, type=Path, help="files.json: SHA-256 and size of each file")
    arguments = parser.parse_args()
    try:
        files = fetch(source_of(arguments.source), arguments.cache, arguments.mirrors, arguments.offline)
    except (FetchError, OSError) as error:
        sys.exit(f"lossproof: {error}")
    write_json(arguments.out, manifest(files))


if __name__ == "__main__":
    main()
