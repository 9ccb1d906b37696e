"""Small typed graphs written by hand, and what numpy says they compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import mindspore.primitives  # noqa: F401  (declares the operators)
from mindspore import _native
from mindspore.backends import find
from mindspore.backends.reference.evaluate import evaluate
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import CALL, IF, WHILE, Apply, Constant, Graph, Node, Parameter
from mindspore.ir.operator import Operator
from mindspore.ir.types import FunctionType, TensorType, TupleType, Type
from mindspore.kernels import target
from mindspore.kernels.lower import Lowered, lower

_native.set_dtypes(list(dt.ALL))


class Expanding(GraphBuilder):
    """Composites become the operators they are written with, as the passes do it."""

    def apply(self, op: Operator, inputs: Sequence[Node], attrs: Mapping[str, Any]) -> Any:
        if op.expand is None:
            return super().apply(op, inputs, attrs)
        return op.expand(self, *inputs, **attrs)


b = Expanding()


def parameter(shape: Sequence[int] = (), dtype: DType = dt.float32, name: str = "p") -> Parameter:
    return Parameter(name, TensorType(dtype, tuple(shape)))


def graph(parameters: Sequence[Parameter], *outputs: Node, name: str = "g") -> Graph:
    return Graph(name, parameters, b.tuple(outputs))


def function(made: Graph) -> Constant:
    """A graph as a value, for calls, branches and loops."""
    assert made.result.type is not None
    parameters = tuple(p.type for p in made.parameters)
    return Constant(made, FunctionType(parameters, made.result.type))  # type: ignore[arg-type]


def single(parameters: Sequence[Parameter], output: Node, name: str = "g") -> Graph:
    """A graph that gives a tensor, not a tuple."""
    return Graph(name, parameters, output)


def call(made: Graph, *arguments: Node) -> Node:
    return Apply(CALL, (function(made), *arguments), type=made.result.type)


def branch(condition: Node, then: Graph, other: Graph, *arguments: Node) -> Node:
    return Apply(IF, (condition, function(then), function(other), *arguments), type=then.result.type)


def loop(condition: Graph, body: Graph, *state: Node) -> Node:
    kinds: tuple[Type, ...] = tuple(s.type for s in state if s.type is not None)
    return Apply(WHILE, (function(condition), function(body), *state), type=TupleType(kinds))


def element(result: Node, index: int) -> Node:
    """An element of a tuple."""
    found: Node = b.get(result, index)
    return found


def tensor(array: Any) -> Any:
    return _native.TensorBase.from_numpy(np.ascontiguousarray(array).reshape(np.shape(array)), copy=True)


def compiled(made: Graph, bound: Sequence[Any] = (), updates: Mapping[int, int] | None = None) -> Any:
    arguments = len(made.parameters) - len(bound)
    return find("cpu").compile(made, arguments=arguments, bound=bound, updates=updates or {})


def run(made: Graph, *arrays: Any) -> list[np.ndarray]:
    return [np.array(o.asnumpy()) for o in compiled(made)(*map(tensor, arrays))]


def expected(made: Graph, *arrays: Any) -> list[np.ndarray]:
    result = evaluate(made, arrays)
    return [np.asarray(r) for r in (result if isinstance(result, tuple) else (result,))]


def check(made: Graph, *arrays: Any, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """The compiled graph gives what the operators' references give."""
    got, want = run(made, *arrays), expected(made, *arrays)
    assert len(got) == len(want)
    for position, (g, w) in enumerate(zip(got, want, strict=True)):
        assert g.dtype == w.dtype, position
        assert g.shape == w.shape, position
        if g.dtype.kind in "biu":
            np.testing.assert_array_equal(g, w, err_msg=f"output {position}")
        else:
            wide = np.complex128 if g.dtype.kind == "c" else np.float64
            np.testing.assert_allclose(g.astype(wide), w.astype(wide), rtol, atol, err_msg=f"output {position}")


def lowered(made: Graph, updates: Mapping[int, int] | None = None) -> Lowered:
    return lower(made, isa=target.isa(_native.isa_level()), updates=updates)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
