"""The shapes of the sweep: one table for each family, and what one case is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Shape = tuple[int, ...]
Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One operation on operands of given shapes.

    Attributes:
        family: the table it stands in.
        operation: what is computed, by the name that `sweep_worker` knows.
        shapes: of the operands, in order.
        options: whatever else the operation depends on.
        dtype: of the operands; the option ``dtypes`` gives each operand one of its own.
    """

    family: str
    operation: str
    shapes: tuple[Shape, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    dtype: str = "float32"

    @property
    def name(self) -> str:
        shapes = " ".join("x".join(map(str, shape)) for shape in self.shapes)
        options = "".join(f" {key}={_text(value)}" for key, value in self.options.items())
        dtype = "" if self.dtype == "float32" else f" {self.dtype}"
        return f"{self.operation} {shapes}{options}{dtype}"

    def dtype_of(self, operand: int) -> str:
        """What the framework makes of an operand whose values are float32."""
        listed = self.options.get("dtypes")
        return str(listed[operand]) if listed else self.dtype

    def message(self) -> dict[str, Any]:
        """What `of_message` makes a case of again."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Operation:
    """How one operation is called.

    Attributes:
        ours, torch, jax, numpy: the call of each framework.
        operands: the kind of each operand's values, one of `DRAWS`; the last one serves all further operands.
        made: the functions are called once with the operands and give what is timed, a function without arguments.

    Each function gets the module of its framework (``mindspore.ops``, ``torch``, ``jax.numpy``, ``numpy``), the operands, then the
    options of the case by name. None: the framework has nothing of the kind.
    """

    ours: Function
    torch: Function | None
    jax: Function | None = None
    numpy: Function | None = None
    operands: tuple[str, ...] = ("normal",)
    made: bool = False


def of_message(message: Mapping[str, Any]) -> Case:
    return Case(**{**message, "shapes": tuple(tuple(shape) for shape in message["shapes"])})


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def product(
    m: int, k: int, n: int, transposed: str = "nn", batch: Shape = (), dtype: str = "float32", **options: Any
) -> Case:
    """``[batch..., m, k] @ [batch..., k, n]``; the letters of `transposed` say how the operands lie in memory."""
    left = (k, m) if transposed[0] == "t" else (m, k)
    right = (n, k) if transposed[1] == "t" else (k, n)
    laid = {} if transposed == "nn" else {"transposed": transposed}
    return Case("matmul", "matmul", ((*batch, *left), (*batch, *right)), {**laid, **options}, dtype)


def _matmul() -> Iterator[Case]:
    for n in (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1000, 1024, 1536, 2048, 3072, 4096):
        yield product(n, n, n)
    for n, way in itertools.product((64, 200, 512, 1024), ("nt", "tn", "tt")):
        yield product(n, n, n, way)
    for m, (k, n) in itertools.product((1, 2, 4, 8, 16, 32), ((768, 768), (768, 3072), (1024, 4096))):
        yield product(m, k, n)
        yield product(m, k, n, "nt")
    for m, k, n in ((784, 1, 512), (512, 1, 1), (1, 4096, 1), (4096, 4096, 1), (1024, 3, 1024), (100_000, 16, 8)):
        yield product(m, k, n)
    for m, k, n in ((33, 65, 129), (127, 511, 255), (1000, 1001, 999), (4096, 64, 64), (64, 64, 4096), (64, 16384, 64)):
        yield product(m, k, n)
        yield product(m, k, n, "tn")
    for batch, m, k, n in (((12,), 128, 64, 128), ((96,), 128, 128, 64), ((1000,), 4, 4, 4), ((256,), 16, 16, 16)):
        yield product(m, k, n, batch=batch)
        yield product(m, k, n, "nt", batch=batch)
    for epilogue, (m, k, n) in itertools.product(
        ("bias_relu", "bias_gelu", "residual"), ((32, 784, 512), (1024, 768, 768))
    ):
        yield product(m, k, n, "nt", epilogue=epilogue)
    for dtype, (m, k, n) in itertools.product(
        ("float16", "bfloat16"), ((64, 64, 64), (8, 768, 768), (1024, 1024, 1024))
    ):
        yield product(m, k, n, "nt", dtype=dtype)


def convolution(
    x: Shape, w: Shape, stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1
) -> Iterator[Case]:
    """Forward and both gradients of one convolution of [N, C, H, W] with [O, C / groups, K, K]."""
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    shown = {key: value for key, value in options.items() if value != usual[key]}
    for operation in ("forward", "data", "weight"):
        yield Case("conv", operation, (x, w), shown)


def _conv() -> Iterator[Case]:
    images = 4
    for c, o, size in ((64, 64, 56), (128, 128, 28), (256, 256, 14), (512, 512, 7)):
        yield from convolution((images, c, size, size), (o, c, 3, 3), padding=1)
    for c, o, size in ((64, 256, 56), (256, 64, 56), (512, 128, 28), (256, 1024, 14), (2048, 512, 7)):
        yield from convolution((images, c, size, size), (o, c, 1, 1))
    for c, size in ((128, 56), (256, 28), (512, 14)):
        yield from convolution((images, c, size, size), (c, c, 3, 3), stride=2, padding=1)
    yield from convolution((images, 3, 224, 224), (64, 3, 7, 7), stride=2, padding=3)
    yield from convolution((images, 256, 56, 56), (512, 256, 1, 1), stride=2)
    yield from convolution((32, 1, 32, 32), (6, 1, 5, 5))
    yield from convolution((32, 6, 14, 14), (16, 6, 5, 5))
    yield from convolution((1, 64, 56, 56), (64, 64, 3, 3), padding=1)
    yield from convolution((1, 512, 7, 7), (512, 512, 3, 3), padding=1)
    yield from convolution((images, 32, 112, 112), (32, 1, 3, 3), padding=1, groups=32)
    yield from convolution((images, 384, 14, 14), (384, 1, 5, 5), padding=2, groups=384)
    yield from convolution((images, 128, 28, 28), (128, 4, 3, 3), padding=1, groups=32)
    yield from convolution((images, 64, 28, 28), (64, 64, 3, 3), padding=2, dilation=2)
    yield from _depthwise()
    for c, size in ((256, 28), (512, 14)):
        yield from convolution((8, c, size, size), (c, c // 32, 3, 3), padding=1, groups=32)
    yield from convolution((32, 3, 32, 32), (16, 3, 3, 3), padding=1)


def _depthwise() -> Iterator[Case]:
    """Of MobileNets, EfficientNets and ConvNeXts: images, channels, size, kernel and stride."""
    for images, c, size, kernel, stride in (
        (8, 96, 112, 3, 2), (8, 144, 56, 5, 2), (8, 240, 28, 5, 1), (1, 960, 7, 3, 1), (8, 960, 7, 3, 1), (8, 96, 56, 7, 1),
    ):  # fmt: skip
        yield from convolution(
            (images, c, size, size), (c, 1, kernel, kernel), stride=stride, padding=kernel // 2, groups=c
        )


def _norm() -> Iterator[Case]:
    for rows, columns in (
        (1, 768),
        (16, 256),
        (128, 768),
        (1024, 768),
        (4096, 1024),
        (32768, 64),
        (64, 16384),
        (50_000, 10),
    ):
        yield Case("norm", "layer", ((rows, columns),))
        yield Case("norm", "layer_gradient", ((rows, columns),))
    for shape in ((8, 64, 112, 112), (8, 256, 56, 56), (8, 512, 7, 7), (32, 16, 10, 10), (128, 1024), (4096, 100)):
        yield Case("norm", "batch_training", (shape,))
        yield Case("norm", "batch_training_gradient", (shape,))
        yield Case("norm", "batch_inference", (shape,))


def _softmax() -> Iterator[Case]:
    shapes: tuple[tuple[Shape, int], ...] = (
        ((32, 10), -1), ((1, 50000), -1), ((128, 1000), -1), ((4096, 1024), -1), ((96, 128, 128), -1),
        ((100_000, 8), -1), ((64, 64, 64), 1), ((1024, 512), 0), ((20_000, 33), -1),
    )  # fmt: skip
    for operation, (shape, axis) in itertools.product(("softmax", "log_softmax", "softmax_gradient"), shapes):
        yield Case("softmax", operation, (shape,), {"axis": axis})


def _reduction() -> Iterator[Case]:
    shapes: tuple[tuple[Shape, tuple[int, ...]], ...] = (
        ((1 << 22,), (0,)), ((1000,), (0,)), ((4096, 1024), (1,)), ((4096, 1024), (0,)), ((64, 128, 256), (1,)),
        ((8, 64, 56, 56), (0, 2, 3)), ((8, 2048, 7, 7), (2, 3)), ((100_000, 4), (1,)), ((4, 100_000), (0,)),
        ((20_000, 17), (1,)),
    )  # fmt: skip
    for operation, (shape, axis) in itertools.product(("sum", "mean", "max"), shapes):
        yield Case("reduction", operation, (shape,), {"axis": axis})
    for dtype, operation in itertools.product(("float16", "bfloat16"), ("sum", "max")):
        for shape, axis in (((4096, 1024), (1,)), ((4096, 1024), (0,)), ((20_000, 17), (1,))):
            yield Case("reduction", operation, (shape,), {"axis": axis}, dtype)
    for shape, places in shapes:
        if len(places) == 1:
            yield Case("reduction", "argmax", (shape,), {"axis": places})
            yield Case("reduction", "cumsum", (shape,), {"axis": places})


def _attention() -> Iterator[Case]:
    kinds: tuple[dict[str, Any], ...] = ({}, {"causal": True}, {"mask": True}, {"drop": 0.1})
    for length, options, operation in itertools.product((128, 512), kinds, ("attention", "attention_gradient")):
        yield Case("attention", operation, ((8, 12, length, 64),) * 3, options)
    for operation in ("attention", "attention_gradient"):
        yield Case("attention", operation, ((1, 12, 1, 64), (1, 12, 512, 64), (1, 12, 512, 64)))
        yield Case("attention", operation, ((8, 128, 12, 64),) * 3, {"heads": "inside"})


TABLES = {
    "matmul": _matmul, "conv": _conv, "norm": _norm, "softmax": _softmax, "reduction": _reduction, "attention": _attention,
}  # fmt: skip

TINY = (
    product(2, 3, 4),
    product(3, 2, 3, "nt", epilogue="bias_relu"),
    *convolution((1, 2, 5, 5), (3, 2, 3, 3), padding=1),
    Case("norm", "layer_gradient", ((2, 8),)),
    Case("norm", "batch_training", ((2, 3, 4, 4),)),
    Case("softmax", "softmax", ((2, 5),), {"axis": -1}),
    Case("attention", "attention_gradient", ((1, 2, 3, 4),) * 3, {"causal": True}),
    Case("reduction", "sum", ((2, 3, 4),), {"axis": (0, 2)}),
    Case("reduction", "cumsum", ((3, 4),), {"axis": (1,)}),
    Case("order", "sort", ((3, 4),), {"axis": 0}),
    Case("index", "embedding", ((4, 2), (3,))),
)
"""A few cases that take no time, to see the frame work."""
