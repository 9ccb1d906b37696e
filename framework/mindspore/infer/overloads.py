"""Python's operators on objects whose classes define them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mindspore.infer.machine import Machine
from mindspore.infer.objects import special
from mindspore.infer.structure import python_class
from mindspore.infer.truth import decisive, known_truth, truth_node
from mindspore.infer.values import Abstract, Instance, Known, Method

_ARITHMETIC: Mapping[str, str] = {
    "+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow", "@": "matmul", "<<": "lshift",
    ">>": "rshift", "&": "and", "|": "or", "^": "xor",
}  # fmt: skip
_COMPARISONS: Mapping[str, tuple[str, str]] = {
    "<": ("__lt__", "__gt__"), "<=": ("__le__", "__ge__"), ">": ("__gt__", "__lt__"), ">=": ("__ge__", "__le__"),
    "==": ("__eq__", "__eq__"), "!=": ("__ne__", "__ne__"),
}  # fmt: skip
_UNARY: Mapping[str, str] = {"unary -": "__neg__", "unary +": "__pos__", "unary ~": "__invert__"}


def overloaded(
    machine: Machine, symbol: str, operands: tuple[Abstract, ...], in_place: bool = False
) -> Abstract | None:
    """What the special methods of the operands give; None when no operand's class has any.

    Raises:
        TypeError: an object made in the graph has no method for this operator and operand.
    """
    for method, *given in _attempts(symbol, operands, in_place):
        result = machine.call(method, tuple(given))
        if not (isinstance(result, Known) and result.value is NotImplemented):
            return result
    if symbol == "!=" and (same := overloaded(machine, "==", operands)) is not None:
        truth = decisive(machine, same)
        known = known_truth(machine, truth)
        negated: Abstract = (
            machine.emitter.logical_not(truth_node(machine, truth)) if known is None else Known(not known)
        )
        return negated
    if not any(isinstance(o, Instance) for o in operands):
        return None
    if symbol in ("==", "!="):
        return Known((operands[0] is operands[1]) == (symbol == "=="))
    names = " and ".join(repr(python_class(o).__name__) for o in operands)
    raise TypeError(f"unsupported operand type(s) for {symbol.removeprefix('unary ')}: {names}")


def _attempts(symbol: str, operands: tuple[Abstract, ...], in_place: bool) -> list[tuple[Any, ...]]:
    """The methods that Python would try, each with its arguments, in order."""
    if len(operands) == 1:
        tried: list[tuple[Method | None, Abstract | None]] = [(special(operands[0], _UNARY[symbol]), None)]
        return [(m,) for m, _ in tried if m is not None]
    left, right = operands
    forward, backward = _COMPARISONS.get(symbol) or tuple(f"__{side}{_ARITHMETIC[symbol]}__" for side in ("", "r"))
    found = [(special(left, forward), right), (special(right, backward), left)]
    first, second = python_class(left), python_class(right)
    if second is not first and issubclass(second, first):
        found.reverse()
    if in_place and symbol in _ARITHMETIC:
        found.insert(0, (special(left, f"__i{_ARITHMETIC[symbol]}__"), right))
    return [(m, other) for m, other in found if m is not None]
