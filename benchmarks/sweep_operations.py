"""Operations of the sweep other than products, convolutions, norms and reductions: what each framework calls, and on which values.

Those of training and of mixed precision stand in `sweep_training`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sweep_training
from sweep_shapes import Case, Function, Operation, Shape

Array = np.ndarray[Any, Any]
FLOATS = ("float32", "float64", "float16", "bfloat16")


def _whole(draw: np.random.Generator, shape: Shape, case: Case) -> Array:
    """Indices below the option `below`, or below the first dimension of the first operand."""
    return draw.integers(0, case.options.get("below", case.shapes[0][0]), shape)


def _typed(found: Array, case: Case) -> Array:
    """Floating types that numpy lacks are made by the framework."""
    return found if case.dtype in FLOATS else (found * 100).astype(case.dtype)


DRAWS: Mapping[str, Callable[[np.random.Generator, Shape, Case], Array]] = {
    "normal": lambda draw, shape, case: _typed(draw.standard_normal(shape, dtype=np.float32), case),
    "positive": lambda draw, shape, case: _typed(draw.random(shape, dtype=np.float32) * 4 + 0.01, case),
    "unit": lambda draw, shape, case: _typed(draw.random(shape, dtype=np.float32) * 2 - 1, case),
    "angle": lambda draw, shape, case: _typed(draw.random(shape, dtype=np.float32) * 40 - 20, case),
    "index": _whole,
    "label": _whole,
    "divisor": lambda draw, shape, case: draw.integers(1, 100, shape).astype(case.dtype),
    "shift": lambda draw, shape, case: draw.integers(0, 7, shape).astype(case.dtype),
    "mask": lambda draw, shape, case: draw.random(shape) < 0.5,
    "sorted": lambda draw, shape, case: np.sort(_typed(draw.standard_normal(shape, dtype=np.float32), case)),
}


def operands(case: Case) -> list[Array]:
    """The values that every framework gets."""
    draw, kinds = np.random.default_rng(7), OPERATIONS[case.operation].operands
    return [DRAWS[kinds[min(i, len(kinds) - 1)]](draw, shape, case) for i, shape in enumerate(case.shapes)]


def _named(name: str, *kinds: str, numpy: str | None = None, torch: str | None = None) -> Operation:
    """An operation that all frameworks call by the same name; numpy may call it otherwise, "" is no name."""

    def call(name: str) -> Function | None:
        return (lambda module, *x: getattr(module, name)(*x)) if name else None

    ours = call(name)
    assert ours is not None
    numpy = name if numpy is None else numpy
    return Operation(ours, call(name if torch is None else torch), call(numpy), call(numpy), kinds or ("normal",))


_ANYWHERE = (
    "exp", "sin", "cos", "tan", "tanh", "sinh", "cosh", "expm1", "exp2", "floor", "ceil", "trunc", "sign", "abs", "square",
    "isnan", "isfinite",
)  # fmt: skip
_POSITIVE = ["log", "log2", "log10", "log1p", "sqrt"]

UNARY: Mapping[str, Operation] = {
    **{name: _named(name) for name in _ANYWHERE},
    **{name: _named(name, "positive") for name in _POSITIVE},
    **{name: _named(name, "unit", numpy=f"arc{name[1:]}") for name in ("asin", "acos", "atan", "atanh")},
    "asinh": _named("asinh", numpy="arcsinh"),
    "acosh": Operation(
        lambda ops, x: ops.acosh(x + 1),
        lambda torch, x: torch.acosh(x + 1),
        lambda jnp, x: jnp.arccosh(x + 1),
        operands=("positive",),
    ),
    "sin of angles": Operation(
        lambda ops, x: ops.sin(x),
        lambda torch, x: torch.sin(x),
        lambda jnp, x: jnp.sin(x),
        lambda np, x: np.sin(x),
        ("angle",),
    ),
    "neg": _named("neg", numpy="negative"),
    "round": _named("round"),
    "reciprocal": _named("reciprocal", "positive"),
    "rsqrt": _named("rsqrt", "positive", numpy=""),
    "erf": _named("erf", numpy=""),
    "erfc": _named("erfc", numpy=""),
    "erfinv": _named("erfinv", "unit", numpy=""),
    "lgamma": _named("lgamma", "positive", numpy=""),
    "digamma": _named("digamma", "positive", numpy=""),
    "sigmoid": _named("sigmoid", numpy=""),
    **{
        name: Operation(
            lambda ops, x, name=name: getattr(ops, name)(x),
            lambda torch, x, name=name: getattr(torch.nn.functional, name)(x),
        )
        for name in ("relu", "gelu", "silu", "mish", "elu", "softplus", "hardswish", "leaky_relu", "selu", "logsigmoid")
    },
}

BINARY: Mapping[str, Operation] = {
    **{
        name: _named(name, "normal", "positive", numpy=numpy)
        for name, numpy in {
            "add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "maximum": "maximum", "fmod": "fmod",
            "remainder": "remainder", "floor_divide": "floor_divide", "less": "less", "equal": "equal", "hypot": "hypot",
            "logaddexp": "logaddexp",
        }.items()
    },
    "atan2": _named("atan2", numpy="arctan2"),
    "pow": _named("pow", "positive", "normal", numpy="power"),
    "xlogy": _named("xlogy", "positive", numpy=""),
    "where": Operation(
        lambda ops, c, x, y: ops.where(c, x, y), lambda torch, c, x, y: torch.where(c, x, y), lambda jnp, c, x, y: jnp.where(c, x, y),
        lambda np, c, x, y: np.where(c, x, y), ("mask", "normal"),
    ),
    "clamp": Operation(
        lambda ops, x: ops.clamp(x, -0.5, 0.5), lambda torch, x: torch.clamp(x, -0.5, 0.5), lambda jnp, x: jnp.clip(x, -0.5, 0.5)
    ),
    "lerp": Operation(lambda ops, x, y: ops.lerp(x, y, 0.3), lambda torch, x, y: torch.lerp(x, y, 0.3)),
    "masked_fill": Operation(
        lambda ops, x, c: ops.masked_fill(x, c, 0.0), lambda torch, x, c: x.masked_fill(c, 0.0), operands=("normal", "mask")
    ),
    "cast": Operation(lambda ops, x: x.astype("float16"), lambda torch, x: x.to(torch.float16)),
    "to_int": Operation(lambda ops, x: x.astype("int32"), lambda torch, x: x.to(torch.int32)),
}  # fmt: skip

ORDER: Mapping[str, Operation] = {
    "sort": Operation(
        lambda ops, x, axis=-1: ops.sort(x, axis)[0], lambda torch, x, axis=-1: torch.sort(x, axis)[0],
        lambda jnp, x, axis=-1: jnp.sort(x, axis), lambda np, x, axis=-1: np.sort(x, axis),
    ),
    "argsort": Operation(
        lambda ops, x, axis=-1: ops.argsort(x, axis), lambda torch, x, axis=-1: torch.argsort(x, axis),
        lambda jnp, x, axis=-1: jnp.argsort(x, axis), lambda np, x, axis=-1: np.argsort(x, axis),
    ),
    "topk": Operation(lambda ops, x, k: ops.topk(x, k), lambda torch, x, k: torch.topk(x, k)),
    "median": Operation(
        lambda ops, x, axis=-1: ops.median(x, axis)[0], lambda torch, x, axis=-1: torch.median(x, axis)[0],
        numpy=lambda np, x, axis=-1: np.median(x, axis),
    ),
    "unique": Operation(lambda ops, x: ops.unique(x)[0], lambda torch, x: torch.unique(x), numpy=lambda np, x: np.unique(x)),
    "searchsorted": Operation(
        lambda ops, s, x: ops.searchsorted(s, x), lambda torch, s, x: torch.searchsorted(s, x),
        lambda jnp, s, x: jnp.searchsorted(s, x), lambda np, s, x: np.searchsorted(s, x), ("sorted", "normal"),
    ),
}  # fmt: skip


def _along(name: str, ours: str | None = None, numpy: str = "") -> Operation:
    return Operation(
        lambda ops, x, axis: getattr(ops, ours or name)(x, axis),
        lambda torch, x, axis: getattr(torch, name)(x, axis),
        (lambda jnp, x, axis: getattr(jnp, numpy)(x, axis)) if numpy else None,
        (lambda np, x, axis: getattr(np, numpy)(x, axis)) if numpy else None,
    )


RUNNING: Mapping[str, Operation] = {
    "cumsum": _along("cumsum", numpy="cumsum"),
    "cumprod": _along("cumprod", numpy="cumprod"),
    "cummax": _along("cummax"),
    "logcumsumexp": _along("logcumsumexp"),
    "argmax": _along("argmax", numpy="argmax"),
    "argmin": _along("argmin", numpy="argmin"),
    "logsumexp": _along("logsumexp"),
    "std": _along("std"),
    "prod": _along("prod", numpy="prod"),
    "all": Operation(
        lambda ops, x, axis: ops.all(x, axis), lambda torch, x, axis: torch.all(x, axis), operands=("mask",)
    ),
    "count_nonzero": Operation(
        lambda ops, x, axis: ops.count_nonzero(x, axis),
        lambda torch, x, axis: torch.count_nonzero(x, axis),
        operands=("mask",),
    ),
}

RANDOM: Mapping[str, Operation] = {
    "rand": Operation(lambda ops, n: ops.rand(n), lambda torch, n: torch.rand(n)),
    "randn": Operation(lambda ops, n: ops.randn(n), lambda torch, n: torch.randn(n)),
    "randint": Operation(lambda ops, n: ops.randint(0, 100, (n,)), lambda torch, n: torch.randint(0, 100, (n,))),
    "randperm": Operation(lambda ops, n: ops.randperm(n), lambda torch, n: torch.randperm(n)),
    "bernoulli": Operation(
        lambda ops, x: ops.bernoulli(x, 0.3), lambda torch, x: torch.bernoulli(x, 0.3), operands=("positive",)
    ),
    "dropout": Operation(
        lambda ops, x: ops.dropout(x, 0.3, True), lambda torch, x: torch.nn.functional.dropout(x, 0.3, True)
    ),
}

INDEX: Mapping[str, Operation] = {
    "nonzero": Operation(lambda ops, x: ops.nonzero(x), lambda torch, x: torch.nonzero(x), operands=("mask",)),
    "masked_select": Operation(
        lambda ops, x, c: ops.masked_select(x, c), lambda torch, x, c: torch.masked_select(x, c), operands=("normal", "mask")
    ),
    "embedding": Operation(
        lambda ops, x, i: ops.gather(x, i, 0), lambda torch, x, i: torch.nn.functional.embedding(i, x), lambda jnp, x, i: jnp.take(x, i, 0),
        lambda np, x, i: np.take(x, i, 0), ("normal", "index"),
    ),
    "gather_elements": Operation(
        lambda ops, x, i, axis: ops.gather_elements(x, axis, i), lambda torch, x, i, axis: torch.gather(x, axis, i),
        operands=("normal", "index"),
    ),
    "index_select": Operation(
        lambda ops, x, i, axis: ops.index_select(x, axis, i), lambda torch, x, i, axis: torch.index_select(x, axis, i),
        operands=("normal", "index"),
    ),
    "index_add": Operation(
        lambda ops, x, i, y: x.index_add(0, i.astype("int32"), y), lambda torch, x, i, y: x.index_add(0, i, y),
        operands=("normal", "index", "normal"),
    ),
    "scatter_add": Operation(
        lambda ops, x, i, y, axis: ops.tensor_scatter_elements(x, i, y, axis, "add"),
        lambda torch, x, i, y, axis: x.scatter_add(axis, i, y), operands=("normal", "index", "normal"),
    ),
    "scatter": Operation(
        lambda ops, x, i, y, axis: ops.scatter(x, axis, i, y), lambda torch, x, i, y, axis: x.scatter(axis, i, y),
        operands=("normal", "index", "normal"),
    ),
    "rows": Operation(lambda ops, x, i: x[i], lambda torch, x, i: x[i], operands=("normal", "index")),
    "one_hot": Operation(
        lambda ops, i, depth: ops.one_hot(i, depth, 1, 0), lambda torch, i, depth: torch.nn.functional.one_hot(i, depth),
        operands=("index",),
    ),
    "bincount": Operation(lambda ops, i: ops.bincount(i), lambda torch, i: torch.bincount(i), operands=("index",)),
}  # fmt: skip

MOVE: Mapping[str, Operation] = {
    "cat": Operation(
        lambda ops, x, y, axis: ops.cat((x, y), axis), lambda torch, x, y, axis: torch.cat((x, y), axis),
        lambda jnp, x, y, axis: jnp.concatenate((x, y), axis), lambda np, x, y, axis: np.concatenate((x, y), axis),
    ),
    "stack": Operation(
        lambda ops, x, y, axis: ops.stack((x, y), axis), lambda torch, x, y, axis: torch.stack((x, y), axis),
        lambda jnp, x, y, axis: jnp.stack((x, y), axis), lambda np, x, y, axis: np.stack((x, y), axis),
    ),
    "transpose": Operation(
        lambda ops, x, perm: ops.transpose(x, tuple(perm)), lambda torch, x, perm: torch.permute(x, perm).contiguous(),
        lambda jnp, x, perm: jnp.transpose(x, perm), lambda np, x, perm: np.ascontiguousarray(np.transpose(x, perm)),
    ),
    "pad": Operation(
        lambda ops, x: ops.pad(x, (1, 1, 1, 1)), lambda torch, x: torch.nn.functional.pad(x, (1, 1, 1, 1)),
        lambda jnp, x: jnp.pad(x, [(0, 0)] * (x.ndim - 2) + [(1, 1)] * 2),
    ),
    "flip": Operation(
        lambda ops, x, axis: ops.flip(x, (axis,)), lambda torch, x, axis: torch.flip(x, (axis,)), lambda jnp, x, axis: jnp.flip(x, axis),
        lambda np, x, axis: np.ascontiguousarray(np.flip(x, axis)),
    ),
    "roll": Operation(
        lambda ops, x, axis: ops.roll(x, 3, axis), lambda torch, x, axis: torch.roll(x, 3, axis), lambda jnp, x, axis: jnp.roll(x, 3, axis),
        lambda np, x, axis: np.roll(x, 3, axis),
    ),
    "tile": Operation(
        lambda ops, x, reps: ops.tile(x, tuple(reps)), lambda torch, x, reps: torch.tile(x, tuple(reps)),
        lambda jnp, x, reps: jnp.tile(x, reps), lambda np, x, reps: np.tile(x, reps),
    ),
    "repeat_interleave": Operation(
        lambda ops, x, axis: ops.repeat_interleave(x, 3, axis), lambda torch, x, axis: torch.repeat_interleave(x, 3, axis),
        lambda jnp, x, axis: jnp.repeat(x, 3, axis), lambda np, x, axis: np.repeat(x, 3, axis),
    ),
    "tril": _named("tril"),
    "every_second": Operation(
        lambda ops, x: x[:, ::2] + 0, lambda torch, x: x[:, ::2].contiguous(), lambda jnp, x: x[:, ::2],
        lambda np, x: np.ascontiguousarray(x[:, ::2]),
    ),
    "add_column": Operation(
        lambda ops, x, y: x + y, lambda torch, x, y: x + y, lambda jnp, x, y: x + y, lambda np, x, y: x + y
    ),
}  # fmt: skip

OPERATIONS: Mapping[str, Operation] = {
    **UNARY,
    **BINARY,
    **ORDER,
    **RUNNING,
    **RANDOM,
    **INDEX,
    **MOVE,
    **sweep_training.OPERATIONS,
}

SIZES: Sequence[int] = (1000, 1 << 20)
_NARROW = ["add", "mul", "exp", "tanh", "sigmoid", "gelu", "erf", "where", "cast"]
_INTEGER = ["add", "mul", "maximum", "less", "abs", "where"]


def _elementwise() -> Iterator[Case]:
    for name in (*UNARY, *BINARY):
        count = {"where": 3, "clamp": 1, "cast": 1, "to_int": 1}.get(name, 1 + (name in BINARY))
        for size in SIZES:
            yield Case("elementwise", name, ((size,),) * count)
        others = ("float16", "bfloat16") * (name in _NARROW) + ("int32", "int64") * (name in _INTEGER)
        others += ("float64",) * (name in ("exp", "log", "sin", "tanh", "pow", "add", "erf"))
        for dtype in others:
            yield Case("elementwise", name, ((SIZES[-1],),) * count, dtype=dtype)
    yield Case("elementwise", "add_column", ((1000, 1000), (1000, 1)))
    yield Case("elementwise", "add_column", ((1000, 1000), (1000,)))


def _order() -> Iterator[Case]:
    for name in ("sort", "argsort", "median"):
        for shape in ((1000,), (100_000,), (3_000_000,), (1000, 1000), (100_000, 8)):
            yield Case("order", name, (shape,))
        yield Case("order", name, ((1000, 1000),), {"axis": 0})
    for name, dtype in (("sort", "int32"), ("sort", "int64"), ("sort", "float16"), ("argsort", "int32")):
        yield Case("order", name, ((1_000_000,),), dtype=dtype)
    for shape, k in (
        ((1000,), 5),
        ((1_000_000,), 10),
        ((1_000_000,), 1000),
        ((128, 1000), 5),
        ((64, 50_000), 50),
        ((32, 10), 1),
    ):
        yield Case("order", "topk", (shape,), {"k": k})
    for size, dtype in ((1000, "int64"), (1_000_000, "int64"), (1_000_000, "int32"), (1_000_000, "float32")):
        yield Case("order", "unique", ((size,),), dtype=dtype)
    for sizes in ((1000, 1000), (1000, 1_000_000), (1_000_000, 100_000)):
        yield Case("order", "searchsorted", tuple((size,) for size in sizes))


def _running() -> Iterator[Case]:
    for name in RUNNING:
        for shape, axis in (((1000,), 0), ((4_000_000,), 0), ((2000, 1000), 1), ((2000, 1000), 0), ((100_000, 16), 1)):
            yield Case("running", name, (shape,), {"axis": axis})
    for dtype in ("int64", "int32", "float64", "float16"):
        yield Case("running", "cumsum", ((1_000_000,),), {"axis": 0}, dtype)
    yield Case("running", "argmax", ((2000, 1000),), {"axis": 1}, "int64")


def _random() -> Iterator[Case]:
    for name in RANDOM:
        for size in (1000, 1_000_000):
            made = name in ("bernoulli", "dropout")
            yield Case("random", name, ((size,),) if made else (), {} if made else {"n": size})


def _index() -> Iterator[Case]:
    for size in (1000, 1_000_000):
        yield Case("index", "nonzero", ((size,),))
        yield Case("index", "masked_select", ((size,), (size,)))
        yield Case("index", "bincount", ((size,),), {"below": 100})
        yield Case("index", "one_hot", ((size // 10,),), {"below": 20, "depth": 20})
    yield Case("index", "nonzero", ((1000, 1000),))
    for table, places in (
        ((30_000, 128), (64, 128)),
        ((1000, 16), (100_000,)),
        ((1_000_000, 1), (1_000_000,)),
        ((100, 4), (8,)),
    ):
        yield Case("index", "embedding", (table, places))
        yield Case("index", "rows", (table, places))
        yield Case("index", "index_add", (table, (int(np.prod(places)),), (int(np.prod(places)), table[1])))
    for axis in (0, 1):
        for name, count in (("gather_elements", 2), ("scatter_add", 3), ("scatter", 3)):
            yield Case("index", name, ((1000, 1000),) * count, {"axis": axis})
        yield Case("index", "index_select", ((1000, 1000), (500,)), {"axis": axis})


def _move() -> Iterator[Case]:
    for name in ("cat", "stack"):
        for shape, axis in (((32, 32), 0), ((1000, 1000), 0), ((1000, 1000), 1), ((100_000, 8), 1)):
            yield Case("move", name, (shape, shape), {"axis": axis})
    permuted: tuple[tuple[Shape, Shape], ...] = (
        ((32, 32), (1, 0)), ((1000, 1000), (1, 0)), ((2048, 2048), (1, 0)), ((100_000, 8), (1, 0)), ((16, 128, 12, 64), (0, 2, 1, 3)),
        ((32, 64, 28, 28), (0, 2, 3, 1)), ((32, 28, 28, 64), (0, 3, 1, 2)), ((64, 100, 100), (2, 1, 0)), ((16, 12, 64, 128), (0, 3, 1, 2)),
    )  # fmt: skip
    for given, perm in permuted:
        yield Case("move", "transpose", (given,), {"perm": perm})
    for dtype in ("float16", "float64", "int8"):
        yield Case("move", "transpose", ((1000, 1000),), {"perm": (1, 0)}, dtype)
    padded: tuple[Shape, ...] = ((8, 64, 56, 56), (100, 100))
    for each in padded:
        yield Case("move", "pad", (each,))
    for name in ("flip", "roll", "repeat_interleave"):
        for axis in (0, 1):
            yield Case("move", name, ((1000, 1000),), {"axis": axis})
    for reps in ((1, 4), (4, 1)):
        yield Case("move", "tile", ((500, 500),), {"reps": reps})
    yield Case("move", "tile", ((1000, 1),), {"reps": (1, 1000)})
    yield Case("move", "tril", ((1000, 1000),))
    yield Case("move", "every_second", ((1000, 1000),))


TABLES: Mapping[str, Callable[[], Iterator[Case]]] = {
    "elementwise": _elementwise, "order": _order, "running": _running, "random": _random, "index": _index, "move": _move,
    **sweep_training.TABLES,
}  # fmt: skip
