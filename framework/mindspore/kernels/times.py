"""How long each unit of work of compiled graphs takes, for people who make kernels faster."""

from __future__ import annotations

import atexit
import os
import sys
from statistics import median
from time import perf_counter

from mindspore.base.times import KERNELS
from mindspore.ir.effects import Effect, Made, Site
from mindspore.kernels.chains import RunChain
from mindspore.kernels.nest import Nest
from mindspore.kernels.program import Kernels, Value
from mindspore.kernels.tasks import RunNest, RunProduct, RunStep, Task


def wanted() -> bool:
    return os.environ.get(KERNELS) == "1"


class Table:
    """Seconds by what ran, added up over the runs of one graph."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.labels: list[str] = []
        self.seconds: list[list[float]] = []
        self.since = 0.0

    def site(self, label: str) -> Site:
        """The effect that gives the time since the last one to `label`."""
        self.labels.append(label)
        self.seconds.append([])
        return Effect(Made(self.mark, (len(self.labels) - 1,))), ()

    def mark(self, number: int) -> None:
        """Unit `number` has ended; number 0 is the start of a run."""
        self.seconds[number].append(perf_counter() - self.since)
        self.since = perf_counter()

    def text(self) -> str:
        """One line for equal labels, the longest first: the median of the runs, without the first one, which finds its memory."""
        found: dict[str, tuple[float, int]] = {}
        for label, samples in zip(self.labels[1:], self.seconds[1:], strict=True):
            before, count = found.get(label, (0.0, 0))
            found[label] = before + median(samples[1:] or samples or [0.0]), count + 1
        total = sum(seconds for seconds, _ in found.values())
        lines = [f"{self.name}: {1e3 * total:.3f} ms, the median of {len(self.seconds[0])} runs"]
        for label, (seconds, count) in sorted(found.items(), key=lambda f: -f[1][0]):
            lines.append(f"{1e3 * seconds:10.3f} ms{seconds / total if total else 0:7.1%}{count:5} x  {label}")
        return "\n".join(lines)


def table(name: str) -> Table:
    """A table that is printed when the process ends."""
    made = Table(name)
    atexit.register(lambda: print(made.text(), file=sys.stderr))
    return made


def label(task: Task) -> str:
    """What a task does, with its sizes."""
    if isinstance(task, RunNest):
        return f"nest {_nest(task.nest)}, {_memory([*task.reads, *task.writes])}"
    if isinstance(task, RunProduct):
        m, n, k = task.product.size
        batches = f"{task.product.batch.count} x " if task.product.batch.count > 1 else ""
        return f"product {batches}[{m}, {k}] @ [{k}, {n}] and {len(task.maps)} maps"
    if isinstance(task, RunChain):
        return f"{task.count} x (" + ", then ".join(label(m.task) for m in task.members) + ")"
    if isinstance(task, RunStep) and isinstance(task.step, Kernels):
        return " + ".join(f"{c.kernel} {_numbers(c.params)}" for c in task.step.calls)
    return f"{type(task).__name__}, {_memory([*task.reads, *task.writes])}"


def _nest(nest: Nest) -> str:
    kinds = [i.kind for i in nest.items]
    dims = " | ".join("x".join(map(str, part)) or "1" for part in (nest.outer, nest.length, nest.inner))
    listed = ", ".join(f"{kinds.count(k)} {k}" for k in dict.fromkeys(kinds))
    return f"{dims} ({listed})"


def _memory(values: list[Value]) -> str:
    return f"{sum(int(v.nbytes) for v in values) / 1e6:.2f} MB"


def _numbers(params: tuple[int, ...]) -> str:
    return " ".join(map(str, params))
