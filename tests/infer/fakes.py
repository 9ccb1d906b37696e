"""Stand-ins for tensors, Parameters, Cells and gradient functions that carry only the protocols, and a way to run what is inferred."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from mindspore import primitives
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.base import dtypes as dt
from mindspore.base import protocols
from mindspore.base.protocols import Transform
from mindspore.frontend.parse import parse
from mindspore.infer.specialise import Output, Specialised, specialise
from mindspore.ir.operator import find
from mindspore.ir.types import TensorType
from mindspore.ir.verifier import verify
from tests.graphs import evaluate

assert primitives.FAMILIES

BINARY = {
    "+": ("add", operator.add), "-": ("sub", operator.sub), "*": ("mul", operator.mul), "/": ("div", operator.truediv),
    "@": ("matmul", operator.matmul), "<": ("less", operator.lt), "<=": ("less_equal", operator.le),
    ">": ("greater", operator.gt), ">=": ("greater_equal", operator.ge), "==": ("equal", operator.eq), "!=": ("not_equal", operator.ne),
}  # fmt: skip


class FakeOperator:
    """A public operator object; eagerly it computes with numpy."""

    def __init__(self, name: str, updates: Mapping[int, int] | None = None, **attributes: Any) -> None:
        self.__operator__ = find(name)
        if attributes:
            self.__operator_attributes__ = attributes
        self.__operator_updates__ = updates or {}

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        arrays = [a.array if isinstance(a, FakeTensor) else a for a in args]
        return FakeTensor(self.__operator__.reference(*map(np.asarray, arrays), **attrs))


class FakeTensor:
    """A tensor that computes with numpy, so that the same function can run as Python."""

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)

    @property
    def __tensor_type__(self) -> TensorType:
        return TensorType(dt.from_numpy(self.array.dtype), self.array.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def ndim(self) -> int:
        return self.array.ndim

    def __bool__(self) -> bool:
        return bool(self.array)

    def __index__(self) -> int:
        return int(self.array)

    def __hash__(self) -> int:
        return id(self)

    def __neg__(self) -> FakeTensor:
        return FakeTensor(-self.array)


def _forward(function: Callable[..., Any]) -> Callable[..., Any]:
    def compute(self: FakeTensor, other: Any) -> FakeTensor:
        return FakeTensor(function(self.array, other.array if isinstance(other, FakeTensor) else other))

    return compute


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: FakeTensor(function(other, self.array))


for _symbol, (_name, _function) in BINARY.items():
    setattr(FakeTensor, f"__{_function.__name__.strip('_')}__", _forward(_function))
    if _symbol in "+-*/@":
        setattr(FakeTensor, f"__r{_function.__name__.strip('_')}__", _reflected(_function))


class FakeParameter(FakeTensor):
    """State of a Cell."""

    __is_parameter__ = True

    def __init__(self, array: Any, name: str) -> None:
        super().__init__(array)
        self.name = name


class FakeCell:
    """An object whose call compiles ``construct``."""

    def construct(self, *args: Any) -> Any:
        raise AttributeError("construct")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.construct(*args, **kwargs)

    def __graph_function__(self) -> Any:
        return self.construct


class Assign:
    """The public in-place write."""

    __graph_assign__ = True

    def __call__(self, parameter: FakeParameter, value: Any) -> Any:
        parameter.array = np.asarray(value.array if isinstance(value, FakeTensor) else value, parameter.array.dtype)
        return parameter


class Gradient:
    """A gradient function with the options that inference reads."""

    def __init__(self, function: Any, options: dict[str, Any]) -> None:
        self.function = function
        self.made = options

    def __graph_transform__(self) -> Transform:
        return Transform("grad", self.function, self.made)


def grad(
    function: Any,
    positions: tuple[int, ...] | None = (0,),
    weights: Any = None,
    sens: bool = False,
    has_aux: bool = False,
) -> Any:
    """Gradients; (arguments, weights) with weights, and the further results with `has_aux`."""

    def pack(value: Any, arguments: Any, given: Any) -> Any:
        own = arguments[0] if len(arguments) == 1 else tuple(arguments)
        both = own if weights is None else (own, tuple(given))
        return (both, value[1:]) if has_aux else both

    return Gradient(function, _options(positions, weights, sens, has_aux, pack))


def value_and_grad(function: Any, positions: tuple[int, ...] | None = (0,), weights: Any = None) -> Any:
    """(value, gradients of arguments, gradients of weights)."""

    def pack(value: Any, arguments: Any, given: Any) -> Any:
        return value, tuple(arguments), tuple(given)

    return Gradient(function, _options(positions, weights, False, False, pack))


grad.__constexpr__ = True  # type: ignore[attr-defined]
value_and_grad.__constexpr__ = True  # type: ignore[attr-defined]


def _options(positions: Any, weights: Any, sens: bool, has_aux: bool, pack: Any) -> dict[str, Any]:
    return {"positions": positions, "weights": weights, "sens": sens, "has_aux": has_aux, "pack": pack}


assign = Assign()
exp = FakeOperator("exp")
reduce_sum = FakeOperator("reduce_sum")
relu = FakeOperator("relu")


@contextmanager
def operators() -> Iterator[None]:
    """Python's operators on tensors mean the fakes while the context lasts."""
    tables = (protocols.tensor_operators, protocols.tensor_methods, protocols.tensor_properties)
    saved = [dict(t) for t in tables]
    for table in tables:
        table.clear()
    protocols.tensor_operators.update({s: FakeOperator(n) for s, (n, _) in BINARY.items()})
    protocols.tensor_operators["unary -"] = FakeOperator("neg")
    protocols.tensor_methods["sum"] = FakeOperator("reduce_sum")
    protocols.tensor_properties["T"] = lambda self: transpose(self, (1, 0))
    try:
        yield
    finally:
        for table, content in zip(tables, saved, strict=True):
            table.clear()
            table.update(content)


transpose = FakeOperator("transpose")


def infer(function: Any, *args: Any, **kwargs: Any) -> Specialised:
    """The typed graph of a call, checked by the rules of typed graphs."""
    with operators():
        found = specialise(function, args, kwargs, parse=parse, expanders={"grad": value_and_grad_graph})
    verify(found.graph)
    return found


def run(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Infers, evaluates the graph with numpy, writes Parameters back, and gives the result with numpy arrays in it."""
    found = infer(function, *args, **kwargs)
    inputs = [_follow((args, kwargs), path).array for path in found.arguments]
    outputs = evaluate(found.graph, [*inputs, *[b.array for b in found.bound]])
    for output, parameter in found.updates.items():
        found.bound[parameter - len(inputs)].array = outputs[output]
    return _filled(found.result, outputs)


def _follow(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _filled(tree: Any, outputs: Any) -> Any:
    if isinstance(tree, Output):
        return outputs[tree.index]
    if isinstance(tree, tuple | list):
        parts = [_filled(t, outputs) for t in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    if isinstance(tree, dict):
        return {k: _filled(v, outputs) for k, v in tree.items()}
    return tree


def arrays(value: Any) -> Any:
    """A Python result with numpy arrays in the place of fake tensors."""
    if isinstance(value, FakeTensor):
        return value.array
    if isinstance(value, tuple | list):
        parts = [arrays(v) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {k: arrays(v) for k, v in value.items()}
    return value


def same(left: Any, right: Any) -> bool:
    """Whether two results have the same structure and numbers; a 0-d array equals the number it holds."""
    if isinstance(left, tuple | list):
        return type(left) is type(right) and len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(v, right[k]) for k, v in left.items())
    if isinstance(left, np.ndarray | np.generic | bool | int | float) and isinstance(
        right, np.ndarray | np.generic | bool | int | float
    ):
        return np.shape(left) == np.shape(right) and bool(np.allclose(left, right))
    return bool(left == right)


def check(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Asserts that the inferred graph computes what Python computes; gives the result."""
    expected = arrays(function(*args, **kwargs))
    got = run(function, *args, **kwargs)
    assert same(got, expected), f"graph: {got}, Python: {expected}"
    return got


def t(value: Any, dtype: Any = np.float32) -> Any:
    return FakeTensor(np.asarray(value, dtype))


def i(value: int) -> Any:
    return FakeTensor(np.int64(value))


def parameter(value: Any, name: str) -> Any:
    return FakeParameter(np.asarray(value, np.float32), name)
