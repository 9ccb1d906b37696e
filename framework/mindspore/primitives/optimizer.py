"""Steps of optimizers: new values from old ones; who calls them stores the results."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.operator import NotDifferentiable
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives.compute import Update
from mindspore.primitives.declare import check_dtype, operator, quiet
from mindspore.primitives.samples import Domain, Samples, Wrong, cases

_NAMES = ("variable", "accumulation", "learning_rate", "gradient", "momentum")
_MOMENTUM_ATTRS = {"use_nesterov": False, "use_locking": False, "gradient_scale": 1.0}


def _infer_momentum(v: TensorType, a: TensorType, lr: TensorType, g: TensorType, m: TensorType, **_: Any) -> TupleType:
    op = "ApplyMomentum"
    for name, each in zip(_NAMES, (v, a, lr, g, m), strict=True):
        check_dtype(op, name, each, dt.FLOATS)
    for name, each in (("accumulation", a), ("gradient", g)):
        if each.shape != v.shape:
            raise ValueError(f"{op}: argument {name!r} must have the shape of 'variable' {v}, but got {each}.")
    for name, each in (("learning_rate", lr), ("momentum", m)):
        if each.rank:
            raise ValueError(f"{op}: argument {name!r} must have no dimensions, but got {each}.")
    return TupleType((v, a))


def _momentum_parts(s: Any, v: Any, a: Any, lr: Any, g: Any, m: Any, gradient_scale: float) -> tuple[Any, ...]:
    lr, g, m, a = (s.cast(each, v.dtype) for each in (lr, g, m, a))
    g = s.mul(g, gradient_scale) if gradient_scale != 1 else g
    return lr, g, m, s.add(s.mul(a, m), g)


def _new_variable(
    s: Any, v: Any, a: Any, lr: Any, g: Any, m: Any, use_nesterov: bool, use_locking: bool, gradient_scale: float
) -> Any:
    lr, g, m, moved = _momentum_parts(s, v, a, lr, g, m, gradient_scale)
    return s.sub(v, s.mul(s.add(g, s.mul(moved, m)) if use_nesterov else moved, lr))


def _new_accumulation(
    s: Any, v: Any, a: Any, lr: Any, g: Any, m: Any, use_nesterov: bool, use_locking: bool, gradient_scale: float
) -> Any:
    return s.cast(_momentum_parts(s, v, a, lr, g, m, gradient_scale)[3], a.dtype)


def _momentum(
    v: Any, a: Any, lr: Any, g: Any, m: Any, use_nesterov: bool, use_locking: bool, gradient_scale: float
) -> Any:
    wide = np.float32 if v.dtype.itemsize == 2 else v.dtype
    wv, wa, wlr, wg, wm = (each.astype(wide) for each in (v, a, lr, g, m))
    wg = wg * np.asarray(gradient_scale, wide)
    moved = wa * wm + wg
    return (wv - ((wg + moved * wm) if use_nesterov else moved) * wlr).astype(v.dtype), moved.astype(a.dtype)


operator(
    "ApplyMomentum", ", ".join(_NAMES), attrs=_MOMENTUM_ATTRS, infer=_infer_momentum, reference=quiet(_momentum),
    gradient=NotDifferentiable("an optimizer's step is not part of the function that is learnt", error=True),
    compute=Update((_new_variable, _new_accumulation)), dtypes=dt.FLOATS,
    samples=Samples(
        cases(*[(s, s, (), s, ()) for s in ((3,), (2, 3), (), (0, 2), (70,))])
        + cases(((2, 3), (2, 3), (), (2, 3), ()), use_nesterov=True, gradient_scale=0.5),
        (Domain(), Domain(), Domain(0.01, 0.1), Domain(), Domain(0.5, 0.9)),
        wrong=(Wrong(((2,), (3,), (), (2,), ()), ValueError, ("ApplyMomentum", "'accumulation'", "'variable'", "[2]", "[3]")),
               Wrong(((2,), (2,), (1,), (2,), ()), ValueError, ("ApplyMomentum", "'learning_rate'", "[1]"))),
    ),
    doc="accumulation * momentum + gradient, and variable less learning_rate times that; Nesterov's looks one step ahead.",
)  # fmt: skip
