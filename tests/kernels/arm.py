"""aarch64 code run by QEMU: kernels and graphs as programs of their own, linked by a cross compiler."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.ir.graph import Graph
from mindspore.kernels import catalog, jit, target
from mindspore.kernels.lower import lower
from mindspore.kernels.plans import PlanSpec
from mindspore.kernels.target import Part

ISA = target.isa("neon")
HERE = Path(__file__).parent
ENTRY, TABLE = "entry", -1


@cache
def compiler() -> str:
    return _found("aarch64-linux-gnu-gcc", "a C compiler for aarch64: gcc-aarch64-linux-gnu on Debian")


@cache
def emulator() -> str:
    found = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    return found or _found("qemu-aarch64", "QEMU for programs of aarch64: qemu-user-static on Debian")


def _found(name: str, what: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine ({what})")
    return found


@cache
def _driver() -> Path:
    folder = Path(mkdtemp(prefix="arm-driver-"))
    source, made = HERE / "arm_driver.c", folder / "driver.o"
    include = HERE.parents[1] / "framework" / "native"
    command = [compiler(), "-O1", "-Wall", "-Wextra", "-Werror", f"-I{include}", "-c", str(source), "-o", str(made)]
    subprocess.run(command, check=True)
    return made


@dataclass(slots=True)
class Script:
    """What a program does: buffers, calls of functions by number, and the buffers that it hands out."""

    buffers: list[bytes] = field(default_factory=list)
    calls: list[bytes] = field(default_factory=list)
    results: list[tuple[int, Any, tuple[int, ...]]] = field(default_factory=list)

    def given(self, array: Any) -> int:
        """A buffer with the elements of `array`; gives its number."""
        data = np.ascontiguousarray(array).tobytes()
        self.buffers.append(_numbers(len(data), max(1, array.dtype.itemsize), 1) + data)
        return len(self.buffers) - 1

    def room(self, size: int, align: int = 64) -> int:
        """A buffer with nothing in it; gives its number."""
        self.buffers.append(_numbers(size, align, 0))
        return len(self.buffers) - 1

    def call(self, function: int, buffers: Sequence[int], params: Sequence[int] = (), entry: bool = False) -> None:
        self.calls.append(_numbers(function, int(entry), len(buffers), *buffers, len(params), *params))

    def text(self) -> bytes:
        listed = (self.buffers, self.calls, [_numbers(r[0]) for r in self.results])
        return b"".join(_numbers(len(part)) + b"".join(part) for part in listed)


def _numbers(*values: int) -> bytes:
    return np.array(values, np.int64).tobytes()


class Program:
    """An executable of these kernels, and of the parts of a graph, whose entry is the last function."""

    def __init__(self, kernels: Sequence[str], folder: Path, parts: Sequence[Part] = ()) -> None:
        driver, self.path = _driver(), folder / "program"
        self.number = {name: k for k, name in enumerate(kernels)}
        symbols = [catalog.symbol(name, ISA) for name in kernels] + [ENTRY] * bool(parts)
        objects = [jit.compiled(catalog.find(name), ISA) for name in kernels] + jit.compiled_parts(parts, ISA)
        for k, data in enumerate(objects):
            (folder / f"{k}.o").write_bytes(data)
        declared = "".join(f"void {symbol}(void);\n" for symbol in symbols)
        (folder / "functions.c").write_text(f"{declared}void (*const functions[])(void) = {{{', '.join(symbols)}}};\n")
        files = [str(driver), str(folder / "functions.c"), *(str(folder / f"{k}.o") for k in range(len(objects)))]
        subprocess.run([compiler(), "-static", "-o", str(self.path), *files], check=True)

    def run(self, script: Script) -> list[Any]:
        """The results of the script; an AssertionError says what the program said when it failed."""
        done = subprocess.run([emulator(), str(self.path)], input=script.text(), capture_output=True, check=False)
        assert done.returncode == 0, f"{done.returncode}: {done.stderr.decode()[-500:]}"
        found, start = [], 0
        for _, kind, shape in script.results:
            count = int(np.prod(shape)) * np.dtype(kind).itemsize
            found.append(np.frombuffer(done.stdout[start : start + count], kind).reshape(shape))
            start += count
        assert start == len(done.stdout)
        return found


def planned(program: Program, script: Script, spec: PlanSpec, operands: Sequence[Any]) -> None:
    """Adds the kernel calls of a plan to the script, and its outputs to the results."""
    numbers = [script.given(a) for a in operands]
    outputs = [(t.shape, np.dtype(dt.to_numpy(t.dtype))) for t in spec.outputs]
    made = [script.room(int(np.prod(shape)) * kind.itemsize, kind.itemsize) for shape, kind in outputs]
    numbers += made
    numbers += [script.room(-(-size // 64) * 64) for size in spec.temporaries]
    numbers += [script.given(np.asarray(c)) for c in spec.constants]
    for output, source in spec.aliases:
        numbers[len(operands) + output] = numbers[source]
    for step in spec.steps:
        script.call(program.number[step.kernel], [numbers[i] for i in step.buffers], step.params)
    for k, (shape, kind) in enumerate(outputs):
        script.results.append((numbers[len(operands) + k], kind, shape))


def run_graph(made: Graph, arrays: Sequence[Any], folder: Path) -> list[Any]:
    """The results of a graph, compiled as one entry."""
    lowered = lower(made, isa=ISA)
    program, script = Program(lowered.kernels, folder, lowered.parts), Script()
    slots = [script.given(a) for a in arrays]
    for output in made.outputs():
        kind = np.dtype(dt.to_numpy(output.type.dtype))  # type: ignore[union-attr]
        shape = output.type.shape  # type: ignore[union-attr]
        script.results.append((script.room(int(np.prod(shape)) * kind.itemsize, kind.itemsize), kind, shape))
        slots.append(script.results[-1][0])
    slots += [TABLE, *(script.given(c) for c in lowered.constants), script.room(-(-lowered.arena_bytes // 64) * 64)]
    script.call(len(lowered.kernels), slots, entry=True)
    return program.run(script)
