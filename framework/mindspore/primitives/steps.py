"""How steps of optimizers are declared: each new value is one formula over the old values, which kernels and the reference both run.

Who calls a step stores the results. All values of one element are computed in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.operator import NotDifferentiable
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives.compute import Update
from mindspore.primitives.declare import check_dtype, operator, quiet
from mindspore.primitives.samples import Case, Domain, Samples, Wrong

Formula = Callable[[Any, Mapping[str, Any], Mapping[str, Any]], Any]
"""``(s, operands by name, attributes) -> new value``, with the operations of `Arrays`; numbers may stand beside operands."""

_NAMED = {
    "lr": Domain(0.01, 0.1), "alpha": Domain(0.01, 0.1), "epsilon": Domain(1e-3, 1e-2), "decay": Domain(0, 0.1), "l1": Domain(0, 0.1),
    "l2": Domain(0, 0.1), "lr_power": Domain(-0.7, -0.3), "count": Domain(1, 3),
}  # fmt: skip
_POSITIVE = frozenset({"v", "vhat", "accum", "accum_update", "mean_square", "squares", "step_size"})
"""States that are sums of squares or lengths of steps."""


_NONE: Mapping[str, Domain] = MappingProxyType({})


class Arrays:
    """The operations of formulas on arrays, by the names of the scalar language."""

    add, sub, mul, div, sqrt, square = np.add, np.subtract, np.multiply, np.divide, np.sqrt, np.square
    abs, sign, maximum, minimum, pow, exp = np.abs, np.sign, np.maximum, np.minimum, np.power, np.exp
    gt, lt, select = np.greater, np.less, np.where


def mixed(s: Any, rate: Any, old: Any, new: Any) -> Any:
    """``old + (new - old) * (1 - rate)``."""
    return s.add(old, s.mul(s.sub(new, old), s.sub(1.0, rate)))


def _infer(op: str, names: Sequence[str], states: int, gradient: str) -> Any:
    """The states and the gradient have the shape of the variable; the rest are numbers."""
    shaped = {*names[:states], gradient}

    def infer(*types: TensorType, **_: Any) -> TensorType | TupleType:
        for name, each in zip(names, types, strict=True):
            check_dtype(op, name, each, dt.FLOATS)
            if name in shaped and each.shape != types[0].shape:
                raise ValueError(
                    f"{op}: argument {name!r} must have the shape of {names[0]!r} {types[0]}, but got {each}."
                )
            if name not in shaped and each.rank:
                raise ValueError(f"{op}: argument {name!r} must have no dimensions, but got {each}.")
        return TupleType(types[:states]) if states > 1 else types[0]

    return infer


def _body(names: Sequence[str], formula: Formula, state: int) -> Any:
    """One new value as a body over operands in the variable's type."""

    def body(s: Any, *operands: Any, **attrs: Any) -> Any:
        wide = operands[0].dtype
        given = {name: s.cast(each, wide) for name, each in zip(names, operands, strict=True)}
        return s.cast(formula(s, given, attrs), operands[state].dtype)

    return body


def _reference(names: Sequence[str], formulas: Sequence[Formula]) -> Any:
    def run(*arrays: Any, **attrs: Any) -> Any:
        wide = np.float32 if arrays[0].dtype.itemsize == 2 else arrays[0].dtype
        given = {name: each.astype(wide) for name, each in zip(names, arrays, strict=True)}
        new = [np.asarray(f(Arrays, given, attrs)).astype(old.dtype) for f, old in zip(formulas, arrays, strict=False)]
        return tuple(new) if len(new) > 1 else new[0]

    return run


def _samples(
    op: str,
    names: Sequence[str],
    states: int,
    gradient: str,
    variants: Sequence[Mapping[str, Any]],
    domains: Mapping[str, Domain],
) -> Samples:
    shaped = (*names[:states], gradient)

    def shapes(shape: tuple[int, ...], **other: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        return tuple(other.get(n, shape if n in shaped else ()) for n in names)

    def domain(name: str) -> Domain:
        if name in domains:
            return domains[name]
        positive = Domain(0.1, 2) if name in _POSITIVE else Domain()
        return positive if name in shaped else _NAMED.get(name, Domain(0.5, 0.9))

    trials = [Case(shapes(s)) for s in ((3,), (2, 3), (), (0, 2), (70,))]
    trials += [Case(shapes((2, 3)), attrs) for attrs in variants]
    number = next(n for n in names if n not in shaped)
    return Samples(
        tuple(trials), tuple(map(domain, names)),
        wrong=(Wrong(shapes((3,), **{gradient: (2,)}), ValueError, (op, repr(gradient), repr(names[0]), "[2]", "[3]")),
               Wrong(shapes((3,), **{number: (1,)}), ValueError, (op, repr(number), "[1]"))),
    )  # fmt: skip


def step(
    name: str,
    inputs: str,
    formulas: Sequence[Formula],
    doc: str,
    *,
    function: str = "",
    attrs: dict[str, Any] | None = None,
    gradient: str = "grad",
    variants: Sequence[Mapping[str, Any]] = (),
    domains: Mapping[str, Domain] = _NONE,
) -> None:
    """Declares an optimizer's step.

    Args:
        inputs: names separated by commas: first the variable and the other states, of which each has a formula, then numbers and the
            `gradient` in any order.
        variants: attributes with which tests try it, beside the defaults.
        domains: where tests draw operands from whose differences would otherwise cancel out.
    """
    names = tuple(inputs.split(", "))
    count = len(formulas)
    operator(
        name, inputs, function, attrs, infer=_infer(name, names, count, gradient), reference=quiet(_reference(names, formulas)),
        gradient=NotDifferentiable("an optimizer's step is not part of the function that is learnt", error=True),
        compute=Update(tuple(_body(names, formula, state) for state, formula in enumerate(formulas))), dtypes=dt.FLOATS, doc=doc,
        samples=_samples(name, names, count, gradient, variants, domains),
    )  # fmt: skip
