"""Run a step on one GPU of this machine that no other step uses.

    python workflow/scripts/lease.py [--jobs-per-device N] workflow/scripts/train.py --plan ...

Waits until one of the visible GPUs (those of CUDA_VISIBLE_DEVICES, else all) is free, then becomes the step, which sees
that GPU alone. The lease ends with the step's process, however it ends. A cluster gives each job its own device, so
there steps are run without this.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import runpy
import sys
from pathlib import Path

from lossproof.devices import VISIBLE, visible_devices
from lossproof.leases import lease


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs-per-device", type=int, default=1, help="steps that may share a GPU at once")
    parser.add_argument("step", help="the step's script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")
    arguments = parser.parse_args()
    devices = visible_devices()
    # Without a GPU the step itself says what it misses.
    with lease(devices, arguments.jobs_per_device) if devices else contextlib.nullcontext() as device:
        if device is not None:
            # Before torch is imported: CUDA looks at this once.
            os.environ[VISIBLE] = device
            print(f"GPU {device} of {', '.join(devices)}", file=sys.stderr, flush=True)
        sys.argv = [arguments.step, *arguments.arguments]
        sys.path[0] = str(Path(arguments.step).resolve().parent)
        runpy.run_path(arguments.step, run_name="__main__")


if __name__ == "__main__":
    main()
