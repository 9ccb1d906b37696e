"""The table of what compiled graphs ran."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from mindspore.kernels.times import Table

pytestmark = pytest.mark.compiler

_PROGRAM = """
import numpy as np
import mindspore as ms
from mindspore import ops

x, w, y = (ms.Tensor(np.ones(s, np.float32)) for s in ((1, 3, 8, 8), (4, 3, 3, 3), (40, 50)))

@ms.jit
def program(x, w, y):
    return ops.conv2d(x, w), ops.matmul(y, y.T), y + 1

for _ in range(3):
    program(x, w, y)
"""


def test_a_process_prints_what_ran() -> None:
    environment = {**os.environ, "MS_DEV_KERNEL_TIMES": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run([sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True, check=True)
    first, *lines = done.stderr.splitlines()
    assert re.fullmatch(r"program: [\d.]+ ms, the median of 3 runs", first)
    assert all(re.match(r" *[\d.]+ ms +[\d.]+% +1 x  ", line) for line in lines)
    for part in (
        "planes_forward_f32 1 1 3 4 8 8 6 6 3 3",
        "product [40, 50] @ [50, 40] and 0 maps",
        "nest 1 | 2000 | 1 (1 load",
    ):
        assert sum(part in line for line in lines) == 1, done.stderr


def test_equal_work_is_one_line_and_the_first_run_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((0.0, 0.0, 5.0, 5.0, 9.0, 9.0, 9.0, 9.0, 10.0, 10.0, 13.0, 13.0))
    monkeypatch.setattr("mindspore.kernels.times.perf_counter", lambda: next(clock))
    table = Table("graph")
    sites = [table.site(label) for label in ("", "work", "work")]
    for _ in range(2):
        for effect, types in sites:
            assert types == ()
            effect.carry_out((), ())
    assert table.text().splitlines() == [
        "graph: 4000.000 ms, the median of 2 runs", "  4000.000 ms 100.0%    2 x  work",
    ]  # fmt: skip
