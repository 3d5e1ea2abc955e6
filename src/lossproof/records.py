"""The files that a step leaves: written whole or not at all, equal for equal runs.

A *record* holds what was run and what came out, and nothing that changes between equal runs.
What does change (time, machine, versions) goes to ``provenance.json`` beside it.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

SCHEMA_VERSION = 1
# Module to distribution: some modules do not know their own version.
PACKAGES = {
    "torch": "torch",
    "torchvision": "torchvision",
    "torchattacks": "torchattacks",
    "loss_landscapes": "loss-landscapes",
    "numpy": "numpy",
    "matplotlib": "matplotlib",
    "sklearn": "scikit-learn",
}


@contextlib.contextmanager
def whole(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it to ``path`` only when the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text in one step."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write JSON with sorted keys in one step; ValueError on NaN or infinity."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file; ValueError names a file that is not JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not a JSON file ({error})") from error


def write_npz(path: Path | str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name (no pickles) in one step, to the same bytes each time."""
    with whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_npz(path: Path | str) -> dict[str, np.ndarray]:
    """All arrays of a file that ``write_npz`` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def write_csv(path: Path | str, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write rows with exactly these columns; floats in shortest exact form, None as an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="", extrasaction="raise")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    write_text(path, text.getvalue())


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return repr(float(value))
    return value


def read_csv(path: Path | str) -> list[dict[str, str]]:
    """All rows of a CSV file as strings by column."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def sha256(path: Path | str) -> str:
    """The SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Clock:
    """When it was made, wall and CPU seconds since; peak memory of the process so far (it never falls)."""

    def __init__(self) -> None:
        self.started = datetime.now(UTC)
        self.wall = time.monotonic()
        self.cpu = time.process_time()

    def read(self) -> dict[str, float | str]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        scale = 1 if sys.platform == "darwin" else 1024
        return {
            "started": self.started.isoformat(timespec="milliseconds"),
            "wall_seconds": round(time.monotonic() - self.wall, 3),
            "cpu_seconds": round(time.process_time() - self.cpu, 3),
            "peak_memory_bytes": usage.ru_maxrss * scale,
        }


def _git_commit() -> dict[str, Any]:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "-uno"))}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}


def write_provenance(
    folder: Path | str,
    clock: Clock,
    inputs: Sequence[Path | str] = (),
    device: str = "cpu",
    threads: int = 1,
    name: str = "provenance.json",
    **more: Any,
) -> None:
    """Write how a result came about beside it. Never an input of a step, never compared."""
    versions = {module: version(name) for module, name in PACKAGES.items() if module in sys.modules}
    modules = sorted(module for module in sys.modules if module.split(".")[0] == "lossproof")
    write_json(
        Path(folder) / name,
        {
            "git": _git_commit(),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "packages": versions,
            "modules": modules,
            "device": device,
            "visible_devices": os.environ.get("CUDA_VISIBLE_DEVICES"),
            "threads": threads,
            "inputs": {str(path): sha256(path) for path in inputs},
            **clock.read(),
            **more,
        },
    )
