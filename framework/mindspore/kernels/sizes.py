"""Sizes that code takes as arguments, so that nests which differ in them alone share their code.

While such a nest is written a `Dim` stands in the place of an int. Arithmetic with it gives further Dims; every question about the number
(a comparison, its digits as text) is answered and remembered as a *fact*. The code is right for all sizes for which the same facts hold.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mindspore.base.symbolic import Size

Term = int | tuple[str, Any, Any]
"""A number, ``("size", position, None)``, or an operation on two terms."""
Facts = dict[Term, int]
"""Terms and what each must be."""

_OPERATIONS: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_NEUTRAL = {"+": 0, "-": 0, "*": 1, "//": 1}


def evaluate(term: Term, sizes: Sequence[int]) -> int:
    """The number that `term` is for these sizes."""
    if isinstance(term, int):
        return term
    operation, left, right = term
    if operation == "size":
        return sizes[left]
    found = _OPERATIONS[operation](evaluate(left, sizes), evaluate(right, sizes))
    return int(found) if isinstance(found, bool) else found


class Dim:
    """A number of which only the facts that were asked for are known to the code."""

    __slots__ = ("facts", "number", "term")

    def __init__(self, term: Term, number: int, facts: Facts) -> None:
        self.term, self.number, self.facts = term, number, facts

    def _made(self, operation: str, other: Any, swapped: bool = False) -> Any:
        if not isinstance(other, int | Dim | Size):
            return NotImplemented
        if not swapped and not isinstance(other, Dim) and _NEUTRAL.get(operation) == other:
            return self
        left, right = (other, self) if swapped else (self, other)
        number = _OPERATIONS[operation](_number(left), _number(right))
        return Dim((operation, _term(left), _term(right)), number, self.facts)

    def _asked(self, operation: str, other: Any) -> Any:
        if not isinstance(other, int | Dim | Size):
            return NotImplemented
        answer = bool(_OPERATIONS[operation](self.number, _number(other)))
        self.facts[operation, self.term, _term(other)] = answer
        return answer

    def _fixed(self) -> int:
        number = operator.index(self.number)
        self.facts["==", self.term, number] = True
        return number

    def __add__(self, other: Any) -> Any:
        return self._made("+", other)

    def __radd__(self, other: Any) -> Any:
        return self if other == 0 else self._made("+", other, swapped=True)

    def __sub__(self, other: Any) -> Any:
        return self._made("-", other)

    def __rsub__(self, other: Any) -> Any:
        return self._made("-", other, swapped=True)

    def __mul__(self, other: Any) -> Any:
        return self._made("*", other)

    def __rmul__(self, other: Any) -> Any:
        return self if other == 1 else self._made("*", other, swapped=True)

    def __floordiv__(self, other: Any) -> Any:
        return self._made("//", other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._made("//", other, swapped=True)

    def __mod__(self, other: Any) -> Any:
        return self._made("%", other)

    def __rmod__(self, other: Any) -> Any:
        return self._made("%", other, swapped=True)

    def __neg__(self) -> Dim:
        return Dim(("-", 0, self.term), -self.number, self.facts)

    def __lt__(self, other: Any) -> Any:
        return self._asked("<", other)

    def __le__(self, other: Any) -> Any:
        return self._asked("<=", other)

    def __gt__(self, other: Any) -> Any:
        return self._asked(">", other)

    def __ge__(self, other: Any) -> Any:
        return self._asked(">=", other)

    def __eq__(self, other: object) -> Any:
        return self._asked("==", other)

    def __ne__(self, other: object) -> Any:
        return self._asked("!=", other)

    def __bool__(self) -> bool:
        return bool(self._asked("!=", 0))

    def __abs__(self) -> Any:
        return self if self >= 0 else -self

    def __hash__(self) -> int:
        return hash(self._fixed())

    def __index__(self) -> int:
        return self._fixed()

    __int__ = __index__

    def __repr__(self) -> str:
        return str(self._fixed())

    def __format__(self, specification: str) -> str:
        return format(self._fixed(), specification)


def is_symbolic(number: Any) -> bool:
    """Whether code should hold for any `number`: it is not asked how large it is."""
    return isinstance(number.number if isinstance(number, Dim) else number, Size)


def _term(value: Any) -> Term:
    return value.term if isinstance(value, Dim) else value


def _number(value: Any) -> int:
    return value.number if isinstance(value, Dim) else value


def hold(facts: Facts, sizes: Sequence[int]) -> bool:
    """Whether code that was written with these facts is right for `sizes`."""
    return all(evaluate(term, sizes) == answer for term, answer in facts.items())
