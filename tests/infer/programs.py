"""Random programs of nested branches, loops, closures and tuples over scalars; each ends, and its numbers are exact in float32."""

from __future__ import annotations

import linecache
import random
from typing import Any


class Program:
    """One generated function ``f(x, y, n)``: float tensors `x` and `y`, an integer tensor `n`."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.counters = 0
        self.lines: list[str] = ["def f(x, y, n):", "    a, b, p = x, y * 2, (x, 1.5)"]
        if self.random.random() < 0.4:
            self._closure()
        self.has_closure = len(self.lines) > 2
        for _ in range(self.random.randint(3, 7)):
            self._statement(1, None)
        self.lines.append(f"    return {self._result()}")
        self.source = "\n".join(self.lines) + "\n"
        self.name = f"random_program_{seed}.py"

    def function(self) -> Any:
        linecache.cache[self.name] = (len(self.source), None, self.source.splitlines(keepends=True), self.name)
        namespace: dict[str, Any] = {}
        exec(compile(self.source, self.name, "exec"), namespace)
        return namespace["f"]

    def _closure(self) -> None:
        self.lines += [
            "    def g(v):",
            "        nonlocal b",
            "        b = b - 1.0",
            f"        return v + {self._constant()} + a",
        ]

    def _result(self) -> str:
        return "(a, b + 0.0, p[0] + p[1])"

    def _constant(self) -> str:
        return self.random.choice(["0.5", "1.0", "2.0", "-1.5", "3.0"])

    def _value(self) -> str:
        pick = self.random.choice
        kinds = [
            "{v} + {c}",
            "{v} - {w}",
            "{c} - {v}",
            "{v} * 0.5",
            "-{v}",
            "{v}",
            "p[0] - {v}",
            "({v} if {t} else {w})",
        ]
        if self.has_closure:
            kinds += ["g({v})"]
        return pick(kinds).format(v=self._variable(), w=self._variable(), c=self._constant(), t=self._test())

    def _variable(self) -> str:
        return self.random.choice(["a", "b", "x", "y"])

    def _test(self) -> str:
        pick = self.random.choice
        simple = f"{self._variable()} {pick(['<', '>', '<=', '>='])} {pick([self._constant(), self._variable() + ' + 0.25'])}"
        if self.random.random() < 0.2:
            return f"{simple} {pick(['and', 'or'])} {self._variable()} > {self._constant()}"
        return f"not {simple}" if self.random.random() < 0.1 else simple

    def _suite(self, depth: int, budget: int, loop: str | None) -> None:
        for _ in range(self.random.randint(1, budget)):
            self._statement(depth, loop)

    def _put(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def _statement(self, depth: int, loop: str | None) -> None:
        kind = self.random.random()
        if depth > 4 or kind < 0.45:
            self._put(depth, f"{self.random.choice('ab')} = {self._value()}")
        elif kind < 0.5:
            self._put(depth, f"p = (p[0] - {self._value()}, p[1])")
        elif kind < 0.7:
            self._branch(depth, loop)
        elif kind < 0.78 and loop is not None:
            self._put(depth, f"if {self._test()}:")
            self._put(depth + 1, self.random.choice(["break", "continue"]))
        elif kind < 0.84:
            self._put(depth, f"if {self._test()}:")
            self._put(depth + 1, f"return {self._result()}")
        else:
            self._loop(depth)

    def _branch(self, depth: int, loop: str | None) -> None:
        self._put(depth, f"if {self._test()}:")
        self._suite(depth + 1, 2, loop)
        if self.random.random() < 0.6:
            self._put(depth, "else:")
            self._suite(depth + 1, 2, loop)

    def _loop(self, depth: int) -> None:
        self.counters += 1
        counter = f"k{self.counters}"
        kind = self.random.randrange(4)
        if kind == 0:
            self._put(depth, f"for {counter} in range({self.random.choice(['2', 'n', '1, n'])}):")
        elif kind == 1:
            self._put(depth, f"for {counter} in (1.0, 0.5):")
            self._put(depth + 1, f"a = a + {counter}")
        else:
            self._put(depth, f"{counter} = 0")
            bound = self.random.choice(["n", "3"])
            self._put(depth, f"while {counter} < {bound}:")
            self._put(depth + 1, f"{counter} += 1")
        self._suite(depth + 1, 3, counter)
        if self.random.random() < 0.3:
            self._put(depth, "else:")
            self._put(depth + 1, f"b = {self._value()}")
