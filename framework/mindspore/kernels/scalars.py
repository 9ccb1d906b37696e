"""Lowers bodies of the scalar language to LLVM values: straight code without branches or calls, so that the loop around it vectorises.

lane = lower(f, expr, operands=[lanes.load(f, x, dt.float32)], index=lambda dimension: i)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import complexes, floats, integers, lanes, narrow
from mindspore.kernels.casts import cast
from mindspore.kernels.emit import Function, Value, is_float
from mindspore.kernels.lanes import Complex, Lane, register_type
from mindspore.primitives.scalar import CLASSIFY, COMPARE, LOGICAL, Expr, postorder

_BOOL_AS = {
    "add": "or",
    "maximum": "or",
    "bit_or": "or",
    "mul": "and",
    "minimum": "and",
    "bit_and": "and",
    "bit_xor": "xor",
}


def supports(op: str, dtype: DType) -> bool:
    """The scalar language gives `op` a meaning on operands of `dtype`."""
    if op in ("operand", "const", "select", "cast", "index", *LOGICAL):
        return True
    if dtype.is_complex:
        return op in {**complexes.BINARY, **complexes.UNARY, **complexes.COMPARE}
    if op in COMPARE or op in CLASSIFY:
        return True
    if dtype is dt.bool_:
        return op in _BOOL_AS or op == "bit_not"
    table = floats if dtype.is_floating else integers
    return op in table.BINARY or op in table.UNARY


def lower(f: Function, expr: Expr, operands: Sequence[Lane], index: Callable[[int], Value] | None = None) -> Lane:
    """The value of `expr`. ``operands[i]`` is the lane of operand i; `index(d)` the element's i64 position in output dimension d.

    Shared subexpressions (the same object) are computed once.
    """
    known: dict[int, Lane] = {}
    for node in postorder(expr):
        args = [known[id(a)] for a in node.args]
        known[id(node)] = apply(f, node, args) if args else _leaf(f, node, operands, index)
    return known[id(expr)]


def constant(f: Function, value: Any, dtype: DType) -> Lane:
    """A Python number as a lane of `dtype`."""
    kind = register_type(dtype)
    if dtype.is_complex:
        number = complex(value)
        return Complex(f.value(number.real, kind), f.value(number.imag, kind))
    if dtype in lanes.NARROW:
        return narrow.constant(f, float(value), dtype)
    if dtype.is_floating:
        return f.value(float(value), kind)
    return f.value(bool(value) if dtype is dt.bool_ else int(value), kind)


def _leaf(f: Function, node: Expr, operands: Sequence[Lane], index: Callable[[int], Value] | None) -> Lane:
    if node.op == "operand":
        position: int = node.attr
        return operands[position]
    if node.op == "const":
        return constant(f, node.attr, node.dtype)
    if node.op == "index" and index is not None:
        return index(node.attr)
    raise TypeError(f"the scalar language has no leaf {node.op!r} here")


def apply(f: Function, node: Expr, args: Sequence[Lane]) -> Lane:
    """One operation on lanes."""
    source = node.args[0].dtype
    if node.op == "cast":
        return cast(f, args[0], source, node.dtype)
    if node.op == "select":
        return _select(f, *args)
    if any(isinstance(a, Complex) for a in args):
        return _complex(f, node, args)
    values = [a for a in args if isinstance(a, Value)]
    if node.op in LOGICAL:
        return _logical(f, node.op, [truth(f, v) for v in values])
    return _real(f, node.op, source, values)


def truth(f: Function, lane: Lane) -> Value:
    """Not zero, as i1."""
    if isinstance(lane, Complex):
        return lane.real.ne(0.0) | lane.imag.ne(0.0)
    return lane if lane.type.endswith("i1") or lane.type.endswith("i1>") else lane.ne(0.0 if is_float(lane.type) else 0)


def _select(f: Function, condition: Lane, yes: Lane, no: Lane) -> Lane:
    chosen = truth(f, condition)
    if isinstance(yes, Complex) and isinstance(no, Complex):
        return Complex(f.select(chosen, yes.real, no.real), f.select(chosen, yes.imag, no.imag))
    assert isinstance(yes, Value)
    assert isinstance(no, Value)
    return narrow.chosen(f, chosen, yes, no)


def _logical(f: Function, op: str, values: Sequence[Value]) -> Value:
    if op == "logical_not":
        return f.op("xor", values[0], True)
    return f.op(op.removeprefix("logical_"), *values)


def _complex(f: Function, node: Expr, args: Sequence[Lane]) -> Lane:
    parts = [a for a in args if isinstance(a, Complex)]
    if node.op in LOGICAL:
        return _logical(f, node.op, [truth(f, p) for p in parts])
    for table in (complexes.BINARY, complexes.COMPARE, complexes.UNARY):
        if node.op in table:
            return table[node.op](f, *parts)
    raise TypeError(f"scalar {node.op} is not defined on {node.args[0].dtype}")


def _real(f: Function, op: str, dtype: DType, args: Sequence[Value]) -> Value:
    if op in COMPARE:
        return f.compare(op, *args, unsigned=dtype.kind in "bu")
    if dtype is dt.bool_:
        return _bool(f, op, args)
    if dtype.is_floating:
        kept = narrow.lower(f, op, dtype, args)
        if kept is not None:
            return kept
        r = floats.real(f, dtype)
        for floating in (floats.BINARY, floats.UNARY, floats.CLASSIFY):
            if op in floating:
                return floating[op](r, *args)
    elif op in CLASSIFY:
        return f.value(op == "isfinite", "i1")
    else:
        for integer in (integers.BINARY, integers.UNARY):
            if op in integer:
                return integer[op](f, dtype, *args)
    raise TypeError(f"scalar {op} is not defined on {dtype}")


def _bool(f: Function, op: str, args: Sequence[Value]) -> Value:
    if op == "bit_not":
        return f.op("xor", args[0], True)
    if op in CLASSIFY:
        return f.value(op == "isfinite", "i1")
    if op not in _BOOL_AS:
        raise TypeError(f"scalar {op} is not defined on {dt.bool_}")
    return f.op(_BOOL_AS[op], *args)
