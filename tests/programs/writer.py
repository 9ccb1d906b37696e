"""Writes random programs: nested branches, loops, closures, tuples and lists over float64 tensors.

Every variable keeps one type, every loop ends, and values stay bounded, so that a program means the same to Python, numpy and the compiler.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LENGTH = 3
"""Elements of the vectors."""
MOST_DEPTH = 3
SCALARS, VECTORS = ("a", "b"), ("u",)


HEAD = """class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.s = Parameter(Tensor(np.array(0.5)), name="s")
        self.w = Parameter(Tensor(np.array([0.25, 1.0, -0.5])), name="w")
"""
RESULT = "c + 0.5 * a - b * p[0] + (v * p[1] + u).sum() + d['s'] * d['w'].sum()"


class Writer:
    """One program of two 0-d tensors, a vector and an integer tensor, which returns a 0-d tensor: a function ``f(a, b, u, n)``, or
    a Cell ``Net`` that changes its Parameters `s` and `w`."""

    def __init__(self, choose: random.Random, cell: bool = False) -> None:
        self.choose = choose
        self.cell = cell
        self.lines: list[str] = []
        self.depth = 0
        self.loops = 0
        self.names = 0
        self.scalars = [*SCALARS, "c"]
        self.vectors = [*VECTORS, "v"]
        self.counters = ["n"]
        self.functions: list[str] = []
        self.inside_function = False

    def source(self) -> str:
        if self.cell:
            self.lines = HEAD.splitlines()
            self.depth = 1
        with self.block("def construct(self, a, b, u, n):" if self.cell else "def f(a, b, u, n):"):
            self.put("c, v, p, d = a * b, u * 0.5, (a - b, u * a), {'s': b * 0.5, 'w': u - b}")
            self.suite(self.choose.randint(3, 6))
            self.put(f"return {RESULT}" + (" + self.s - self.w.sum()" if self.cell else ""))
        return "\n".join(self.lines) + "\n"

    def put(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines under `head`; names first bound in it are not read after it."""
        self.put(head)
        kept = list(self.scalars), list(self.vectors), list(self.counters), list(self.functions)
        self.depth += 1
        yield
        self.depth -= 1
        self.scalars, self.vectors, self.counters, self.functions = kept

    def fresh(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    # Expressions

    def number(self) -> str:
        return str(self.choose.choice([-1.5, -1.0, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1.0, 1.25, 2.0]))

    def scalar(self, depth: int = 2) -> str:
        pick = self.choose.choice
        if depth == 0 or self.choose.random() < 0.2:
            return pick(self.scalars)
        less = depth - 1
        kinds: list[Callable[[], str]] = [
            lambda: f"({self.scalar(less)} + {self.scalar(less)}) * 0.5",
            lambda: f"{self.scalar(less)} - {self.number()}",
            lambda: f"{self.scalar(less)} * {self.number()}",
            lambda: f"ops.tanh({self.scalar(less)} * {self.scalar(less)})",
            lambda: f"ops.sin({self.scalar(less)})",
            lambda: f"ops.exp(-ops.abs({self.scalar(less)} + 3.0))",
            lambda: f"({self.vector(less)}).sum() * 0.25",
            lambda: f"{pick(self.vectors)}[{self.choose.randrange(LENGTH)}]",
            lambda: f"({self.scalar(less)} if {self.test(less)} else {self.scalar(less)})",
            lambda: f"-{pick(self.scalars)}",
            lambda: "p[0]",
            lambda: "d['s']",
            lambda: f"max({pick(self.scalars)}, {pick(self.scalars)} + {self.number()})",
            lambda: f"sum([{self.scalar(less)} for _ in range(2)]) * 0.5",
        ]
        if self.functions:
            kinds += [lambda: f"{pick(self.functions)}({self.scalar(less)})"] * 2
        if self.cell:
            kinds += [lambda: "self.s * 0.5", lambda: "self.w.sum() * 0.25"]
        return pick(kinds)()

    def vector(self, depth: int = 2) -> str:
        pick = self.choose.choice
        if depth == 0 or self.choose.random() < 0.2:
            return pick(self.vectors)
        less = depth - 1
        kinds: list[Callable[[], str]] = [
            lambda: f"({self.vector(less)} + {self.vector(less)}) * 0.5",
            lambda: f"{self.vector(less)} * {self.scalar(less)} * 0.5",
            lambda: f"ops.tanh({self.vector(less)} - {self.scalar(less)})",
            lambda: f"{pick(self.vectors)}[::-1]" if self.choose.random() < 0.3 else f"-{pick(self.vectors)}",
            lambda: f"({self.vector(less)} if {self.test(less)} else {self.vector(less)})",
            lambda: f"ops.cos({self.vector(less)})",
            lambda: "p[1]",
            lambda: "d['w']",
        ]
        if self.cell:
            kinds.append(lambda: "self.w * 0.5")
        return pick(kinds)()

    def test(self, depth: int = 1) -> str:
        """A condition: of tensors, whose distance from deciding otherwise the plain run observes, or of counters."""
        pick = self.choose.choice
        less = max(depth - 1, 0)
        kinds: list[Callable[[], str]] = [
            lambda: f"{self.scalar(less)} {pick(['<', '>', '<=', '>='])} {self.number()}",
            lambda: f"{self.scalar(less)} {pick(['<', '>'])} {pick(self.scalars)} + {self.number()}",
            lambda: f"{pick(self.vectors)}.sum() > {self.number()}",
            lambda: f"{pick(self.counters)} % 2 == {self.choose.randrange(2)}",
            lambda: f"{pick(self.counters)} {pick(['<', '>='])} {self.choose.randrange(3)}",
            lambda: f"-1.5 < {pick(self.scalars)} < {self.number()}",
        ]
        if depth:
            kinds += [
                lambda: f"{self.test(0)} and {self.test(0)}",
                lambda: f"{self.test(0)} or {self.test(0)}",
                lambda: f"not {self.test(0)}",
            ]
        return pick(kinds)()

    # Statements

    def suite(self, most: int) -> None:
        for _ in range(self.choose.randint(1, most)):
            self.statement()

    def statement(self) -> None:
        simple = [self.assign, self.assign, self.assign, self.augment, self.swap, self.pair, self.entry, self.listed]
        nested = [
            self.branch,
            self.branch,
            self.loop,
            self.loop,
            self.leave,
            self.leave,
            self.function,
            self.chosen,
            self.maker,
            self.recursive,
        ]
        if self.cell:
            simple += [self.state, self.state]
        if self.depth > MOST_DEPTH + self.cell or self.choose.random() < 0.45:
            self.choose.choice(simple)()
        else:
            self.choose.choice(nested)()

    def assign(self) -> None:
        if self.choose.random() < 0.65:
            self.put(f"{self.choose.choice(['a', 'b', 'c'])} = {self.scalar()}")
        else:
            self.put(f"{self.choose.choice(['u', 'v'])} = {self.vector()}")

    def augment(self) -> None:
        name = self.choose.choice(["a", "b", "c", "u", "v"])
        self.put(f"{name} {self.choose.choice(['+=', '-='])} {self.scalar(1)} * 0.25")

    def swap(self) -> None:
        first, second = self.choose.sample(["a", "b", "c"], 2)
        self.put(f"{first}, {second} = {second}, {self.scalar(1)}")

    def pair(self) -> None:
        self.put(f"p = ({self.scalar(1)}, p[1])" if self.choose.random() < 0.5 else f"p = (p[0], {self.vector(1)})")

    def entry(self) -> None:
        self.put(f"d['s'] = {self.scalar(1)}" if self.choose.random() < 0.5 else f"d['w'] = {self.vector(1)}")

    def state(self) -> None:
        """Assigns a Parameter."""
        if self.choose.random() < 0.6:
            self.put(self.choose.choice(["self.s = {}", "self.s += {} * 0.25"]).format(self.scalar(1)))
        else:
            self.put(self.choose.choice(["self.w = {}", "self.w -= {} * 0.25"]).format(self.vector(1)))

    def listed(self) -> None:
        name = self.fresh("l")
        self.put(f"{name} = [{self.scalar(1)}, {self.scalar(1)}]")
        self.put(f"{name}.append({self.scalar(1)})")
        self.put(f"{name}[{self.choose.randrange(3)}] += {self.scalar(0)}")
        self.put(f"c = ({name}[0] + {name}[1] * 0.5 - {name}[-1]) * 0.5")

    def branch(self) -> None:
        with self.block(f"if {self.test()}:"):
            self.suite(2)
        if self.choose.random() < 0.3:
            with self.block(f"elif {self.test()}:"):
                self.suite(2)
        if self.choose.random() < 0.6:
            with self.block("else:"):
                self.suite(2)

    def loop(self) -> None:
        self.loops += 1
        counter = self.fresh("k")
        bound = self.choose.choice(["n", "n % 3", "2", "3", "n + 1"])
        kind = self.choose.randrange(4)
        if kind == 0:
            with self.block(f"for {counter} in range({bound}):"):
                self.counters.append(counter)
                self.body()
        elif kind == 1:
            with self.block(f"for {counter} in ({self.number()}, {self.scalar(0)}, {self.scalar(1)}):"):
                self.put(f"a = ops.tanh(a + {counter})")
                self.body()
        else:
            self.put(f"{counter} = {bound}")
            with self.block(f"while {counter} > 0:" if kind == 2 else f"while {counter} > 0 and {self.test(0)}:"):
                self.put(f"{counter} = {counter} - 1")
                self.counters.append(counter)
                self.body()
        self.loops -= 1
        if self.choose.random() < 0.2:
            with self.block("else:"):
                self.suite(1)

    def body(self) -> None:
        self.put(f"c = ops.tanh(c) * 0.5 + {self.scalar(1)} * 0.25")
        self.suite(3)

    def leave(self) -> None:
        """A way out under a condition; return only where the function is the program itself."""
        ways = ["break", "continue"] if self.loops else []
        if not self.inside_function:
            ways.append(f"return {self.scalar(1)}")
        if not ways:
            return self.assign()
        with self.block(f"if {self.test()}:"):
            if self.choose.random() < 0.3:
                self.assign()
            self.put(self.choose.choice(ways))
        return None

    def function(self) -> None:
        """A nested function that reads what is around it when it is called, and may change it."""
        if self.inside_function:
            return self.assign()
        name, x = self.fresh("g"), self.fresh("x")
        loops, self.loops = self.loops, 0
        with self.block(f"def {name}({x}):"):
            self.inside_function = True
            if self.choose.random() < 0.3:
                self.put("nonlocal c")
                self.put(f"c = c * 0.5 + {x} * 0.25")
            self.scalars = [x, *self.scalars]
            if self.choose.random() < 0.5:
                with self.block(f"if {self.test()}:"):
                    self.put(f"return {self.scalar(1)}")
            self.put(f"return ops.tanh({self.scalar()})")
            self.inside_function = False
        self.loops = loops
        self.functions.append(name)
        return None

    def chosen(self) -> None:
        """A function that a branch chooses."""
        name, x = self.fresh("h"), self.fresh("x")
        kept = self.scalars
        self.scalars = [x, *kept]
        bodies = [self.scalar(1), self.scalar(1)]
        self.scalars = kept
        with self.block(f"if {self.test()}:"):
            self.put(f"{name} = lambda {x}: {bodies[0]}")
        with self.block("else:"):
            self.put(f"{name} = lambda {x}: {bodies[1]}")
        self.functions.append(name)

    def maker(self) -> None:
        """A function that returns a function."""
        made, name, x, y = self.fresh("m"), self.fresh("g"), self.fresh("x"), self.fresh("y")
        with self.block(f"def {made}({y}, z=0.5):"):
            kept, self.scalars = self.scalars, [y, *self.scalars]
            self.put(f"return lambda {x}: ops.tanh({x} * {self.scalar(1)} + z)")
            self.scalars = kept
        more = self.choose.choice(["", f", {self.number()}", f", z={self.number()}"])
        self.put(f"{name} = {made}({self.scalar(1)}{more})")
        self.functions.append(name)

    def recursive(self) -> None:
        """A function that calls itself as often as only the run knows."""
        name, k, x = self.fresh("r"), self.fresh("k"), self.fresh("x")
        with self.block(f"def {name}({k}, {x}):"):
            with self.block(f"if {k} < 1:"):
                self.put(f"return {x}")
            kept, self.scalars = self.scalars, [x, *self.scalars]
            if self.choose.random() < 0.3:
                with self.block(f"if {self.test(0)}:"):
                    self.put(f"return {name}({k} - 2, {self.scalar(1)}) * 0.5")
            self.put(f"return ops.tanh({name}({k} - 1, {self.scalar(1)}) + {self.scalar(1)})")
            self.scalars = kept
        self.put(f"c = {name}(n, {self.scalar(1)})")
