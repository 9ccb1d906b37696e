"""Ctrl-C during long runs: KeyboardInterrupt at once on the main thread, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.compiler

_PROGRAM = """
import json, os, signal, threading
import numpy as np
import mindspore as ms
from mindspore import Tensor

@ms.jit
def count(x, n):
    i = x * 0
    while i < n:
        i = i + x
    return i

@ms.jit
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

ONE, FEW, ENDLESS = Tensor(1.0, ms.float64), Tensor(10.0, ms.float64), Tensor(1e15, ms.float64)
count(ONE, FEW)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it

def interrupted(run):
    "What `run`, which would take minutes, raises when the signal comes a moment after its start."
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        run()
    except BaseException as error:
        return type(error).__name__

def products():
    a = Tensor(np.ones((1500, 1500), np.float32))
    for _ in range(10_000):
        a @ a
"""


def _result(code: str, tmp_path: Path) -> Any:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM + code, encoding="utf-8")
    given = os.environ | {"PYTHONPATH": os.pathsep.join(["framework", "."])}
    done = subprocess.run([sys.executable, str(program)], env=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_compiled_loop_stops_and_runs_again(tmp_path: Path) -> None:
    code = """
first = interrupted(lambda: count(ONE, ENDLESS))
after = count(ONE, FEW).item()
second = interrupted(lambda: count(ONE, ENDLESS))
signal.signal(signal.SIGINT, signal.default_int_handler)
third = interrupted(lambda: count(ONE, ENDLESS))
print(json.dumps([first, after, second, third]))
"""
    stopped = "KeyboardInterrupt"
    assert _result(code, tmp_path) == [stopped, 10.0, stopped, stopped]


def test_compiled_recursion_stops_and_runs_again(tmp_path: Path) -> None:
    code = """
fibonacci(FEW)
first = interrupted(lambda: fibonacci(Tensor(90.0, ms.float64)))
print(json.dumps([first, fibonacci(FEW).item()]))
"""
    assert _result(code, tmp_path) == ["KeyboardInterrupt", 55.0]


def test_eager_operators_stop(tmp_path: Path) -> None:
    assert _result("print(json.dumps(interrupted(products)))", tmp_path) == "KeyboardInterrupt"


def test_runs_of_other_threads_go_on(tmp_path: Path) -> None:
    code = """
found = []
other = threading.Thread(target=lambda: found.append(count(ONE, Tensor(5e8, ms.float64)).item()))
other.start()
stopped = interrupted(lambda: count(ONE, ENDLESS))
other.join()
print(json.dumps([stopped, found]))
"""
    assert _result(code, tmp_path) == ["KeyboardInterrupt", [5e8]]


def test_a_handler_of_the_users_own_is_called_after_the_run(tmp_path: Path) -> None:
    code = """
calls = []
signal.signal(signal.SIGINT, lambda *_: calls.append(1))
name = interrupted(lambda: count(ONE, Tensor(5e8, ms.float64)))
print(json.dumps([name, calls]))
"""
    assert _result(code, tmp_path) == [None, [1]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_stops_too(tmp_path: Path) -> None:
    code = """
child = os.fork()
if child == 0:
    os._exit(0 if interrupted(lambda: count(ONE, ENDLESS)) == "KeyboardInterrupt" else 1)
print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
"""
    assert _result(code, tmp_path) == 0
