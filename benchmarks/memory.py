"""What a process of the benchmarks holds in memory."""

from __future__ import annotations

import resource
from pathlib import Path


def peak_kib() -> int:
    """Most resident memory since the last `forget_peak`, or since the start.

    A child starts with its parent's figure in ``ru_maxrss``, which stands in only where the kernel has no counter of the process alone.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
