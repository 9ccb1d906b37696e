"""NVIDIA's assembler, where the machine has it: whether it takes our PTX, and what the kernels need of a GPU."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from mindspore.kernels.target import Gpu


@dataclass(frozen=True, slots=True)
class Needs:
    """Of one kernel: 32-bit registers of a thread, bytes of shared memory of a block, bytes that a thread moves out of registers."""

    registers: int
    shared_bytes: int
    spilled: int


@cache
def program() -> str:
    """Path of ptxas; the test is skipped where there is none."""
    found = shutil.which("ptxas") or shutil.which("ptxas", path="/usr/local/cuda/bin")
    if found is None:
        pytest.skip("ptxas is not on this machine: NVIDIA's assembler, part of the CUDA toolkit")
    return found


@cache
def generation(gpu: Gpu) -> str:
    """The generation to assemble for: an assembler that has forgotten an old one takes its PTX for the next."""
    listed = subprocess.run([program(), "--help"], capture_output=True, text=True, check=True).stdout
    known = sorted(int(n) for n in re.findall(r"'sm_(\d+)'", listed))
    wanted = int(gpu.cpu.removeprefix("sm_"))
    return f"sm_{min(n for n in known if n >= wanted)}"


def assemble(ptx: str, gpu: Gpu, folder: Path) -> Mapping[str, Needs]:
    """What each kernel needs; an AssertionError says what the assembler does not like."""
    source = folder / "kernels.ptx"
    source.write_text(ptx)
    command = [program(), "-v", "-arch", generation(gpu), str(source), "-o", str(folder / "kernels.cubin")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
    found: dict[str, Needs] = {}
    for part in done.stderr.split("Compiling entry function ")[1:]:
        numbers = [
            _number(part, what) for what in (r"(\d+) registers", r"(\d+) bytes smem", r"(\d+) bytes spill stores")
        ]
        found[part.split("'")[1]] = Needs(*numbers)
    return found


def _number(text: str, pattern: str) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0
