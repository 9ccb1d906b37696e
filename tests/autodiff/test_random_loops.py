"""Random programs of nested loops and branches: their gradients are those of the same program unrolled."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.ir.graph import Graph
from mindspore.ir.types import TensorType
from tests.autodiff.test_loops import counted, gradients, results
from tests.graphs import build, condition

Statement = tuple[Any, ...]
NUMBER = TensorType(dt.float64, ())
COUNT = TensorType(dt.int32, ())
VARIABLES = 3


def program(choose: random.Random, depth: int, length: int = 3) -> list[Statement]:
    """Statements: ``(operator, target, left, right)``, ``("loop", turns, body)`` and ``("if", parity, then, else)``."""
    made: list[Statement] = []
    for _ in range(length):
        kind = choose.choice(["loop", "if", "add", "mul", "sin", "keep", "scale"] if depth else ["mul", "sin", "add"])
        if kind == "loop":
            made.append(("loop", choose.randrange(4), program(choose, depth - 1)))
        elif kind == "if":
            made.append(("if", choose.randrange(2), program(choose, depth - 1, 2), program(choose, depth - 1, 1)))
        else:
            made.append((kind, *(choose.randrange(VARIABLES) for _ in range(3))))
    return made


def assigned(b: Any, statement: Statement, values: list[Any]) -> list[Any]:
    kind, target, left, right = statement
    x, y = values[left], values[right]
    made = {
        "add": lambda: b.mul(b.add(x, y), 0.5),
        "mul": lambda: b.mul(b.mul(x, y), 0.7),
        "sin": lambda: b.sin(b.add(x, 0.3)),
        "scale": lambda: b.mul(x, 0.9),
        "keep": lambda: x,
    }[kind]()
    return [made if i == target else v for i, v in enumerate(values)]


def unrolled(b: Any, statements: list[Statement], values: list[Any], count: int) -> list[Any]:
    """Runs the program while the graph is written; `count` is the number of the innermost turn."""
    for statement in statements:
        if statement[0] == "loop":
            for turn in range((statement[1] + count) % 4):
                values = unrolled(b, statement[2], values, turn)
        elif statement[0] == "if":
            values = unrolled(b, statement[2 if count % 2 == statement[1] else 3], values, count)
        else:
            values = assigned(b, statement, values)
    return values


def structured(b: Any, statements: list[Statement], values: list[Any], count: Any) -> list[Any]:
    """The same as loops and branches of the graph."""
    for statement in statements:
        if statement[0] == "loop":
            turns = b.floor_mod(b.add(count, statement[1]), 4)

            def turn(b: Any, i: Any, *values: Any, body: Any = statement[2]) -> Any:
                return structured(b, body, list(values), i)

            values = counted(b, turns, turn, *values)
        elif statement[0] == "if":
            then, other = branch(statement[2]), branch(statement[3])
            test = b.equal(b.floor_mod(count, 2), statement[1])
            made = condition(b, test, then, other, *values, count)
            values = [b.get(made, i) for i in range(VARIABLES)]
        else:
            values = assigned(b, statement, values)
    return values


def branch(statements: list[Statement]) -> Graph:
    def side(b: Any, *inputs: Any) -> Any:
        return tuple(structured(b, statements, list(inputs[:-1]), inputs[-1]))

    return build(side, *[NUMBER] * VARIABLES, COUNT, name="side")


def weighted(b: Any, values: list[Any]) -> Any:
    return b.add(values[0], b.add(b.mul(values[1], 0.5), b.mul(values[2], 0.25)))


@pytest.mark.parametrize("seed", range(12))
def test_gradients_of_a_random_program(seed: int) -> None:
    statements = program(random.Random(seed), 2)
    arrays = [np.array(0.4), np.array(0.7), np.array(-0.6), np.array(3, np.int32)]
    kinds = [*[NUMBER] * VARIABLES, COUNT]
    order = 1 + seed % 3
    wrt = [0, 1, 2] if order == 1 else [0]
    looped = build(lambda b, *v: weighted(b, structured(b, statements, list(v[:-1]), v[-1])), *kinds)
    straight = build(lambda b, *v: weighted(b, unrolled(b, statements, list(v[:-1]), 3)), *kinds)
    found = results(gradients(looped, wrt, order), arrays)
    expected = results(gradients(straight, wrt, order), arrays)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
