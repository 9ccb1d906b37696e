"""Matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import broadcast
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Contract, contract_dims
from mindspore.primitives.declare import check_dtype, check_rank, check_same_dtype, operator, quiet, real_gradient, wide
from mindspore.primitives.samples import Case, Samples, Wrong

_TRANSPOSES = {"transpose_a": False, "transpose_b": False}


def _infer(name: str, most: int | None) -> Any:
    def infer(x: TensorType, y: TensorType, transpose_a: bool, transpose_b: bool) -> TensorType:
        check_dtype(name, "x", x, dt.NUMBERS)
        check_same_dtype(name, ("x", "y"), (x, y))
        check_rank(name, "x", x, 2, most)
        check_rank(name, "y", y, 2, most)
        m, n, k = contract_dims(x, y, transpose_a, transpose_b)
        inner = y.shape[-1] if transpose_b else y.shape[-2]
        if inner != k:
            raise ValueError(
                f"{name}: the columns of 'x' {x} ({k}, transpose_a={transpose_a}) must equal the rows of 'y' {y} "
                f"({inner}, transpose_b={transpose_b})."
            )
        try:
            return TensorType(x.dtype, (*broadcast(x.shape[:-2], y.shape[:-2]), m, n))
        except ValueError:
            raise ValueError(f"{name}: the leading dimensions of 'x' {x} and 'y' {y} do not broadcast.") from None

    return infer


def _product(x: Any, y: Any, transpose_a: bool, transpose_b: bool) -> Any:
    return np.matmul(np.swapaxes(x, -1, -2) if transpose_a else x, np.swapaxes(y, -1, -2) if transpose_b else y)


def _gradient(function: str) -> Any:
    def gradient(b: Any, x: Any, y: Any, out: Any, d: Any, transpose_a: bool, transpose_b: bool) -> tuple[Any, Any]:
        product = getattr(b, function)
        dx = (
            product(y, d, transpose_a=transpose_b, transpose_b=True)
            if transpose_a
            else product(d, y, transpose_b=not transpose_b)
        )
        dy = (
            product(d, x, transpose_a=True, transpose_b=transpose_a)
            if transpose_b
            else product(x, d, transpose_a=not transpose_a)
        )
        return b.sum_to(dx, b.shape(x)), b.sum_to(dy, b.shape(y))

    return gradient


def _cases(
    lead_x: tuple[int, ...] = (), lead_y: tuple[int, ...] = (), m: int = 2, n: int = 4, k: int = 3
) -> tuple[Case, ...]:
    """All four ways to transpose."""
    return tuple(
        Case(
            ((*lead_x, *((k, m) if a else (m, k))), (*lead_y, *((n, k) if t else (k, n)))),
            {"transpose_a": a, "transpose_b": t},
        )
        for a in (False, True)
        for t in (False, True)
    )


def _declare(name: str, function: str, most: int | None, trials: tuple[Case, ...], doc: str) -> None:
    wrong = (
        Wrong(((2, 3), (2, 3)), ValueError, (name, "'x'", "'y'", "[2, 3]")),
        Wrong(((2, 3), (3, 2)), TypeError, (name, "'x'", "'y'", "Int32"), (dt.float32, dt.int32)),
        Wrong(((3,), (3, 2)), ValueError, (name, "'x'", "[3]")),
    )
    operator(
        name, "x, y", function, _TRANSPOSES, infer=_infer(name, most), reference=quiet(wide(_product)),
        gradient=real_gradient(name, _gradient(function)), compute=Contract(), dtypes=dt.NUMBERS, doc=doc,
        samples=Samples(trials, wrong=wrong),
    )  # fmt: skip


_declare(
    "MatMul",
    "matmul",
    2,
    _cases() + _cases(m=17, n=19, k=33) + _cases(k=0) + _cases(m=0),
    "The product of two matrices.",
)
_declare(
    "BatchMatMul", "batch_matmul", None,
    _cases((2,), (2,)) + _cases((2, 1), (3,)) + _cases((4,), ()) + _cases((0,), (1,)) + _cases(),
    "The products of the matrices in the last two dimensions; the dimensions before them broadcast.",
)  # fmt: skip


def _channel(x: TensorType, data_format: str) -> int:
    if data_format not in ("NCHW", "NHWC", "NCDHW"):
        raise ValueError(f"BiasAdd: attribute 'data_format' must be NCHW, NHWC or NCDHW, but got {data_format!r}.")
    return x.rank - 1 if data_format == "NHWC" else 1


def _infer_bias_add(x: TensorType, bias: TensorType, data_format: str) -> TensorType:
    check_dtype("BiasAdd", "x", x, dt.REAL)
    check_same_dtype("BiasAdd", ("x", "bias"), (x, bias))
    check_rank("BiasAdd", "x", x, 2)
    check_rank("BiasAdd", "bias", bias, 1, 1)
    channel = _channel(x, data_format)
    if bias.shape[0] != x.shape[channel]:
        raise ValueError(
            f"BiasAdd: the size of 'bias' {bias} must equal dimension {channel} of 'x' {x} ({x.shape[channel]})."
        )
    return x


def _along_channel(rank: int, data_format: str) -> tuple[int, ...]:
    """The shape that puts a vector along the channels."""
    channel = rank - 1 if data_format == "NHWC" else 1
    return tuple(-1 if i == channel else 1 for i in range(rank))


def _bias_gradient(b: Any, x: Any, bias: Any, out: Any, d: Any, data_format: str) -> tuple[Any, Any]:
    kept = _along_channel(len(b.shape(x)), data_format)
    return d, b.reduce_sum(d, axis=tuple(i for i, n in enumerate(kept) if n == 1))


def _expand_bias_add(b: Any, x: Any, bias: Any, data_format: str) -> Any:
    shape = tuple(b.shape(bias)[0] if n == -1 else 1 for n in _along_channel(len(b.shape(x)), data_format))
    return b.add(x, b.reshape(bias, shape=shape))


operator(
    "BiasAdd", "x, bias", attrs={"data_format": "NCHW"}, infer=_infer_bias_add, gradient=_bias_gradient,
    reference=quiet(wide(lambda x, bias, data_format: x + bias.reshape(_along_channel(x.ndim, data_format)))),
    expand=_expand_bias_add, dtypes=dt.REAL,
    samples=Samples(
        (Case(((2, 3), (3,))), Case(((2, 3, 4, 5), (3,))), Case(((2, 3, 4, 5), (5,)), {"data_format": "NHWC"}),
         Case(((0, 3), (3,)))),
        specials=True,
        wrong=(Wrong(((2, 3), (2,)), ValueError, ("BiasAdd", "'bias'", "'x'", "[2, 3]")),
               Wrong(((2, 3), (3,)), ValueError, ("BiasAdd", "'data_format'", "ABC"), (), {"data_format": "ABC"})),
    ),
    doc="A vector added along the channels.",
)  # fmt: skip
