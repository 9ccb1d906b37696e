"""Indices that are known at run time only: checked before they are used, then wrapped.

An index outside of ``[-bound, bound)`` ends the call with code `OUT_OF_BOUNDS` and a message with the first such index; the runtime makes
it an IndexError. In graphs the number of the place in the program stands behind the message, after `PLACE_MARK`. After the check the
kernels only wrap, and clamp, so that no memory outside of the tensor is ever touched.
"""

from __future__ import annotations

from functools import partial

from mindspore.base.errors import PLACE_MARK
from mindspore.kernels import runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value

FAMILY = "index"
OUT_OF_BOUNDS = 33
"""The code that becomes an IndexError."""
CHUNK = 1 << 15
"""Indices that one thread checks at a time."""
_ROOM = 128
_DIGITS = 19


def check_spec() -> KernelSpec:
    """Buffer: Int64 indices; parameters: how many, the bound."""
    name = f"msk_{FAMILY}_check_i64"
    return KernelSpec(name, FAMILY, partial(_emit_kernel, name=name))


def _emit_kernel(module: Module, name: str) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    emit_check(module, f"{name}_all")
    given = runtime.buffer(f, 0), runtime.param(f, 0), runtime.param(f, 1)
    f.ret(f.call("i32", f"{name}_all", f["runtime"], *given, -1))


def wrapped(f: Function, index: Value, bound: Value | int) -> Value:
    """A checked index counted from the first element."""
    limit = f.index(bound)
    counted = f.op("add", index, f.op("ashr", index, 63) & limit)
    last = f.op("sub", limit, 1)
    return f.select(f.compare("lt", counted, last, unsigned=True), counted, last)


def _wrong(f: Function, indices: Value, position: Value, bound: Value) -> tuple[Value, Value]:
    """The index at `position`, and a number that is negative if it is out of bounds."""
    index = f.load("i64", indices.at("i64", position))
    return index, f.op("add", index, bound) | f.op("sub", f.op("sub", bound, 1), index)


def emit_check(module: Module, name: str) -> None:
    """``i32 name(runtime, indices, count, bound, place)``: 0 when all indices are in bounds, else the code of the failure.

    The failure is then remembered. A place below 0 is none.
    """
    parameters = [("ptr", "runtime"), ("ptr", "indices"), ("i64", "count"), ("i64", "bound"), ("i64", "place")]
    f = module.function(name, "i32", parameters, internal=True, inline="noinline")
    table, indices, count, bound, place = f.arguments
    found = f.alloca("i64")
    f.store(f.index(0), found)
    runtime.parallel(f, f"{name}_chunk", count, CHUNK, [indices, bound, found], _chunk)
    failed, fine = f.fresh("failed"), f.fresh("fine")
    f.branch(f.load("i64", found).ne(0), failed, fine, rare=True)
    f.line(f"{failed}:")
    with f.loop(0, count, carried=[f.index(0)], hints=[NO_VECTOR]) as loop:
        index, wrong = _wrong(f, indices, count - 1 - loop.index, bound)
        loop.next(f.select(wrong < 0, index, loop.carried[0]))
    f.ret(_refuse(f, table, loop.results[0], bound, place))
    f.line(f"{fine}:")
    f.ret(f.value(0, "i32"))


def _chunk(f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    """Whether one of these indices is wrong; all chunks write the same."""
    indices, bound, found = captured
    with f.loop(begin, end, carried=[f.index(0)]) as loop:
        loop.next(loop.carried[0] | _wrong(f, indices, loop.index, bound)[1])
    with f.when(loop.results[0] < 0):
        f.store(f.index(1), found)


def _refuse(f: Function, table: Value, index: Value, bound: Value, place: Value) -> Value:
    message = f.alloca("i8", _ROOM)
    end = _append_text(f, message, f.index(0), "index ", "index_text")
    end = _append_number(f, message, end, index)
    end = _append_text(f, message, end, " is out of bounds for dimension with size ", "bound_text")
    end = _append_number(f, message, end, bound)
    marked = _append_number(f, message, _append_text(f, message, end, PLACE_MARK, "place_mark"), place)
    end = f.select(place < 0, end, marked)
    f.store(f.value(0, "i8"), message.at("i8", end))
    return runtime.fail_with(f, table, OUT_OF_BOUNDS, message)


def _append_text(f: Function, message: Value, at: Value, text: str, symbol: str) -> Value:
    source = Value(f, "ptr", f.module.string(symbol, text))
    with f.loop(0, len(text.encode())) as loop:
        f.store(f.load("i8", source.at("i8", loop.index)), message.at("i8", at + loop.index))
    return at + len(text.encode())


def _append_number(f: Function, message: Value, at: Value, number: Value) -> Value:
    """The digits of `number` after a sign; gives the end."""
    negative = number < 0
    f.store(f.value(ord("-"), "i8"), message.at("i8", at))
    start = at + negative.to("zext", "i64")
    digits = f.alloca("i8", _DIGITS + 1)
    size = f.select(negative, f.op("sub", f.index(0), number), number)
    with f.loop(0, _DIGITS, carried=[size, f.index(1)], hints=[NO_VECTOR]) as loop:
        left, count = loop.carried
        digit = f.op("add", f.op("urem", left, 10), ord("0")).to("trunc", "i8")
        f.store(digit, digits.at("i8", f.index(_DIGITS - 1) - loop.index))
        loop.next(f.op("udiv", left, 10), f.select(left.ne(0), loop.index + 1, count))
    count = loop.results[1]
    with f.loop(0, count, hints=[NO_VECTOR]) as loop:
        digit = f.load("i8", digits.at("i8", f.index(_DIGITS) - count + loop.index))
        f.store(digit, message.at("i8", start + loop.index))
    return start + count
