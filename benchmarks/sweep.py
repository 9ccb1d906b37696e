"""Times kernels over a table of shapes, beside the peers: matrix products, convolutions, normalisations, reductions, and all the rest.

    python benchmarks/sweep.py --torch PYTHON --torch-cl PYTHON --jax PYTHON      # all of about 800 cases
    python benchmarks/sweep.py matmul --torch PYTHON --threads 1 --save one.json  # one family with one thread
    python benchmarks/sweep.py matmul --torch PYTHON --only 768 --baseline one.json

Each framework starts once, all are pinned to the same processors and take turns; the median counts (``--best``:
the least, on a machine that others use too). ``ratio`` is the time of the best peer over ours: above 1 ours is faster. The worst ten
come last, then what fell since a saved run.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sweep_operations
import sweep_shapes
from sweep_shapes import TINY, Case

TABLES: Mapping[str, Callable[[], Iterator[Case]]] = {**sweep_shapes.TABLES, **sweep_operations.TABLES}
WORKER = Path(__file__).with_name("sweep_worker.py")
OURS = ("ours", "ours_eager")
PEERS = ("torch", "torch_cl", "jax", "mindspore", "numpy")
SETTLE = 0.003
"""Seconds between two frameworks' turns, in which the threads of the last one stop spinning."""
FELL = 0.9
"""A ratio below this part of the saved one is reported."""


def cases(families: Iterable[str]) -> list[Case]:
    """All cases of the named tables, in order."""
    return [case for name in families for case in TABLES[name]()]


class Worker:
    """A framework in a process of its own."""

    def __init__(self, name: str, python: str, processors: Sequence[int]) -> None:
        self.name, self.gone = name, ""
        self._process = subprocess.Popen(
            [python, str(WORKER), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(len(processors), name in OURS),
            preexec_fn=lambda: os.sched_setaffinity(0, processors),
        )
        self.version = self._answer().get("version", "")

    def ask(self, **request: Any) -> dict[str, Any]:
        """Its answer; ``{"absent": why}`` from a process that died."""
        if not self.gone:
            assert self._process.stdin is not None
            try:
                print(json.dumps(request), file=self._process.stdin, flush=True)
            except BrokenPipeError:
                self.gone = f"{self.name} ended"
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = "" if self.gone else self._process.stdout.readline()
        if not line:
            self.gone = self.gone or f"{self.name} ended with {self._process.wait()}"
            return {"absent": self.gone}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def environment(threads: int, ours: bool) -> dict[str, str]:
    """As many threads as processors for every library; PYTHONPATH is for ours alone."""
    found = {**os.environ}
    if not ours:
        found.pop("PYTHONPATH", None)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MS_NUM_THREADS"):
        found[name] = str(threads)
    return found


Middle = Callable[[Sequence[float]], float]


def measured(workers: Sequence[Worker], case: Case, rounds: int, seconds: float, middle: Middle) -> dict[str, Any]:
    """One row: what counts of each framework that has the operation, in turns of about `seconds`."""
    answers = {worker.name: worker.ask(do="prepare", case=case.message()) for worker in workers}
    able = [worker for worker in workers if "absent" not in answers[worker.name]]
    calls = {w.name: max(1, min(2000, int(seconds / max(answers[w.name]["once"], 1e-7)))) for w in able}
    samples: dict[str, list[float]] = {worker.name: [] for worker in able}
    for _ in range(rounds):
        for worker in able:
            time.sleep(SETTLE)
            answer = worker.ask(do="time", calls=calls[worker.name])
            samples[worker.name].append(answer.get("seconds", math.inf))
    counted = {name: middle(found) for name, found in samples.items()}
    return {
        "family": case.family,
        "case": case.name,
        "seconds": counted,
        "first": {name: answers[name]["first"] for name in counted},
        "peak_kib": {name: answers[name]["peak_kib"] for name in counted},
        "absent": {name: answer["absent"] for name, answer in answers.items() if "absent" in answer},
        "ratio": ratio(counted),
    }


def ratio(seconds: Mapping[str, float]) -> float | None:
    """The best peer's time over ours; None when one of them is missing."""
    peers = [value for name, value in seconds.items() if name in PEERS]
    ours = [value for name, value in seconds.items() if name in OURS]
    return min(peers) / min(ours) if peers and ours else None


def line(row: Mapping[str, Any], names: Sequence[str]) -> str:
    times = "".join(f"{row['seconds'][n] * 1e6:12.1f}" if n in row["seconds"] else f"{'-':>12s}" for n in names)
    found = f"{row['ratio']:8.2f}" if row["ratio"] else f"{'-':>8s}"
    missing = "  no answer from ours: " + row["absent"]["ours"] if "ours" in row["absent"] else ""
    return f"{row['family'] + ' ' + row['case']:64s}{times}{found}{missing}"


def fallen(rows: Sequence[Mapping[str, Any]], saved: Mapping[str, Any]) -> list[str]:
    """What compares worse with the peers than in a saved run (times of two runs do not compare; ratios do)."""
    before = {(row["family"], row["case"]): row["ratio"] for row in saved["rows"]}
    found = []
    for row in rows:
        old = before.get((row["family"], row["case"]))
        if old and row["ratio"] and row["ratio"] < FELL * old:
            found.append(f"{row['family']} {row['case']}: {old:.2f} -> {row['ratio']:.2f}")
    return found


def summary(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    """Geometric means by family, how many are slower than the limit, and the worst ten."""
    compared = sorted((row for row in rows if row["ratio"]), key=lambda row: float(row["ratio"]))
    result = []
    for family in dict.fromkeys(row["family"] for row in compared):
        logs = [math.log(row["ratio"]) for row in compared if row["family"] == family]
        slow = sum(value < -math.log(1.5) for value in logs)
        mean = math.exp(sum(logs) / len(logs))
        result.append(f"{family}: geometric mean {mean:.2f} over {len(logs)} cases, {slow} more than 1.5 times slower")
    if compared:
        result += ["the worst ten:", *(line(row, names) for row in compared[:10])]
    missing = [row for row in rows if "ours" in row["absent"]]
    return [
        *result,
        *(f"ours has no answer: {row['family']} {row['case']}: {row['absent']['ours']}" for row in missing),
    ]


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("family", nargs="*", metavar="family", help=f"of {', '.join(TABLES)}; all when none is named")
    found.add_argument("--ours", default=sys.executable, metavar="PYTHON", help="this one by default")
    found.add_argument("--eager", action="store_true", help="ours operator by operator instead of compiled")
    for name in PEERS:
        found.add_argument("--" + name.replace("_", "-"), metavar="PYTHON")
    found.add_argument("--only", metavar="TEXT", default="", help="cases whose name contains this")
    found.add_argument("--tiny", action="store_true", help="a few cases that take no time")
    found.add_argument("--cpus", default="0,1", help="processors that every framework is pinned to")
    found.add_argument("--threads", type=int, help="the first so many of them")
    found.add_argument("--rounds", type=int, default=7)
    found.add_argument("--seconds", type=float, default=0.01, help="of one turn")
    found.add_argument("--best", action="store_true", help="the least of the rounds counts, not the median")
    found.add_argument("--json", action="store_true", help="one JSON object per line")
    found.add_argument("--save", type=Path, metavar="FILE")
    found.add_argument("--baseline", type=Path, metavar="FILE", help="a saved run to compare with")
    return found


def main(arguments: list[str] | None = None) -> int:
    command = parser()
    options = command.parse_args(arguments)
    unknown = [name for name in options.family if name not in TABLES]
    if unknown:
        command.error(f"no family is called {unknown[0]!r}; expected one of {', '.join(TABLES)}")
    processors = [int(part) for part in options.cpus.split(",")][: options.threads]
    wanted = TINY if options.tiny else cases(options.family or TABLES)
    wanted = [case for case in wanted if options.only in f"{case.family} {case.name}"]
    names = {"ours_eager" if options.eager else "ours": options.ours}
    names |= {name: getattr(options, name) for name in PEERS if getattr(options, name)}
    os.sched_setaffinity(0, processors)
    workers = [Worker(name, python, processors) for name, python in names.items()]

    def show(text: str) -> None:
        if not options.json:
            print(text, flush=True)

    show(f"{'case, microseconds':64s}" + "".join(f"{name:>12s}" for name in names) + f"{'ratio':>8s}")
    middle: Middle = min if options.best else statistics.median
    rows = []
    for case in wanted:
        rows.append(measured(workers, case, options.rounds, options.seconds, middle))
        print(json.dumps(rows[-1]) if options.json else line(rows[-1], list(names)), flush=True)
    for text in summary(rows, list(names)):
        show(text)
    if options.baseline:
        fell = fallen(rows, json.loads(options.baseline.read_text(encoding="utf-8")))
        show("\n".join(["fell since the saved run:", *fell]) if fell else "nothing fell since the saved run")
    versions = {worker.name: worker.version for worker in workers}
    for worker in workers:
        worker.close()
    if options.save:
        text = json.dumps({"versions": versions, "threads": len(processors), "rows": rows}, indent=1)
        options.save.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
