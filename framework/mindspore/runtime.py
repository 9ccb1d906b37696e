"""The memory of tensors, graphs and kernels: how much is used, how much was used at most, and giving back what is kept for reuse.

One allocator serves tensors, the planned arenas of compiled graphs and the scratch of kernels. It keeps what is freed for the next
request ("idle"), at most a quarter of the machine's memory. *Allocated* is what is handed out, in size classes (at most a quarter
above what was asked, an eighth from 1 MiB on); *reserved* is allocated and idle together: what the process has taken from the system.
"""

from __future__ import annotations

from mindspore import _native

__all__ = [
    "empty_cache",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "reset_max_memory_allocated",
    "reset_max_memory_reserved",
    "reset_peak_memory_stats",
    "synchronize",
]

_ROWS = {
    "Reserved memory": "total_reserved_memory",
    "Allocated memory": "total_allocated_memory",
    "Idle memory": "total_idle_memory",
    "Max reserved memory": "max_reserved_memory",
    "Max allocated memory": "max_allocated_memory",
}
_UNITS = ("B", "KB", "MB", "GB", "TB")


def memory_stats() -> dict[str, int]:
    """What the allocator counts.

    Returns:
        dict of int. In bytes: `total_reserved_memory`, `total_allocated_memory`, `total_idle_memory`, `max_reserved_memory`,
        `max_allocated_memory`, and `max_idle_memory`, the most that is kept idle. In numbers: `allocated_blocks` now, `reused_blocks` and
        `system_blocks`, the requests served so far by idle blocks and by the system.

    Examples:
        >>> import mindspore as ms
        >>> x = ms.ops.zeros((1024, 1024))
        >>> ms.runtime.memory_stats()["total_allocated_memory"] >= 4 * 1024 * 1024
        True
    """
    counted = _native.memory_stats()
    return {
        "total_reserved_memory": counted["in_use"] + counted["cached"],
        "total_allocated_memory": counted["in_use"],
        "total_idle_memory": counted["cached"],
        "max_reserved_memory": counted["reserved_peak"],
        "max_allocated_memory": counted["peak"],
        "max_idle_memory": counted["limit"],
        "allocated_blocks": counted["blocks"],
        "reused_blocks": counted["hits"],
        "system_blocks": counted["system_blocks"],
    }


def memory_allocated() -> int:
    """Bytes that tensors, arenas and scratch hold now."""
    return memory_stats()["total_allocated_memory"]


def max_memory_allocated() -> int:
    """The most bytes that were allocated at one time since the process started or the last reset.

    Examples:
        >>> import mindspore as ms
        >>> ms.runtime.reset_max_memory_allocated()
        >>> before = ms.runtime.memory_allocated()
        >>> y = ms.ops.exp(ms.ops.zeros((512, 512))).sum()
        >>> ms.runtime.max_memory_allocated() - before >= 2 * 512 * 512 * 4
        True
    """
    return memory_stats()["max_allocated_memory"]


def memory_reserved() -> int:
    """Bytes that the process has taken from the system for tensors: allocated and idle."""
    return memory_stats()["total_reserved_memory"]


def max_memory_reserved() -> int:
    """The most bytes that were reserved at one time since the process started or the last reset."""
    return memory_stats()["max_reserved_memory"]


def memory_summary() -> str:
    """The statistics as a table to print, in units that suit each number."""
    stats = memory_stats()
    cells = {label: _amount(stats[key]) for label, key in _ROWS.items()}
    widths = max(map(len, cells)), max(map(len, cells.values()))
    lines = [f"{label:<{widths[0]}}  {amount:>{widths[1]}}" for label, amount in cells.items()]
    return "\n".join(["Memory summary", "-" * len(lines[0]), *lines])


def reset_max_memory_allocated() -> None:
    """Begin to measure `max_memory_allocated` anew, from what is allocated now."""
    _native.memory_reset_peaks(in_use=True, reserved=False)


def reset_max_memory_reserved() -> None:
    """Begin to measure `max_memory_reserved` anew, from what is reserved now."""
    _native.memory_reset_peaks(in_use=False, reserved=True)


def reset_peak_memory_stats() -> None:
    """Begin to measure both peaks anew."""
    _native.memory_reset_peaks(in_use=True, reserved=True)


def empty_cache() -> None:
    """Give idle memory back to the system."""
    _native.memory_trim()


def synchronize() -> None:
    """Wait for work that was started: on the CPU every operation has ended when its call returns, so there is none to wait for."""


def _amount(count: int) -> str:
    """A number of bytes in the largest unit in which it is at least 1; `12.5 MB`."""
    power = min(max(count.bit_length() - 1, 0) // 10, len(_UNITS) - 1)
    return f"{count / 1024**power:.1f} {_UNITS[power]}" if power else f"{count} B"
