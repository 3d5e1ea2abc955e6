"""Leases: jobs that run at once on one machine get different GPUs.

Snakemake only counts GPUs: it neither knows the devices nor tells a job which one is its own. A lease is a lock on a
file per device (and per job that may share it), held by the process that uses the device: however that process ends,
the operating system takes the lock away with it. Nothing runs in the background and nothing is to be cleaned up.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

POLL_SECONDS = 0.2


@contextlib.contextmanager
def lease(devices: Sequence[str], jobs_per_device: int = 1, folder: Path | None = None) -> Iterator[str]:
    """Wait until one of ``devices`` is free, and hold it.

    ``jobs_per_device``: how many jobs may hold a device at once; an idle device is taken before a shared one.
    ``folder``: where the locks lie, on a disk of this machine; by default the user's own, so that two workflows of a
    user that name devices alike do not share one either. ValueError without devices.
    """
    if not devices:
        raise ValueError("no GPU is visible")
    device, lock = _wait(devices, jobs_per_device, folder or locks())
    try:
        yield device
    finally:
        lock.release()


def locks() -> Path:
    """The user's folder of locks on this machine; PermissionError where somebody else can enter it.

    Within an allocation of SLURM it is a folder of its own: there device 0 is the allocation's first, whichever it is.
    """
    folder = _own()
    if job := os.environ.get("SLURM_JOB_ID"):
        folder /= f"slurm-{job}"
        folder.mkdir(exist_ok=True)
    return folder


def _own() -> Path:
    folder = Path(tempfile.gettempdir()) / f"lossproof-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise PermissionError(f"{folder} is not ours alone")
    return folder


def _wait(devices: Sequence[str], jobs_per_device: int, folder: Path) -> tuple[str, FileLock]:
    """A device and its lock, which is held."""
    told = False
    while True:
        for device, path in _places(devices, jobs_per_device, folder):
            # A lock belongs to the process, not to the thread that took it.
            lock = FileLock(path, thread_local=False)
            with contextlib.suppress(Timeout):
                lock.acquire(blocking=False)
                return device, lock
        if not told:
            print(f"waiting for a GPU: {', '.join(devices)} taken", file=sys.stderr, flush=True)
            told = True
        time.sleep(POLL_SECONDS)


def _places(devices: Sequence[str], jobs_per_device: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Device and lock of every place, the first place of each device before any second one."""
    for place in range(jobs_per_device):
        for device in devices:
            yield device, folder / f"gpu-{re.sub(r'[^A-Za-z0-9-]', '_', device)}.{place}.lock"
