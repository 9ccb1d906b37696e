"""Times what users wait for: importing, dispatch, kernels, layers, models, compiling; and the memory that each takes.

    python benchmarks/run.py                                  # all, one line each
    python benchmarks/run.py kernels lenet --json             # a group and a task, one JSON object per line
    python benchmarks/run.py --before OTHER/framework         # beside another checkout's package, in turn
    python benchmarks/run.py --save now.json                  # and later, on the same machine:
    python benchmarks/run.py --baseline now.json              # what became slower or larger; exit code 1 then

Every task runs in processes of its own, `--rounds` of them. ``best`` is the median of their best rounds in seconds, ``cold`` the first
call with an empty cache of compiled objects, ``warm`` the first call of later processes, ``peak_mib`` the resident memory at its
highest, ``working_mib`` how much of that came with the calls.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from suite_table import GROUPS, TASKS

WORKER = Path(__file__).with_name("run_tasks.py")
SLOWER = 1.15
"""More than so many times the saved time or memory is reported."""
COMPARED = ("best", "cold", "warm", "peak_mib")
Row = dict[str, Any]


def one(task: str, seconds: float, cache: str, package: str | None) -> dict[str, float]:
    """What one process says. CalledProcessError when it fails."""
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    if package:
        environment["PYTHONPATH"] = package
    command = [sys.executable, str(WORKER), task, str(seconds)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def joined(runs: Sequence[Mapping[str, float]]) -> Row:
    """The median of all rounds; the first call counts as cold in the first round and as warm in the others."""
    found: Row = {name: statistics.median(run[name] for run in runs) for name in runs[0] if name != "first"}
    if "first" in runs[0]:
        found["cold"] = runs[0]["first"]
        if runs[1:]:
            found["warm"] = statistics.median(run["first"] for run in runs[1:])
    return found


def measured(task: str, rounds: int, seconds: float, before: str | None) -> Row:
    """A row: this package's figures, and under ``before`` those of the other one; the two take turns."""
    packages = {"now": None, "before": before} if before else {"now": None}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in packages}
    with tempfile.TemporaryDirectory() as caches:
        for _ in range(rounds):
            for name, package in packages.items():
                runs[name].append(one(task, seconds, str(Path(caches, name)), package))
    row = {"task": task, "group": TASKS[task], **joined(runs["now"])}
    if before:
        row["before"] = joined(runs["before"])
        row["ratio"] = row["before"]["best"] / row["best"]
    return row


def line(row: Mapping[str, Any]) -> str:
    parts = [f"{row['task']:18s} {row['best'] * 1e3:11.4f} ms"]
    parts += [f"{name} {row[name]:.3f} s" for name in ("numpy", "cold", "warm") if name in row]
    parts += [f"{row['peak_mib']:.0f} MiB"]
    if "ratio" in row:
        before = row["before"]
        parts += [
            f"before {before['best'] * 1e3:.4f} ms {before['peak_mib']:.0f} MiB, {row['ratio']:.2f} times as fast"
        ]
    return "  ".join(parts)


def fallen(rows: Sequence[Mapping[str, Any]], saved: Mapping[str, Any]) -> list[str]:
    """What takes more time or memory than in a saved run."""
    old = {row["task"]: row for row in saved["rows"]}
    return [
        f"{row['task']}: {name} {old[row['task']][name]:.6g} -> {row[name]:.6g}"
        for row in rows
        if row["task"] in old
        for name in COMPARED
        if name in row and name in old[row["task"]] and row[name] > SLOWER * old[row["task"]][name]
    ]


def saved_run(file: Path) -> dict[str, Any]:
    """Raises ValueError that says what is wrong with the file."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} is no saved run: {error}; make one with --save {file}") from None
    rows = found.get("rows") if isinstance(found, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "task" in row for row in rows):
        raise ValueError(f'{file} is no saved run: expected {{"rows": [...]}}; make one with --save {file}')
    return {"rows": rows}


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = f"groups {', '.join(GROUPS)}; tasks {', '.join(TASKS)}"
    found.add_argument("task", nargs="*", metavar="task", help=f"all when none is named; {known}")
    found.add_argument("--before", metavar="FOLDER", help="the folder that holds another `mindspore` package")
    found.add_argument("--cpus", metavar="CPUS", help="processors to pin to, such as 0,1")
    found.add_argument("--rounds", type=int, default=3, help="processes for each task")
    found.add_argument("--seconds", type=float, default=1.0, help="of measuring in each process")
    found.add_argument("--json", action="store_true", help="one JSON object per line")
    found.add_argument("--save", type=Path, metavar="FILE")
    found.add_argument("--baseline", type=Path, metavar="FILE", help="a saved run of this machine to compare with")
    return found


def main(arguments: list[str] | None = None) -> int:
    command = parser()
    options = command.parse_args(arguments)
    unknown = [name for name in options.task if name not in TASKS and name not in GROUPS]
    if unknown:
        command.error(f"no task or group is called {unknown[0]!r}; expected one of {', '.join([*GROUPS, *TASKS])}")
    if options.rounds < 1:
        command.error(f"expected at least one round, got --rounds {options.rounds}")
    if options.before and not Path(options.before, "mindspore").is_dir():
        command.error(f"{options.before} holds no `mindspore` package; expected a folder such as CHECKOUT/framework")
    try:
        saved = saved_run(options.baseline) if options.baseline else None
    except ValueError as error:
        command.error(str(error))
    if options.cpus:
        os.sched_setaffinity(0, [int(part) for part in options.cpus.split(",")])
    wanted = [task for task, group in TASKS.items() if not options.task or {task, group} & {*options.task}]
    rows = []
    for task in wanted:
        rows.append(measured(task, options.rounds, options.seconds, options.before))
        print(json.dumps(rows[-1]) if options.json else line(rows[-1]), flush=True)
    if options.save:
        partial = options.save.with_name(options.save.name + ".part")
        partial.write_text(json.dumps({"rows": rows}, indent=1), encoding="utf-8")
        partial.replace(options.save)
    slower = fallen(rows, saved) if saved else []
    for text in slower:
        print(f"more than {SLOWER} times the saved run's: {text}", file=sys.stderr)
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
