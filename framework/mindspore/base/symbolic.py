"""Sizes that are known only when a compiled graph is called: polynomials with integer coefficients over symbols.

A `Size` stands in the place of an int while a graph is compiled, for one example of the sizes. Arithmetic stays symbolic. What decides by
a size (a comparison, a remainder, use as an index) decides as the example does, and the scope remembers the condition: the compiled
graph is valid for all sizes that fulfil these conditions. Code that needs a real int gets the example's, and the condition is that it is
equal; so code that knows nothing of symbols is right, only less general.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from operator import index
from typing import Any

Monomial = tuple[tuple[int, int], ...]
"""Factors as (atom, power), in the order of the atoms."""
Terms = Mapping[Monomial, int]
_ONE: Monomial = ()


@dataclass(slots=True, eq=False)
class Scope:
    """The symbols of one compilation.

    Attributes:
        example: the value of each atom; the first ones are the symbols, the others are made from earlier ones.
        made: how an atom is made: None for a symbol, else ``//`` or ``%`` with its operands.
        conditions: what was decided: (relation to zero, polynomial) -> outcome.
    """

    example: list[int] = field(default_factory=list)
    made: list[tuple[str, Size | int, Size | int] | None] = field(default_factory=list)
    conditions: dict[tuple[str, frozenset[tuple[Monomial, int]]], bool] = field(default_factory=dict)
    _atoms: dict[Any, int] = field(default_factory=dict)

    def symbol(self, example: int) -> Size:
        """A new symbol."""
        self.example.append(example)
        self.made.append(None)
        return Size(self, {((len(self.example) - 1, 1),): 1})

    def atom(self, operator: str, left: Size | int, right: Size | int) -> Size:
        """``left operator right`` where no polynomial says it."""
        key = (operator, _key(left), _key(right))
        if key not in self._atoms:
            self._atoms[key] = len(self.example)
            self.example.append(_OPERATORS[operator](concrete(left), concrete(right)))
            self.made.append((operator, left, right))
        return Size(self, {((self._atoms[key], 1),): 1})

    def decide(self, relation: str, size: Size) -> bool:
        """Whether ``size relation 0`` for the example; a condition from now on."""
        outcome = _RELATIONS[relation](size.example)
        self.conditions[relation, frozenset(size.terms.items())] = outcome
        return outcome

    def atoms(self, symbols: Sequence[int]) -> list[int]:
        """The values of all atoms for these values of the symbols; ZeroDivisionError where one has none."""
        values = list(symbols)
        for made in self.made[len(values) :]:
            assert made is not None, "symbols come before what is made from them"
            operator, left, right = made
            values.append(_OPERATORS[operator](value(left, values), value(right, values)))
        return values

    def admits(self, symbols: Sequence[int]) -> bool:
        """Whether all conditions hold for these values of the symbols."""
        try:
            values = self.atoms(symbols)
        except ZeroDivisionError:
            return False
        return all(
            _RELATIONS[relation](_evaluated(terms, values)) is outcome
            for (relation, terms), outcome in self.conditions.items()
        )


class Size:
    """A symbolic integer. Hashed by its form; everything else that looks at its value is a condition of the scope."""

    __slots__ = ("_hash", "scope", "terms")

    def __init__(self, scope: Scope, terms: Terms) -> None:
        self.scope = scope
        self.terms = terms
        self._hash = hash(frozenset(terms.items()))

    @property
    def example(self) -> int:
        """The value in the example of the scope."""
        return _evaluated(self.terms.items(), self.scope.example)

    def __index__(self) -> int:
        self.scope.decide("==", self - self.example)
        return self.example

    __int__ = __index__

    def __float__(self) -> float:
        return float(int(self))

    def __bool__(self) -> bool:
        return not self.scope.decide("==", self)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size | int | float) and self._compare("==", other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return self._compare("<", other)

    def __le__(self, other: Any) -> bool:
        return self._compare("<=", other)

    def __gt__(self, other: Any) -> bool:
        return not self._compare("<=", other)

    def __ge__(self, other: Any) -> bool:
        return not self._compare("<", other)

    def _compare(self, relation: str, other: Any) -> bool:
        if self is other:
            return relation != "<"
        if isinstance(other, float):
            return _COMPARE[relation](float(self), other)
        difference = self - other
        if isinstance(difference, Size):
            return self.scope.decide(relation, difference)
        return _RELATIONS[relation](difference)

    def __neg__(self) -> Any:
        return self * -1

    def __pos__(self) -> Size:
        return self

    def __abs__(self) -> Any:
        return self if self >= 0 else -self

    def __add__(self, other: Any) -> Any:
        terms = _terms(other)
        if terms is None:
            return NotImplemented if not isinstance(other, float) else float(self) + other
        total = dict(self.terms)
        for monomial, count in terms.items():
            total[monomial] = total.get(monomial, 0) + count
        return _made(self.scope, total)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        terms = _terms(other)
        if terms is None:
            return NotImplemented if not isinstance(other, float) else float(self) * other
        total: dict[Monomial, int] = {}
        for left, a in self.terms.items():
            for right, b in terms.items():
                both = _times(left, right)
                total[both] = total.get(both, 0) + a * b
        return _made(self.scope, total)

    __rmul__ = __mul__

    def __pow__(self, power: Any) -> Any:
        if not isinstance(power, int) or power < 0:
            return int(self) ** power
        result: Any = 1
        for _ in range(power):
            result = result * self
        return result

    def __floordiv__(self, other: Any) -> Any:
        return _divided(self, other)[0] if isinstance(other, Size | int) else int(self) // other

    def __rfloordiv__(self, other: Any) -> Any:
        return _divided(other, self)[0] if isinstance(other, Size | int) else other // int(self)

    def __mod__(self, other: Any) -> Any:
        return _divided(self, other)[1] if isinstance(other, Size | int) else int(self) % other

    def __rmod__(self, other: Any) -> Any:
        return _divided(other, self)[1] if isinstance(other, Size | int) else other % int(self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __truediv__(self, other: Any) -> Any:
        return int(self) / (int(other) if isinstance(other, Size) else other)

    def __rtruediv__(self, other: Any) -> Any:
        return other / int(self)

    def __repr__(self) -> str:
        parts = []
        for monomial, count in sorted(self.terms.items(), reverse=True):
            factors = [self._atom(a) + (f"^{p}" if p > 1 else "") for a, p in monomial]
            parts.append("*".join([*([str(count)] if count != 1 or not factors else []), *factors]))
        return " + ".join(parts).replace("+ -", "- ")

    def _atom(self, atom: int) -> str:
        made = self.scope.made[atom]
        return f"s{atom}" if made is None else f"({made[1]} {made[0]} {made[2]})"


def integer(size: Any) -> Any:
    """`size` as an int, or as it is when it is symbolic; TypeError for what is no integer."""
    return size if isinstance(size, Size) else index(size)


def value(size: Size | int, atoms: Sequence[int]) -> int:
    """`size` for the values of the atoms."""
    return _evaluated(size.terms.items(), atoms) if isinstance(size, Size) else size


def concrete(size: Any) -> int:
    """The int behind a size, for the example of its scope, without making that a condition."""
    return size.example if isinstance(size, Size) else int(size)


def _evaluated(terms: Any, atoms: Sequence[int]) -> int:
    total = 0
    for monomial, count in terms:
        for atom, power in monomial:
            count *= atoms[atom] ** power
        total += count
    return int(total)


def _key(size: Size | int) -> Any:
    return frozenset(size.terms.items()) if isinstance(size, Size) else size


def _terms(size: Any) -> Terms | None:
    if isinstance(size, Size):
        return size.terms
    return {_ONE: int(size)} if isinstance(size, int) else None


def _made(scope: Scope, total: Mapping[Monomial, int]) -> Size | int:
    terms = {m: c for m, c in total.items() if c}
    if not terms:
        return 0
    if len(terms) == 1 and _ONE in terms:
        return terms[_ONE]
    return Size(scope, terms)


def _times(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for atom, power in right:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items()))


def _divided(left: Any, right: Any) -> tuple[Any, Any]:
    """``divmod``: of each term that the divisor divides exactly, and of the rest, which is an atom unless it is a number."""
    scope = left.scope if isinstance(left, Size) else right.scope
    terms, divisor = _terms(left), _terms(right)
    assert terms is not None
    assert divisor is not None
    if not right:
        raise ZeroDivisionError("division by a size that is zero")
    if len(divisor) == 1:
        (monomial, count), *_ = divisor.items()
        quotient: dict[Monomial, int] = {}
        rest: dict[Monomial, int] = {}
        for term, times in terms.items():
            left_over = _without(term, monomial)
            exact = left_over is not None and times % count == 0
            if exact and left_over is not None:
                quotient[left_over] = quotient.get(left_over, 0) + times // count
            else:
                rest[term] = times
        whole, remaining = _made(scope, quotient), _made(scope, rest)
        if isinstance(remaining, int) and isinstance(right, int):
            return whole + remaining // right, remaining % right
        if isinstance(remaining, int) and remaining == 0:
            return whole, 0
        return whole + scope.atom("//", remaining, right), scope.atom("%", remaining, right)
    if isinstance(left, Size) and left.terms == divisor:
        return 1, 0
    return scope.atom("//", left, right), scope.atom("%", left, right)


def _without(term: Monomial, factor: Monomial) -> Monomial | None:
    """``term / factor``; None when that is no monomial."""
    powers = dict(term)
    for atom, power in factor:
        powers[atom] = powers.get(atom, 0) - power
    if any(p < 0 for p in powers.values()):
        return None
    return tuple(sorted((a, p) for a, p in powers.items() if p))


Integral.register(Size)

_OPERATORS: Mapping[str, Callable[[int, int], int]] = {"//": lambda a, b: a // b, "%": lambda a, b: a % b}
_RELATIONS: Mapping[str, Callable[[int], bool]] = {"==": lambda n: n == 0, "<": lambda n: n < 0, "<=": lambda n: n <= 0}
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
