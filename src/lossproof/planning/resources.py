"""What a job asks a cluster for: memory in MB and time in minutes, more with each attempt. No result depends on it.

Measured peaks of memory, networks on a CPU: 0.9 GB on digits, 1.0 GB on MNIST (55 MB prepared), 1.4 GB on CIFAR-10
(184 MB); 0.8 GB for checks and toys; 0.3 GB to prepare CIFAR-10. A GPU's libraries take about two gigabytes more of
the host, which is not measured. Times are what the forecast says at the rates of config
``plan``, six times over, since small networks stay far from those rates, beside half an hour for the start and for
what the forecast leaves out. Where the size of the data is not known before they are prepared (a folder of one's own),
both are generous. A training that runs out of time goes on from its resume point, an attack starts anew.
"""

from __future__ import annotations

import math

from lossproof.planning.cost import GIGA, MEGA, TERA, hours
from lossproof.planning.forecast import Forecast, Work

NETWORK_MB = 3000
SMALL_MB = 1500
COPIES = 4
SPARE = 6
NETWORK_MINUTES = 30
SMALL_MINUTES = 15
# Of data whose size is not known
UNKNOWN_MB = 16_000
UNKNOWN_MINUTES = 24 * 60
MINUTES_PER_HOUR = 60


def small_memory(attempt: int) -> int:
    """Megabytes of a step that draws, checks or trains toys."""
    return SMALL_MB * attempt


def small_runtime(attempt: int) -> int:
    """Minutes of a step that draws, checks or trains toys."""
    return SMALL_MINUTES * 2 ** (attempt - 1)


def data_memory(forecast: Forecast, dataset: str, attempt: int) -> int:
    """Megabytes of a step that holds a data set, whether it prepares it or runs networks on it."""
    extent = forecast.extents[dataset]
    if extent is None:
        return attempt * UNKNOWN_MB
    held = 0 if extent.encoded else extent.prepared
    return attempt * (NETWORK_MB + math.ceil(COPIES * held / MEGA))


def network_runtime(forecast: Forecast, work: Work, gpu: bool, attempt: int) -> int:
    """Minutes of a step that runs networks: ``work`` is what it runs, ``gpu`` whether on a GPU or on one core."""
    rates = forecast.plan.config["plan"]
    rate = rates["gpu_tflops"] * TERA if gpu else rates["cpu_gflops"] * GIGA
    flop = forecast.flop(work)
    spared = UNKNOWN_MINUTES if flop is None else SPARE * MINUTES_PER_HOUR * hours(flop, rate)
    return math.ceil((NETWORK_MINUTES + spared) * 2 ** (attempt - 1))
