"""Plan files on disk: one per content, so that runs with different overlays do not see each other's."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path
from typing import Any

from lossproof.planning.handover import as_json
from lossproof.records import write_text

# A plan file is as old as its last use. No workflow that began before this should still start steps.
KEPT_SECONDS = 30 * 24 * 60 * 60


def store(content: dict[str, Any]) -> str:
    """Write the plan file of this content unless it is there; its path. OSError where the folder cannot be written.

    Every process that builds commands calls this, so a job on another machine finds the file that its command names.
    """
    text = as_json(content)
    path = Path(".cache", content["edition"], f"plan-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json")
    if path.is_file():
        # A colleague's file can be read, and is only as old as it is.
        with contextlib.suppress(OSError):
            os.utime(path)
    else:
        write_text(path, text + "\n")
    return str(path)


def sweep(edition: str) -> None:
    """Remove the plan files of an edition that nothing has used for a month."""
    for path in Path(".cache", edition).glob("plan-*.json"):
        # Another process may sweep too, or store the file again.
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                path.unlink()
