"""What one kind of reduction does with its elements: the narrow state of a short run and the wide state of the whole fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import floats, integers, lanes
from mindspore.kernels.casts import cast
from mindspore.kernels.emit import SIZES, Function, Value, is_float
from mindspore.kernels.lanes import Lane
from mindspore.kernels.real import two_sum
from mindspore.kernels.scalars import truth

KINDS = ("sum", "prod", "max", "min", "any", "all")


def fold_of(kind: str, source: DType, target: DType) -> Fold:
    """The fold `kind` of elements of `source` into `target`; ValueError for an unknown kind or a complex type."""
    if kind not in KINDS or source.is_complex:
        raise ValueError(
            f"no reduction {kind!r} of {source}: expected one of {', '.join(KINDS)} of a real type or Bool"
        )
    if kind in ("max", "min") and source is dt.bool_:
        kind = "any" if kind == "max" else "all"
    return Fold(kind, source, target)


@dataclass(frozen=True, slots=True)
class Fold:
    """One kind of reduction of one type.

    The narrow state is one value: float16 to float32 in float, doubles in double, integers in the target's width, Bool in i1. The wide
    state of a floating sum is (sum, error) in double, of a product one double; every other kind keeps the narrow type.
    """

    kind: str
    source: DType
    target: DType

    @property
    def _logical(self) -> bool:
        return self.kind in ("any", "all")

    @property
    def _arithmetic(self) -> bool:
        return self.kind in ("sum", "prod")

    @property
    def narrow_type(self) -> str:
        if self._logical:
            return "i1"
        return lanes.register_type(self.target if self._arithmetic else self.source)

    @property
    def narrow_memory(self) -> str:
        return "i8" if self._logical else self.narrow_type

    @property
    def wide_types(self) -> tuple[str, ...]:
        if self._arithmetic and is_float(self.narrow_type):
            return ("double", "double") if self.kind == "sum" else ("double",)
        return (self.narrow_memory,)

    @property
    def partial_bytes(self) -> int:
        """Memory of one chunk's result."""
        return SIZES[self.wide_types[0]]

    def to_narrow_memory(self, f: Function, value: Value) -> Value:
        return value.to("zext", "i8") if self._logical else value

    def from_narrow_memory(self, f: Function, value: Value) -> Value:
        return value.ne(0) if self._logical else value

    @contextmanager
    def reordered(self, f: Function) -> Iterator[None]:
        """Floating sums within a run may be taken in any order that is the same every time: as vectors."""
        before, f.flags = f.flags, "contract reassoc nsz" if self._arithmetic else f.flags
        yield
        f.flags = before

    def _identity(self) -> float | bool:
        if self._logical:
            return self.kind == "all"
        if self._arithmetic:
            return 1 if self.kind == "prod" else 0
        if self.source.is_floating:
            return -inf if self.kind == "max" else inf
        if self.source.kind == "u":
            return 0 if self.kind == "max" else -1
        limit: int = 1 << (self.source.itemsize * 8 - 1)
        return -limit if self.kind == "max" else limit - 1

    def narrow_start(self, f: Function) -> Value:
        return f.value(self._identity(), self.narrow_type)

    def wide_start(self, f: Function) -> list[Value]:
        first = f.value(int(self._identity()) if self._logical else self._identity(), self.wide_types[0])
        return [first, *(f.value(0.0, t) for t in self.wide_types[1:])]

    def narrow_join(self, f: Function, state: Value, element: Lane) -> Value:
        """The state with one more element."""
        if self._logical:
            return f.op("or" if self.kind == "any" else "and", state, truth(f, element))
        value = cast(f, element, self.source, self.target) if self._arithmetic else element
        assert isinstance(value, Value)
        return self._join(f, state, value)

    def _join(self, f: Function, a: Value, b: Value) -> Value:
        if self._arithmetic:
            name = "add" if self.kind == "sum" else "mul"
            return f.op(f"f{name}" if is_float(a.type) else name, a, b)
        if self.source.is_floating:
            return floats.extreme(f, self.kind, a, b)
        return (integers.maximum if self.kind == "max" else integers.minimum)(f, self.source, a, b)

    def widen(self, f: Function, value: Value) -> Value:
        """A narrow state as the first part of a wide one."""
        if self._logical:
            return value.to("zext", "i8")
        return value.to("fpext", self.wide_types[0]) if is_float(value.type) else value

    def wide_join(self, f: Function, state: Sequence[Value], value: Value) -> list[Value]:
        if self._logical:
            return [f.op("or" if self.kind == "any" else "and", state[0], value)]
        if len(state) == 2:
            total, error = two_sum(f, state[0], value)
            return [total, state[1] + error]
        return [self._join(f, state[0], value)]

    def _result(self, f: Function, state: Sequence[Value]) -> Value:
        """The wide state as one value of its first type. The error of an infinite sum is NaN and is left out."""
        if len(state) == 1:
            return state[0]
        error = state[1]
        return f.select(error.eq(error), state[0] + error, state[0])

    def load_state(self, f: Function, pointer: Value) -> list[Value]:
        return [f.load(t, pointer.at("i64", i)) for i, t in enumerate(self.wide_types)]

    def store_state(self, f: Function, pointer: Value, state: Sequence[Value]) -> None:
        for i, value in enumerate(state):
            f.store(value, pointer.at("i64", i))

    def load_partial(self, f: Function, memory: Value, position: Value) -> Value:
        return f.load(self.wide_types[0], memory.at(self.wide_types[0], position))

    def store_partial(self, f: Function, memory: Value, position: Value, state: Sequence[Value]) -> None:
        f.store(self._result(f, state), memory.at(self.wide_types[0], position))

    def store(self, f: Function, state: Sequence[Value], pointer: Value) -> None:
        """The final result as an element of the target type."""
        result = self._result(f, state)
        if self._logical:
            lanes.store(f, cast(f, result.ne(0), dt.bool_, self.target), pointer, self.target)
            return
        held = dt.float64 if result.type == "double" else self.target if self._arithmetic else self.source
        if self.target in (dt.float16, dt.bfloat16) and held is not dt.float64:
            held = dt.float32
        lanes.store(f, cast(f, result, held, self.target), pointer, self.target)
