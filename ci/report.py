"""What the user sees: results on stdout, everything else on stderr; bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


def say(text: str) -> None:
    """A line for the reader, never for a program."""
    print(text, file=sys.stderr, flush=True)


def emit(data: Any, as_json: bool, text: str) -> None:
    """The result of a command on stdout: JSON for programs, text for people."""
    print(json.dumps(data, indent=2, default=str) if as_json else text, flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Announce a step and how long it took; on a terminal a spinner moves meanwhile."""
    start = time.monotonic()
    if sys.stderr.isatty():
        with _bar(name):
            yield
    else:
        say(f"... {name}")
        yield
    say(f"    {name}: done in {time.monotonic() - start:.1f} s")


@contextmanager
def _bar(name: str) -> Iterator[None]:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    except ImportError:
        say(f"... {name}")
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(pulse_style="cyan"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(name, total=None)
        yield


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Left-aligned columns, two spaces apart."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [header, *rows])
    return "\n".join(line.rstrip() for line in lines)
