"""Elementary functions that stand outside the loop, so that they may branch: loops call them with a whole vector.

The call carries the names of the function's vector forms in LLVM's "vector-function-abi-variant" attribute; the loop vectoriser puts them
in its place.
"""

from __future__ import annotations

from collections.abc import Callable

from mindspore.kernels.emit import SIZES, Function, Value, lanes, vector
from mindspore.kernels.real import Real

Body = Callable[..., Value]
"""Of a `Real` and one or more operands of its type."""


def outlined(name: str, body: Body) -> Body:
    """`body` as functions called ``<name>_<type>``, one for single lanes and one for each number of lanes that a loop may take."""

    def call(r: Real, *x: Value) -> Value:
        module, count = r.f.module, len(x)
        symbol = _defined(r, name, body, r.type, count)
        if lanes(r.type):
            return r.f.call(r.type, symbol, *x)
        most = module.target.lanes(SIZES[r.type])
        forms = [(n, _defined(r, name, body, vector(n, r.type), count)) for n in (most, most // 2, most // 4) if n > 1]
        for kept in (symbol, *(form for _, form in forms)):
            module.keep(kept)  # with all operands: LLVM drops one that every call gives alike
        listed = ",".join(f"_ZGV_LLVM_N{n}{'v' * count}_{symbol}({form})" for n, form in forms)
        attributes = f'nounwind willreturn memory(none) "vector-function-abi-variant"="{listed}"' if listed else ""
        return r.f.emit(r.type, f"call {r.type} @{symbol}({', '.join(map(str, x))}) {attributes}")

    return call


def _defined(r: Real, name: str, body: Body, type: str, count: int) -> str:
    module, scalar = r.f.module, r.scalar
    symbol = f"{name}_{scalar}{lanes(type) or ''}_{r.precision}"
    if not module.has(symbol):
        parameters = [(type, f"x{i}") for i in range(count)]
        f = module.function(symbol, type, parameters, internal=True, inline="noinline willreturn memory(none)")
        f.ret(body(Real(f, type, r.precision), *f.arguments))
    return symbol


def all_lanes(f: Function, condition: Value) -> Value:
    """Whether an i1 is true in every lane."""
    if not lanes(condition.type):
        return condition
    return f.intrinsic("vector.reduce.and", "i1", condition, suffix=f"v{lanes(condition.type)}i1")


def usually(r: Real, condition: Value, fast: Callable[[], Value], name: str, slow: Body, *x: Value) -> Value:
    """`fast` where every lane meets the condition; else ``slow(*x)`` for all of them, from a function of its own."""
    f = r.f
    symbol = _defined(r, name, slow, r.type, len(x))
    return f.choose(all_lanes(f, condition), lambda: [fast()], lambda: [f.call(r.type, symbol, *x)])[0]


def lane_by_lane(body: Body) -> Body:
    """`body` of one operand on vectors as a loop over their lanes, which may load from tables."""

    def emit(r: Real, x: Value) -> Value:
        if not lanes(r.type):
            return body(r, x)
        f, one = r.f, Real(r.f, r.scalar, r.precision)
        memory = f.alloca(r.type)
        f.store(x, memory)
        with f.loop(0, lanes(r.type)) as lane:
            place = memory.at(r.scalar, lane.index)
            f.store(body(one, f.load(r.scalar, place)), place)
        return f.load(r.type, memory)

    return emit
