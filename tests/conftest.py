"""One thread per test process, as every step of the workflow has.

Several processes, each with threads of its own that spin while they wait for each other, slow one another tenfold.
"""

from __future__ import annotations

import os

# Before NumPy and torch are imported, which read them once.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
