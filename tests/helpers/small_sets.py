"""Published data sets with a few made-up images each, as new files of a checkout."""

from __future__ import annotations

import hashlib
from pathlib import Path
from pprint import pformat

from raw_files import MAKERS

from lossproof.catalogue import catalogue


def publish(name: str, folder: Path, shop: Path, base: str) -> str:
    """Give a checkout a source in the format of a shipped one, with small files that lie in ``shop`` and are to be had
    at ``base``. Returns its name."""
    small = f"small_{name}"
    (shop / small).mkdir(parents=True)
    raw = MAKERS[name](shop / small)
    shipped = catalogue("datasets")[name]
    files = [
        {
            "name": file,
            "urls": [f"{base}/{small}/{file}"],
            "checksum": f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}",
        }
        for file, path in raw.files.items()
    ]
    entry = {"build": shipped.build, "parameters": {}, "files": files, "folders": []}
    entry |= {"expect": shipped.about["expect"] | raw.expect, "licence": shipped.about["licence"]}
    code = f"from {shipped.module} import {shipped.build}\n\nCATALOGUE = {pformat({small: entry})}\n"
    (folder / f"src/lossproof/datasets/sets/{small}.py").write_text(code)
    return small
