"""How long the stages of compilations take."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import Any

SWITCH = "MS_DEV_COMPILE_TIMES"
"""Environment variable: 1 prints the table of each compilation to stderr."""
KERNELS = "MS_DEV_KERNEL_TIMES"
"""Environment variable: 1 prints what each compiled graph ran, and how long that took, to stderr when the process ends."""


@dataclass(frozen=True, slots=True)
class StageTime:
    """One stage of a compilation: its seconds without those of the stages inside it, and how often it ran."""

    name: str
    seconds: float
    runs: int


class _Clock:
    """Exclusive times: while a stage is inside another one, only the inner one counts."""

    def __init__(self) -> None:
        self.stages: dict[str, tuple[float, int]] = {}
        self.open: list[str] = []
        self.since = perf_counter()

    def enter(self, name: str) -> None:
        self.count(runs=0)
        self.open.append(name)

    def leave(self) -> None:
        self.count(runs=1)
        self.open.pop()

    def count(self, runs: int) -> None:
        now = perf_counter()
        if self.open:
            seconds, before = self.stages.get(self.open[-1], (0.0, 0))
            self.stages[self.open[-1]] = seconds + now - self.since, before + runs
        self.since = now


_clock: ContextVar[_Clock | None] = ContextVar("clock", default=None)
_newest: ContextVar[tuple[StageTime, ...]] = ContextVar("newest", default=())


@contextmanager
def stage(name: str) -> Iterator[None]:
    """What runs inside belongs to the stage `name` of the compilation that is under way, if there is one."""
    clock = _clock.get()
    if clock is None:
        yield
        return
    clock.enter(name)
    try:
        yield
    finally:
        clock.leave()


def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` as the stage `name`."""

    def run(*args: Any, **kwargs: Any) -> Any:
        with stage(name):
            return function(*args, **kwargs)

    return run


@contextmanager
def compilation(name: str) -> Iterator[None]:
    """One compilation; one inside another one belongs to it."""
    if _clock.get() is not None:
        yield
        return
    clock = _Clock()
    token = _clock.set(clock)
    clock.enter("other")
    try:
        yield
    finally:
        clock.leave()
        _clock.reset(token)
        times = tuple(StageTime(n, *found) for n, found in clock.stages.items())
        _newest.set(times)
        if os.environ.get(SWITCH) == "1":
            print(table(name, times), file=sys.stderr)


def newest() -> tuple[StageTime, ...]:
    """The stages of this thread's newest compilation, in the order in which they began."""
    return _newest.get()


def table(name: str, times: tuple[StageTime, ...]) -> str:
    """The stages as text, the longest first."""
    total = sum(t.seconds for t in times)
    rows = [
        f"{t.name:<28}{1e3 * t.seconds:>10.2f} ms{t.seconds / total if total else 0:>7.1%}{t.runs:>6} x"
        for t in sorted(times, key=lambda t: -t.seconds)
    ]
    return "\n".join([f"compiling {name}: {1e3 * total:.2f} ms", *rows])
