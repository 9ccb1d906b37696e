"""Random programs of branches, loops and calls that print, check, raise and write Parameters: the same in PYNATIVE mode and compiled."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor
from tests.outcomes import same

pytestmark = pytest.mark.compiler
COUNT = int(os.environ.get("MS_TEST_RANDOM_PROGRAMS", "24"))
HEAD = """
import mindspore as ms
from mindspore import Parameter, Tensor, nn


class Program(nn.Cell):
    def __init__(self):
        super().__init__()
        self.p = Parameter(Tensor(1.0, ms.float64), name="p")
        self.q = Parameter(Tensor([0.5, -0.5], ms.float64), name="q")
"""


class Writer:
    """Writes methods of `Program`; values are dyadic and grow slowly, so that all modes compute the same numbers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.prints = 0
        self.loops = 0

    def program(self) -> str:
        for helper in range(self.random.randint(0, 2)):
            self.method(f"helper{helper}", helper)
        self.method("run", 2)
        return HEAD + "\n".join(self.lines) + "\n"

    def method(self, name: str, helpers: int) -> None:
        self.helpers = [f"helper{i}" for i in range(helpers) if f"    def helper{i}(self, x):" in self.lines]
        self.lines += ["", f"    def {name}(self, x):", "        y = x * 0.5"]
        self.suite(2, self.random.randint(3, 6))
        self.lines.append(f"        return {self.vector()}")

    def suite(self, depth: int, count: int) -> None:
        for _ in range(count):
            kinds = [self.print, self.print, self.assign, self.write, self.check]
            kinds += [self.branch, self.branch, self.loop, self.call] if depth < 5 else []
            self.random.choice(kinds)(depth)

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def vector(self) -> str:
        return self.random.choice(["x", "y", "x + y", "y - x", "x * 0.5", "self.q + x", "-y"])

    def scalar(self) -> str:
        return self.random.choice(["x.sum()", "y.max()", "self.p + 0", "(x - y).sum()", "self.q.min()"])

    def condition(self) -> str:
        found = f"{self.scalar()} {self.random.choice(['<', '>'])} {self.random.choice([-1.3, 0.2, 0.7, 2.1, 5.3])}"
        if self.random.random() < 0.2:
            found = f"{found} {self.random.choice(['and', 'or'])} {self.scalar()} > {self.random.choice([-0.3, 1.1])}"
        return found

    def print(self, depth: int) -> None:
        self.prints += 1
        shown = self.random.choice(
            ["{v}", "[{v}, {s}]", 'f"{{{s}:.3f}}"', 'f"{{{v}}} {{{s}}}"', '({s}, "text")', "{s}, {v}, self.p"]
        )
        self.line(depth, f'print("at {self.prints}", {shown.format(v=self.vector(), s=self.scalar())})')

    def assign(self, depth: int) -> None:
        self.line(depth, f"{self.random.choice('xy')} = ({self.vector()}) * {self.random.choice([0.5, 0.25, 1.0])}")

    def write(self, depth: int) -> None:
        name, value = self.random.choice([("p", self.scalar()), ("q", self.vector())])
        self.line(depth, f"self.{name} = ({value}) * 0.5")

    def check(self, depth: int) -> None:
        self.prints += 1
        limit = self.random.choice([4.1, 8.3, 1.7])
        if self.random.random() < 0.5:
            self.line(depth, f'assert {self.scalar()} < {limit}, f"check {self.prints}: {{{self.scalar()}:.3f}}"')
        else:
            kind = self.random.choice(["ValueError", "KeyError", "RuntimeError"])
            self.line(depth, f"if {self.scalar()} > {limit}:")
            if self.random.random() < 0.3:
                self.write(depth + 1)
            self.line(depth + 1, f'raise {kind}(f"raised at {self.prints}: {{{self.vector()}}}")')

    def branch(self, depth: int) -> None:
        self.line(depth, f"if {self.condition()}:")
        self.suite(depth + 1, self.random.randint(1, 3))
        if self.random.random() < 0.15:
            self.line(depth + 1, f"return {self.vector()}")
        if self.random.random() < 0.6:
            self.line(depth, "else:")
            self.suite(depth + 1, self.random.randint(1, 3))

    def loop(self, depth: int) -> None:
        self.loops += 1
        name = f"i{self.loops}"
        if self.random.random() < 0.4:
            self.line(depth, f"for {name} in range({self.random.randint(1, 3)}):")
        else:
            self.line(depth, f"{name} = 0")
            self.line(depth, f"while {name} < {self.random.randint(1, 4)} and ({self.condition()}):")
            self.line(depth + 1, f"{name} += 1")
        if self.random.random() < 0.3:
            self.line(depth + 1, f"if {self.condition()}:")
            self.line(depth + 2, self.random.choice(["break", "continue"]))
        self.line(depth + 1, f'print("turn", {name}, {self.scalar()})')
        self.suite(depth + 1, self.random.randint(1, 3))

    def call(self, depth: int) -> None:
        if not self.helpers:
            self.print(depth)
            return
        target, helper = self.random.choice("xy"), self.random.choice(self.helpers)
        self.line(depth, f"{target} = self.{helper}({self.vector()}) * 0.5")


def made(source: str, path: Path) -> Callable[[], Any]:
    """Makes a fresh `Program` from `source`."""
    path.write_text(source, encoding="utf-8")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    program: Callable[[], Any] = module.Program
    return program


@pytest.mark.parametrize("seed", range(COUNT))
def test_random_programs(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    source = Writer(seed).program()
    make = made(source, tmp_path / f"random_effects_{seed}.py")
    for values in ((0.5, 1.25), (4.0, 3.5), (-2.0, 0.75)):
        x = Tensor(np.asarray(values, np.float64))
        found = same(lambda: make().run, capsys, x)
        assert found.parameters
        if seed % 4 == 0:
            same(lambda: _gradient(make()), capsys, x)


def _gradient(net: Any) -> Callable[[Any], Any]:
    return lambda v: ms.grad(lambda u: net.run(u).sum())(v)
