"""Which device a job runs on, and how many threads it may use."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda", "mps")
VISIBLE = "CUDA_VISIBLE_DEVICES"


def visible_devices(environment: Mapping[str, str] = os.environ, dev: Path = Path("/dev")) -> list[str]:
    """The GPUs that this process may use, as CUDA names them: indices, or what CUDA_VISIBLE_DEVICES holds.

    As in CUDA, an empty list there means none and an index of -1 ends it. Without it there is one device for each
    device file of NVIDIA's driver.
    """
    if VISIBLE in environment:
        names = [name.strip() for name in environment[VISIBLE].split(",")]
        return [name for name in (names[: names.index("-1")] if "-1" in names else names) if name]
    return [str(index) for index, _ in enumerate(path for path in dev.glob("nvidia*") if path.name[6:].isdigit())]


def pick_device(name: str = "auto") -> torch.device:
    """The device for ``auto | cpu | cuda | mps``; RuntimeError where the named one is absent."""
    import torch

    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if here[kind])
        if name == "cpu" and VISIBLE in os.environ and (given := visible_devices()):
            print(
                f"this job was given a GPU ({VISIBLE}={','.join(given)}) that torch cannot use: it runs on the CPU",
                file=sys.stderr,
            )
    if not here.get(name, False):
        raise RuntimeError(f"device '{name}' is not available here; available: {[k for k, v in here.items() if v]}")
    return torch.device(name)


def prepare(threads: int = 1, device: str = "auto") -> torch.device:
    """Limit torch to ``threads`` threads, ask a GPU for deterministic kernels and true float32, return the device.

    Two processes with two threads each on two cores are three times slower than with one each,
    so a job never takes more than Snakemake gave it. The CPU kernels that we use are deterministic
    for a given number of threads; asking for it all the same would import torch's compiler (over a
    second per job) and fill every fresh tensor.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.set_num_threads(max(1, threads))
    picked = pick_device(device)
    if picked.type != "cpu":
        # On MPS this only warns: operations without a deterministic kernel run as they are.
        torch.use_deterministic_algorithms(True, warn_only=True)
    if picked.type == "cuda":
        allow_tf32(False)
    return picked


def allow_tf32(allow: bool) -> None:
    """Whether CUDA may round the factors of float32 products and convolutions to TF32 (10 bits of mantissa).

    torch allows it to convolutions by default, so float32 means float32 only after ``allow_tf32(False)``. The
    older pair of switches is used because it keeps the newer ones (``fp32_precision``) in step; set the other way
    round, torch's own reads of the older pair fail, among them torch.compile's.
    """
    import torch

    torch.backends.cuda.matmul.allow_tf32 = allow
    torch.backends.cudnn.allow_tf32 = allow


def describe(device: torch.device) -> str:
    """A device in words for provenance, e.g. 'cpu', or 'cuda: NVIDIA H200 (GPU-2f6c…)', its name and UUID."""
    if device.type == "cuda":
        import torch

        uuid = torch.cuda.get_device_properties(device).uuid
        return f"cuda: {torch.cuda.get_device_name(device)} (GPU-{uuid})"
    return device.type


def gpus_wanted(name: str, elsewhere: bool = False) -> int:
    """How many GPUs a job asks Snakemake for: 0 where it will run on a CPU, so that nothing waits.

    ``elsewhere``: the job runs on another machine than this one, where ``auto`` hopes for a GPU. Asked while the
    workflow is parsed, so it looks for the driver's device file and imports nothing.
    """
    if name == "auto":
        return int(elsewhere or (os.path.exists("/dev/nvidiactl") and bool(visible_devices())))
    return int(name == "cuda")
