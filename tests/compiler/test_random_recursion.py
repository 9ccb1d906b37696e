"""Random functions that call themselves and each other: values and gradients are those of Python, on both back ends."""

from __future__ import annotations

import linecache
import random
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import ops
from tests.compiler.test_recursion import BACKENDS, double, flat, integer

pytestmark = pytest.mark.compiler


class Program:
    """``main(x, y, n)`` over float64 tensors `x` and `y` and an integer tensor `n`; numbers stay small and every way ends."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.functions = ["f", "g"][: self.random.randint(1, 2)]
        self.nested = self.random.random() < 0.4
        self.pairs = self.random.random() < 0.4
        self.lines: list[str] = []
        indent = 0
        if self.nested:
            self.lines += ["def main(x, y, n):", "    z = ops.sin(x + y)"]
            indent = 1
        for name in self.functions:
            self._function(name, indent)
        start = f"f(x, y, n){'[0]' if self.pairs else ''}"
        if self.nested:
            self.lines.append(f"    return {start} + z")
        else:
            self.lines += ["def main(x, y, n):", f"    return {start}"]
        self.source = "\n".join(self.lines) + "\n"

    def function(self, seed: int) -> Any:
        name = f"random_recursion_{seed}.py"
        linecache.cache[name] = (len(self.source), None, self.source.splitlines(keepends=True), name)
        namespace: dict[str, Any] = {"ops": ops}
        exec(compile(self.source, name, "exec"), namespace)
        return namespace["main"]

    def _function(self, name: str, indent: int) -> None:
        body = [f"if n < {self.random.randint(1, 2)}:", f"    return {self._returned(['x', 'y'])}"]
        known = ["x", "y"]
        for place in range(self.random.randint(1, 4)):
            body += self._statement(known, place)
        if not any(("(" in line and " = f" in line) or " = g" in line for line in body):
            body += self._call(known, "last")
        body.append(f"return {self._returned(known)}")
        self.lines += ["    " * indent + f"def {name}(x, y, n):", *("    " * (indent + 1) + line for line in body)]

    def _returned(self, known: list[str]) -> str:
        return f"({self._value(known)}, {self._value(known)})" if self.pairs else self._value(known)

    def _statement(self, known: list[str], place: int) -> list[str]:
        kind = self.random.choice(["set", "call", "call", "branch", "loop", "while", "early"])
        if kind == "call":
            return self._call(known, str(place))
        if kind == "branch":
            inner = self._call(known, f"b{place}", into="x")
            return [
                f"if {self._test(known)}:",
                *("    " + line for line in inner),
                "else:",
                f"    y = {self._value(known)}",
            ]
        if kind == "loop":
            return [f"for i{place} in range(n % 3):", f"    x = {self._value(known)}"]
        if kind == "while":
            inner = (
                self._call(known, f"w{place}", into="y")
                if self.random.random() < 0.5
                else [f"y = {self._value(known)}"]
            )
            return [
                f"k{place} = n % 2",
                f"while k{place} > 0:",
                *("    " + i for i in inner),
                f"    k{place} = k{place} - 1",
            ]
        if kind == "early":
            return [f"if {self._test(known)}:", f"    return {self._returned(known)}"]
        return [f"x = {self._value(known)}"]

    def _call(self, known: list[str], place: str, into: str = "") -> list[str]:
        name, less = self.random.choice(self.functions), self.random.randint(1, 2)
        call = f"{name}({self._value(known)}, {self._value(known)}, n - {less})"
        target = into or f"r{place}"
        if not into:
            known.append(target)
        return [f"{target}, _{place} = {call}" if self.pairs else f"{target} = {call}"]

    def _test(self, known: list[str]) -> str:
        return f"{self.random.choice(known)} > {self.random.choice(['0.3', '-0.2', '0.05'])}"

    def _value(self, known: list[str]) -> str:
        pick = self.random.choice
        more = ["z * {v}"] if self.nested else []
        kinds = [
            "ops.sin({v})",
            "ops.tanh({v} + {w})",
            "{v} * {w} * 0.5",
            "{v} * 0.75 - {w} * 0.25",
            "ops.cos({v}) * {w}",
            *more,
        ]
        return pick(kinds).format(v=pick(known), w=pick(known))


ARGUMENTS = ((0.7, -0.4, 0), (0.45, 0.9, 3), (-0.8, 0.35, 4))


def check(seed: int) -> None:
    program = Program(seed)
    function = program.function(seed)
    gradient = ms.value_and_grad(function, (0, 1))
    for x, y, n in ARGUMENTS:
        given = double(x), double(y), integer(n)
        expected = flat(gradient(*given))
        np.testing.assert_allclose(function(*given).asnumpy(), expected[0], rtol=1e-12)
        for backend in BACKENDS:
            for got, want in zip(flat(ms.jit(gradient, backend=backend)(*given)), expected, strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12, err_msg=f"{backend}\n{program.source}")


@pytest.mark.parametrize("batch", range(8))
def test_random_recursive_programs(batch: int) -> None:
    for seed in range(batch * 4, batch * 4 + 4):
        check(seed)
