"""Steps of Adam: new values from old ones; who calls them stores the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.operator import NotDifferentiable
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives.compute import Update
from mindspore.primitives.declare import check_dtype, operator, quiet
from mindspore.primitives.samples import Case, Domain, Samples, Wrong

_STATE = ("var", "m", "v")
_NUMBERS = ("beta1_power", "beta2_power", "lr", "beta1", "beta2", "epsilon")
_DECAY_NUMBERS = ("lr", "beta1", "beta2", "epsilon", "decay")


def _infer(op: str, names: tuple[str, ...]) -> Any:
    """The state has the shape of the variable, as the gradient, which comes last; the rest are numbers."""

    def infer(*types: TensorType, **_: Any) -> TupleType:
        for name, each in zip(names, types, strict=True):
            check_dtype(op, name, each, dt.FLOATS)
            if name in (*_STATE, "gradient"):
                if each.shape != types[0].shape:
                    raise ValueError(
                        f"{op}: argument {name!r} must have the shape of 'var' {types[0]}, but got {each}."
                    )
            elif each.rank:
                raise ValueError(f"{op}: argument {name!r} must have no dimensions, but got {each}.")
        return TupleType(types[:3])

    return infer


def _body(names: tuple[str, ...], part: Callable[..., Any], state: int) -> Any:
    """One output as a body: `part` of a mapping from names to operands, all in the variable's type."""

    def body(s: Any, *operands: Any, **attrs: Any) -> Any:
        wide = operands[0].dtype
        given = {name: s.cast(each, wide) for name, each in zip(names, operands, strict=True)}
        return s.cast(part(s, given, attrs), operands[state].dtype)

    return body


class _Numpy:
    """The operations of bodies on arrays."""

    add, sub, mul, div, sqrt, square = np.add, np.subtract, np.multiply, np.divide, np.sqrt, np.square


def _mixed(s: Any, rate: Any, old: Any, new: Any) -> Any:
    """``old + (new - old) * (1 - rate)``."""
    return s.add(old, s.mul(s.sub(new, old), s.sub(1.0, rate)))


def _first(s: Any, g: Mapping[str, Any], attrs: Mapping[str, Any]) -> Any:
    return _mixed(s, g["beta1"], g["m"], g["gradient"])


def _second(s: Any, g: Mapping[str, Any], attrs: Mapping[str, Any]) -> Any:
    return _mixed(s, g["beta2"], g["v"], s.square(g["gradient"]))


def _direction(s: Any, g: Mapping[str, Any], m: Any) -> Any:
    return s.div(m, s.add(s.sqrt(_second(s, g, {})), g["epsilon"]))


def _variable(s: Any, g: Mapping[str, Any], attrs: Mapping[str, Any]) -> Any:
    rate = s.div(s.mul(g["lr"], s.sqrt(s.sub(1.0, g["beta2_power"]))), s.sub(1.0, g["beta1_power"]))
    m = _first(s, g, attrs)
    if attrs["use_nesterov"]:
        m = _mixed(s, g["beta1"], m, g["gradient"])
    return s.sub(g["var"], s.mul(rate, _direction(s, g, m)))


def _decayed(s: Any, g: Mapping[str, Any], attrs: Mapping[str, Any]) -> Any:
    step = s.add(_direction(s, g, _first(s, g, attrs)), s.mul(g["decay"], g["var"]))
    return s.sub(g["var"], s.mul(g["lr"], step))


def _reference(names: tuple[str, ...], parts: tuple[Callable[..., Any], ...]) -> Any:
    def run(*arrays: Any, **attrs: Any) -> Any:
        wide = np.float32 if arrays[0].dtype.itemsize == 2 else arrays[0].dtype
        given = {name: each.astype(wide) for name, each in zip(names, arrays, strict=True)}
        return tuple(p(_Numpy, given, attrs).astype(old.dtype) for p, old in zip(parts, arrays, strict=False))

    return run


def _step(name: str, function: str, numbers: tuple[str, ...], variable: Any, attrs: dict[str, Any], doc: str) -> None:
    names, parts = (*_STATE, *numbers, "gradient"), (variable, _first, _second)
    bodies = tuple(_body(names, part, state) for state, part in enumerate(parts))
    rates = {"lr": Domain(0.01, 0.1), "epsilon": Domain(1e-3, 1e-2), "v": Domain(0.1, 2), "decay": Domain(0, 0.1)}
    domains = tuple(rates.get(n, Domain(0.5, 0.9) if n in numbers else Domain()) for n in names)

    def shapes(shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        return tuple(() if n in numbers else shape for n in names)

    trials = [Case(shapes(s)) for s in ((3,), (2, 3), (), (0, 2), (70,))]
    trials += [Case(shapes((2, 3)), {a: True}) for a in attrs]
    other = [(2,) if n == "m" else s for n, s in zip(names, shapes((3,)), strict=True)]
    rate = [(1,) if n == "lr" else s for n, s in zip(names, shapes((3,)), strict=True)]
    operator(
        name, ", ".join(names), function, attrs, infer=_infer(name, names), reference=quiet(_reference(names, parts)),
        gradient=NotDifferentiable("an optimizer's step is not part of the function that is learnt", error=True),
        compute=Update(bodies), dtypes=dt.FLOATS, doc=doc,
        samples=Samples(
            tuple(trials), domains,
            wrong=(Wrong(tuple(other), ValueError, (name, "'m'", "'var'", "[2]", "[3]")),
                   Wrong(tuple(rate), ValueError, (name, "'lr'", "[1]"))),
        ),
    )  # fmt: skip


_step("Adam", "adam", _NUMBERS, _variable, {"use_locking": False, "use_nesterov": False},
      "Moving means m and v of the gradient and its square; the variable moves by m / (sqrt(v) + epsilon), corrected.")  # fmt: skip
_step("AdamWeightDecay", "adam_weight_decay", _DECAY_NUMBERS, _decayed, {"use_locking": False},
      "Adam without the correction for the start; decay times the variable is part of the step, not of the gradient.")  # fmt: skip
