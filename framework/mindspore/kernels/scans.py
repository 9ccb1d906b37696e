"""Running results along neighbouring elements a whole vector at a time: prefixes within the vector, then what came before it.

The prefixes of a vector take as many steps as its lanes have bits; each adds what lies 1, 2, 4, ... lanes before. Elements
are so combined in an order that depends on their place in the row alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mindspore.base.dtypes import DType
from mindspore.kernels import exponential, lanes
from mindspore.kernels.emit import NO_VECTOR, SIZES, Function, Value, element, mangled, vector
from mindspore.kernels.emit import lanes as lanes_of
from mindspore.kernels.flatten_folds import accumulator
from mindspore.kernels.outlined import all_lanes
from mindspore.kernels.real import Real

_DEPTH = 30.0
"""A sum of exponentials is kept relative to the largest one as long as no prefix is smaller than this power of e of it."""

Step = Callable[[Value, Value], Value]
"""(state, element) -> the next state, one at a time."""


def suits(kind: str, dtype: DType) -> bool:
    """Products of floats are not among them: those of a few neighbours may leave the range though all prefixes are within."""
    return not dtype.is_complex and (kind in ("sum", "logsum") or (kind == "prod" and not dtype.is_floating))


def rows(
    f: Function, kind: str, dtype: DType, memory: tuple[Value, Value], count: Value, back: Value, start: Value, step: Step
) -> None:  # fmt: skip
    """The running results of one row: `memory` is where its input and its output begin; from the end on when `back`."""
    wide = lanes.register_type(accumulator(dtype))
    width = f.module.isa.lanes(SIZES[wide])
    whole = count - f.op("srem", count, width)

    def run(turned: bool) -> list[Value]:
        with f.loop(0, whole, width, carried=[splat(f, start, width)], hints=[NO_VECTOR]) as block:
            first = count - width - block.index if turned else block.index
            given = _loaded(f, dtype, memory[0], first, width)
            given = _reversed(f, given) if turned else given
            results, after = _block(f, kind, block.carried[0], given, step)
            results = _reversed(f, results) if turned else results
            place = memory[1].at(lanes.memory_type(dtype), first)
            f.store(lanes.to_memory(f, results, dtype), place, SIZES[lanes.memory_type(dtype)])
            block.next(after)
        with f.loop(whole, count, carried=[_last(f, block.results[0])], hints=[NO_VECTOR]) as each:
            place = count - 1 - each.index if turned else each.index
            new = lanes.load(f, lanes.address(f, memory[0], place, dtype), dtype)
            assert isinstance(new, Value)
            state = step(each.carried[0], new)
            lanes.store(f, state, lanes.address(f, memory[1], place, dtype), dtype)
            each.next(state)
        return []

    f.choose(back, lambda: run(True), lambda: run(False))


def _loaded(f: Function, dtype: DType, source: Value, first: Value, width: int) -> Value:
    kind = lanes.memory_type(dtype)
    return lanes.from_memory(f, f.load(vector(width, kind), source.at(kind, first), SIZES[kind]), dtype)


def _shuffled(f: Function, a: Value, b: Value, places: Sequence[int]) -> Value:
    listed = ", ".join(f"i32 {place}" for place in places)
    return f.emit(a.type, f"shufflevector {a}, {b}, <{len(places)} x i32> <{listed}>")


def _reversed(f: Function, x: Value) -> Value:
    return _shuffled(f, x, x, range(lanes_of(x.type))[::-1])


def _last(f: Function, x: Value) -> Value:
    return f.emit(element(x.type), f"extractelement {x}, i32 {lanes_of(x.type) - 1}")


def _spread_last(f: Function, x: Value) -> Value:
    width = lanes_of(x.type)
    return _shuffled(f, x, x, [width - 1] * width)


def splat(f: Function, value: Value, width: int) -> Value:
    """A vector of `width` lanes that all hold `value`."""
    kind = vector(width, value.type)
    one = f.emit(kind, f"insertelement {kind} poison, {value}, i32 0")
    return f.emit(kind, f"shufflevector {one}, {kind} poison, <{width} x i32> zeroinitializer")


def _combined(f: Function, kind: str, a: Value, b: Value) -> Value:
    name = "add" if kind == "sum" else "mul"
    return f.op(f"f{name}" if element(a.type) in ("float", "double") else name, a, b)


def _prefixes(f: Function, kind: str, x: Value) -> Value:
    """Each lane combined with all lanes before it."""
    width = lanes_of(x.type)
    # -0 changes no float, and is no mask: x86 expands masked registers slowly
    neutral = f.value(1 if kind == "prod" else -0.0 if element(x.type) in ("float", "double") else 0, x.type)
    by = 1
    while by < width:
        moved = _shuffled(f, x, neutral, [i - by if i >= by else width for i in range(width)])
        x = _combined(f, kind, x, moved)
        by *= 2
    return x


def _block(f: Function, kind: str, before: Value, given: Value, step: Step) -> tuple[Value, Value]:
    """The results of a vector of elements behind the state `before`, and the state behind them, which all lanes hold."""
    if kind == "logsum":
        results = _log_sums(f, _last(f, before), given, step)
        return results, _spread_last(f, results)
    inside = _prefixes(f, kind, given)
    # the state waits for one operation of the vector before, not for the results
    return _combined(f, kind, inside, before), _combined(f, kind, _spread_last(f, inside), before)


def _log_sums(f: Function, before: Value, given: Value, step: Step) -> Value:
    """Logarithms of sums of exponentials relative to the largest; one by one where that is too far above the first or not finite."""
    width, scalar = lanes_of(given.type), element(given.type)
    precision = "double" if scalar == "double" else "single"
    wide, one = Real(f, given.type, precision), Real(f, scalar, precision)
    first = f.emit(scalar, f"extractelement {given}, i32 0")
    top = f.intrinsic("vector.reduce.fmax", scalar, given, suffix=mangled(given.type))
    top = f.select(top > before, top, before)
    least = f.select(first > before, first, before)
    usual = (least > top - _DEPTH) & (top < one.inf) & all_lanes(f, given.eq(given)) & before.eq(before)

    def at_once() -> list[Value]:
        largest = splat(f, top, width)
        sums = _prefixes(f, "sum", exponential.exp(wide, given - largest))
        sums = sums + splat(f, exponential.exp(one, before - top), width)
        return [exponential.log(wide, sums) + largest]

    def one_by_one() -> list[Value]:
        memory = f.alloca(given.type)
        f.store(given, memory)
        with f.loop(0, width, carried=[before], hints=[NO_VECTOR]) as each:
            place = memory.at(scalar, each.index)
            state = step(each.carried[0], f.load(scalar, place))
            f.store(state, place)
            each.next(state)
        return [f.load(given.type, memory, SIZES[scalar])]

    return f.choose(usual, at_once, one_by_one)[0]
