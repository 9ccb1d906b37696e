"""Inputs with which the tests try an operator: kept next to its declaration, so that a new operator is swept without new test code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape


@dataclass(frozen=True, slots=True)
class Domain:
    """Where the values of one input are drawn from.

    Attributes:
        low, high: bounds for floating values; integer values take the part of it that their type holds.
        apart: smallest distance from every entry of ``kinks``, where the operator is not smooth or not defined.
        kinks: such points.
        dtype: element type, when it is not the one that the sweep is at.
        draw: ``(rng, shape) -> array``, in place of all the above where values depend on each other.
    """

    low: float = -3.0
    high: float = 3.0
    apart: float = 0.15
    kinks: tuple[float, ...] = ()
    dtype: DType | None = None
    draw: Callable[..., Any] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Shapes of the inputs and the attributes of one trial."""

    shapes: tuple[Shape, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A trial that inference must refuse with ``error`` and a message that contains every word of ``says``."""

    shapes: tuple[Shape, ...]
    error: type[Exception]
    says: tuple[str, ...]
    dtypes: tuple[DType, ...] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Samples:
    """All trials of one operator.

    Attributes:
        cases: shapes and attributes.
        domains: one per input; the last one serves all further inputs.
        broadcast: the inputs broadcast: hypothesis draws further shapes.
        specials: floating inputs also take NaN, infinities and zeros of both signs.
        wrt: positions for which the gradient is compared with differences; None: all floating inputs.
        second: the second derivative is compared too.
        wrong: trials that must fail.
    """

    cases: tuple[Case, ...]
    domains: tuple[Domain, ...] = (Domain(),)
    broadcast: bool = False
    specials: bool = False
    wrt: tuple[int, ...] | None = None
    second: bool = True
    wrong: tuple[Wrong, ...] = ()

    def domain(self, position: int) -> Domain:
        return self.domains[min(position, len(self.domains) - 1)]


def cases(*shapes: tuple[Shape, ...], **attrs: Any) -> tuple[Case, ...]:
    """One case per tuple of input shapes, all with the same attributes."""
    return tuple(Case(s, attrs) for s in shapes)


UNARY = cases(((),), ((1,),), ((7,),), ((2, 3),), ((2, 0, 3),), ((2, 3, 4),), ((65,),))
BINARY = cases(
    ((), ()), ((5,), (5,)), ((5,), ()), ((), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((4, 1, 3), (2, 1)),
    ((0, 3), (1, 3)), ((2, 0), (1,)), ((2, 3, 4), (2, 3, 4)),
)  # fmt: skip
TERNARY = cases(((), (), ()), ((5,), (5,), (5,)), ((2, 1), (1, 3), (3,)), ((0, 2), (), (2,)), ((2, 3), (2, 3), (2, 3)))
