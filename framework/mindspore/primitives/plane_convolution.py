"""Convolutions of images whose channels meet few others, computed plane by plane, and the gradient of their weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.operator import REQUIRED, NotDifferentiable
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import PlaneConvolution
from mindspore.primitives.convolution import numpy_products
from mindspore.primitives.convolution_plan import Convolution, filter_product, forward_product
from mindspore.primitives.declare import check_dtype, check_same_dtype, operator, quiet
from mindspore.primitives.samples import Case, Samples, Wrong

_GRADIENT = NotDifferentiable("stands for a convolution whose gradient is taken before it is expanded", error=True)
_TRIALS = (
    Convolution(1, 2, 2, (3, 4), (3, 4), (3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), 2),
    Convolution(2, 3, 6, (7, 19), (3, 8), (3, 4), (2, 2), (1, 2), ((1, 0), (1, 2)), 3),
    Convolution(2, 2, 2, (9, 40), (9, 14), (1, 2), (1, 3), (1, 1), ((0, 0), (1, 1)), 2),
    Convolution(3, 4, 4, (20, 35), (20, 35), (5, 5), (1, 1), (1, 1), ((2, 2), (2, 2)), 4),
    Convolution(1, 2, 2, (18, 33), (9, 17), (7, 7), (2, 2), (1, 1), ((3, 2), (3, 3)), 2),
    Convolution(2, 4, 6, (5, 9), (10, 18), (3, 3), (1, 1), (1, 1), ((1, 2), (1, 2)), 2, (2, 2)),
)


def _check(op: str, a: TensorType, b: TensorType) -> None:
    check_dtype(op, "a", a, (dt.float32, dt.float64))
    check_same_dtype(op, ("a", "b"), (a, b))


def _infer(weight: TensorType, x: TensorType, convolution: Convolution, turned: bool) -> TensorType:
    _check("PlaneConvolution", weight, x)
    return TensorType(x.dtype, convolution.out)


def _infer_filter(d: TensorType, x: TensorType, convolution: Convolution, turned: bool) -> TensorType:
    _check("PlaneFilter", d, x)
    return TensorType(x.dtype, convolution.weight)


def turned_weights(weight: Any, c: Convolution) -> Any:
    """The weights of `c`, whose result is the gradient in the input of the convolution with `weight`."""
    grouped = weight.reshape(c.group, c.inputs // c.group, c.outputs // c.group, *c.kernel)
    return np.ascontiguousarray(grouped.swapaxes(1, 2)[..., ::-1, ::-1]).reshape(c.weight)


def padded(x: Any, c: Convolution) -> Any:
    """The input with the zeros between its elements and around them."""
    spread = np.zeros((*x.shape[:2], *c.spread), x.dtype)
    spread[..., :: c.apart[0], :: c.apart[1]] = x
    return np.pad(spread, ((0, 0), (0, 0), *c.pads))


def _reference(weight: Any, x: Any, convolution: Convolution, turned: bool) -> Any:
    return numpy_products(
        turned_weights(weight, convolution) if turned else weight,
        padded(x, convolution),
        convolution.out,
        (forward_product(convolution),),
    )


def _reference_filter(d: Any, x: Any, convolution: Convolution, turned: bool) -> Any:
    return numpy_products(d, padded(x, convolution), convolution.weight, (filter_product(convolution),))


def _declare(name: str, inputs: str, kind: str, infer: Any, reference: Any, doc: str) -> None:
    shapes = [(c.weight if kind == "forward" else c.out, c.x) for c in _TRIALS]
    ways = (False, True)[: 1 + (kind == "forward")]
    cases = [
        Case(s, {"convolution": c, "turned": turned}) for s, c in zip(shapes, _TRIALS, strict=True) for turned in ways
    ]
    operator(
        name, inputs, attrs={"convolution": REQUIRED, "turned": False}, infer=infer, reference=quiet(reference), gradient=_GRADIENT,
        compute=PlaneConvolution(kind), dtypes=(dt.float32, dt.float64),
        samples=Samples(
            tuple(cases),
            wrong=(Wrong(cases[0].shapes, TypeError, (name, "'a'", "Int32"), (dt.int32, dt.int32), cases[0].attrs),),
        ),
        doc=doc,
    )  # fmt: skip


_declare(
    "PlaneConvolution", "weight, x", "forward", _infer, _reference, "A convolution of few channels, or groups of few."
)
_declare("PlaneFilter", "d, x", "filter", _infer_filter, _reference_filter,
         "The gradient of the weights of such a convolution, for the gradient d of its result.")  # fmt: skip
