"""What the oracle is asked: plain data that imports neither library, so that the same trials run in both interpreters."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

BOOL, INTS, FLOATS = (
    ("bool_",),
    ("uint8", "int8", "int16", "int32", "int64"),
    ("float16", "bfloat16", "float32", "float64"),
)
REAL = (*INTS, *FLOATS)
EVERY = (
    "bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
SPECIALS = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.5)


@dataclass(frozen=True)
class Array:
    """A tensor: values as Python numbers, and an element type by name."""

    values: Any
    dtype: str = "float32"


@dataclass(frozen=True)
class DTypeName:
    """An element type as an attribute."""

    name: str


@dataclass(frozen=True)
class Trial:
    """One call.

    Attributes:
        key: unique name, ``family/operator/what``.
        operator: the primitive's class name, the same on both sides.
        inputs: the tensors, in our order.
        attrs: our attributes.
        init, call: the other side's: attributes of the class, and arguments of the call, where `Array` stands for itself.
        function: the other side is ``mindspore.ops.<function>(*call, **init)``, where it has no class.
        gradient: positions of inputs whose gradient of the summed result is recorded too.
    """

    key: str
    operator: str
    inputs: tuple[Array, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    init: Mapping[str, Any] = field(default_factory=dict)
    call: tuple[Any, ...] = ()
    gradient: tuple[int, ...] = ()
    function: str = ""

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.call or self.inputs


def values(key: str, shape: tuple[int, ...], dtype: str, low: float, high: float) -> Array:
    """Numbers that depend on the key alone and are exact in every type: multiples of 1/8, or integers."""
    # The name of the type is no part of the key: all types see the same numbers where these fit.
    stream = np.random.RandomState(zlib.crc32(key.encode()))
    if dtype == "bool_":
        return Array((stream.uniform(size=shape) < 0.5).tolist(), dtype)
    drawn = stream.uniform(low, high, shape)
    if dtype in FLOATS:
        return Array((np.round(drawn * 8) / 8).tolist(), dtype)
    floor = max(low, 0) if dtype.startswith("u") else low
    return Array(np.clip(np.round(drawn), np.ceil(floor), None).astype(int).tolist(), dtype)


_UNARY: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("Neg", "Abs", "Sign", "Square", "Exp", "Expm1", "Sin", "Cos", "Atan", "Sinh", "Cosh", "Tanh", "Asinh"), (-3, 3)),
    **dict.fromkeys(("Erf", "Erfc", "Sigmoid", "Floor", "Ceil", "Rint", "Round", "Trunc", "IsNan", "IsInf", "IsFinite"), (-3, 3)),
    **dict.fromkeys(("Sqrt", "Rsqrt", "Log", "Log1p", "Reciprocal"), (0.25, 4)), **dict.fromkeys(("Asin", "ACos", "Atanh"), (-0.9, 0.9)),
    **dict.fromkeys(("ZerosLike", "OnesLike", "LogicalNot", "ReLU", "ReLU6", "Elu", "HSigmoid", "HSwish", "Softplus", "GeLU"), (-5, 7)),
    "Tan": (-1.2, 1.2), "Acosh": (1.25, 4), "Invert": (-9, 9), "Identity": (-3, 3),
}  # fmt: skip
_STEPS = (
    "Sign",
    "Floor",
    "Ceil",
    "Rint",
    "Round",
    "Trunc",
    "IsNan",
    "IsInf",
    "IsFinite",
    "ZerosLike",
    "OnesLike",
    "LogicalNot",
    "Invert",
)


def unary() -> Iterator[Trial]:
    for name, (low, high) in _UNARY.items():
        for dtype in (*BOOL, *REAL):
            key = f"unary/{name}/{dtype}"
            wrt = (0,) if dtype == "float32" and name not in (*_STEPS, "Identity") else ()
            yield Trial(key, name, (values(f"unary/{name}", (2, 3), dtype, low, high),), gradient=wrt)
        yield Trial(f"unary/{name}/specials", name, (Array(SPECIALS),))
        yield Trial(f"unary/{name}/empty", name, (Array([[], []]),))


_BINARY = (
    "Add", "Sub", "Mul", "Div", "RealDiv", "DivNoNan", "FloorDiv", "TruncateDiv", "FloorMod", "Mod", "TruncateMod", "Pow", "Maximum",
    "Minimum", "Atan2", "SquaredDifference", "Xdivy", "Xlogy", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Equal", "NotEqual", "Less",
    "LessEqual", "Greater", "GreaterEqual", "LogicalAnd", "LogicalOr",
)  # fmt: skip
_SMOOTH = (
    "Add",
    "Sub",
    "Mul",
    "Div",
    "RealDiv",
    "DivNoNan",
    "Pow",
    "Maximum",
    "Minimum",
    "Atan2",
    "SquaredDifference",
    "Xdivy",
    "Xlogy",
)


def binary() -> Iterator[Trial]:
    for name in _BINARY:
        positive = name in ("Pow", "Xlogy")
        for dtype in (*BOOL, *REAL):
            x = values("binary/x", (2, 3), dtype, 0.25 if positive else -7, 7)
            y = values("binary/y", (3,), dtype, 0.5 if positive else 1, 4)
            yield Trial(
                f"binary/{name}/{dtype}",
                name,
                (x, y),
                gradient=(0, 1) if dtype == "float32" and name in _SMOOTH else (),
            )
        left, right = zip(*product(SPECIALS, repeat=2), strict=True)
        yield Trial(f"binary/{name}/specials", name, (Array(left), Array(right)))
        yield Trial(
            f"binary/{name}/ties",
            name,
            (Array([1, 2, -1.5]), Array([1, 3, -1.5])),
            gradient=(0, 1) if name in _SMOOTH else (),
        )
        yield Trial(f"binary/{name}/signs", name, (Array([7, -7, 7, -7], "int32"), Array([2, 2, -2, -2], "int32")))
        yield Trial(f"binary/{name}/signs float", name, (Array([7.5, -7.5, 7.5, -7.5]), Array([2, 2, -2, -2])))
        yield Trial(f"binary/{name}/by zero", name, (Array([7, -7, 0], "int32"), Array([0, 0, 0], "int32")))
        yield Trial(f"binary/{name}/mixed", name, (Array([7, -7], "float16"), Array([2, 3], "int32")))
        yield Trial(f"binary/{name}/shapes", name, (Array([1, 2]), Array([1, 2, 3])))


def reductions() -> Iterator[Trial]:
    shapes: Sequence[tuple[tuple[int, ...], Any]] = (
        ((2, 3), ()),
        ((2, 3), 1),
        ((2, 3, 2), (0, 2)),
        ((3,), -1),
        ((2, 3), 2),
    )
    for name in ("ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceAll", "ReduceAny"):
        dtypes = BOOL if name in ("ReduceAll", "ReduceAny") else ("uint8", "int32", "int64", *FLOATS)
        for (shape, axis), keep, dtype in product(shapes, (False, True), dtypes):
            if dtype not in ("bool_", "float32") and (keep or axis == 2):
                continue
            x = values("reduction", shape, dtype, -3, 4)
            wrt = (0,) if dtype == "float32" and axis != 2 and name != "ReduceProd" else ()
            key = f"reduction/{name}/{dtype} {shape} {axis} {keep}"
            yield Trial(key, name, (x,), {"axis": axis, "keep_dims": keep}, {"keep_dims": keep}, (x, axis), wrt)
        if name not in ("ReduceAll", "ReduceAny"):
            x = Array([[np.nan, 1, 2], [3, np.inf, 1]])
            yield Trial(f"reduction/{name}/specials", name, (x,), {"axis": 1}, {}, (x, 1))
    for name, axis, dtype in product(("Argmax", "Argmin"), (-1, 0, 2), ("int32", "float32")):
        yield Trial(
            f"reduction/{name}/{dtype} {axis}",
            name,
            (Array([[1, 3, 3], [5, -2, -2]], dtype),),
            {"axis": axis},
            {"axis": axis},
        )
    for name, axis, keep in product(("ArgMaxWithValue", "ArgMinWithValue"), (0, -1, 2), (False, True)):
        attrs = {"axis": axis, "keep_dims": keep}
        yield Trial(f"reduction/{name}/{axis} {keep}", name, (Array([[1, 3, 3], [5, -2, -2]]),), attrs, attrs)
    for name, axis in product(("Softmax", "LogSoftmax"), (-1, 0, 2)):
        for dtype in ("float16", "float32", "int32"):
            x = values("rows", (2, 3), dtype, -4, 4)
            wrt = (0,) if dtype == "float32" and axis != 2 else ()
            if dtype == "float32" or axis == -1:
                yield Trial(
                    f"reduction/{name}/{dtype} {axis}", name, (x,), {"axis": axis}, {"axis": axis}, gradient=wrt
                )


def _same(what: str, name: str, x: Array, grad: bool = True, **attrs: Any) -> Trial:
    """Attributes given to the class on both sides."""
    return Trial(f"movement/{name}/{what}", name, (x,), attrs, attrs, gradient=(0,) if grad else ())


def _called(what: str, name: str, x: Array, grad: bool = True, **attrs: Any) -> Trial:
    """Attributes given in the call, in order."""
    return Trial(f"movement/{name}/{what}", name, (x,), attrs, {}, (x, *attrs.values()), gradient=(0,) if grad else ())


def movement() -> Iterator[Trial]:
    axis: Any
    shape: tuple[int, ...]
    perm: tuple[int, ...]
    multiples: tuple[int, ...]
    x, cube = values("move", (2, 3), "float32", -4, 4), values("cube", (2, 3, 2), "float32", -4, 4)
    whole = values("move", (2, 3), "int64", -4, 4)
    for shape in ((3, 2), (-1,), (1, 6), (4, 2), (-1, -1)):
        yield _called(str(shape), "Reshape", x, shape[0] != 4 and shape != (-1, -1), shape=shape)
    for axis in (0, -1, 2, 5):
        yield _called(str(axis), "ExpandDims", x, axis != 5, axis=axis)
    for axis in ((), 0, (0, 2), 1):
        yield _same(str(axis), "Squeeze", Array([[[1.5], [2.5]]]), axis != 1, axis=axis)
    for what, given in (("matrix", x), ("cube", cube), ("vector", Array([1, 2])), ("scalar", Array(2.0))):
        yield _same(what, "Flatten", given, what != "scalar")
    for perm in ((1, 0), (0, 0), (0,), (-1, 0)):
        yield _called(str(perm), "Transpose", x, perm in ((1, 0), (-1, 0)), perm=perm)
    yield _called("cube", "Transpose", cube, perm=(2, 0, 1))
    yield _called("int64", "Transpose", whole, False, perm=(1, 0))
    for shape in ((2, 2, 3), (-1, 3), (2, 4), (3,)):
        yield _same(str(shape), "BroadcastTo", x, shape not in ((2, 4), (3,)), shape=shape)
    for multiples in ((2, 1), (2,), (2, 1, 2), (-1, 1)):
        yield _called(str(multiples), "Tile", x, multiples != (-1, 1), multiples=multiples)
    for paddings in (((1, 1), (0, 2)), ((-1, 0), (0, 0)), ((1, 0),)):
        yield _same(str(paddings), "Pad", x, paddings[0] == (1, 1), paddings=paddings)
    for axis in ((0,), (0, 1), (-1,), (2,)):
        yield _same(str(axis), "ReverseV2", x, axis != (2,), axis=axis)
    for begin, end, strides in (
        ((0, 1), (2, 3), (1, 1)),
        ((0, 2), (2, -4), (1, -1)),
        ((1,), (2,), (1,)),
        ((0, 0), (2, 3), (1, 0)),
    ):
        what = f"{begin} {end} {strides}"
        yield _called(what, "StridedSlice", x, 0 not in strides, begin=begin, end=end, strides=strides)
    for axis, count in ((1, 3), (0, 2), (1, 2), (2, 1)):
        yield _same(f"{axis} {count}", "Split", x, False, axis=axis, output_num=count)
    for axis in (0, -1, 2):
        yield _same(str(axis), "Unstack", x, False, axis=axis)
    pairs = {
        "same": (x, x),
        "rows": (x, Array([[1, 2, 3]])),
        "rank": (x, Array([1, 2])),
        "type": (x, values("move", (2, 3), "int32", -4, 4)),
    }
    for (what, pair), axis, name in product(pairs.items(), (0, -1), ("Concat", "Stack")):
        yield Trial(f"movement/{name}/{what} {axis}", name, pair, {"axis": axis}, {"axis": axis}, (pair,))


def selection() -> Iterator[Trial]:
    attrs: dict[str, Any]
    mask, x, y = (
        Array([[True], [False]], "bool_"),
        values("x", (2, 3), "float32", -4, 4),
        values("y", (3,), "float32", -4, 4),
    )
    yield Trial("selection/Select/broadcast", "Select", (mask, x, y), gradient=(1, 2))
    yield Trial("selection/Select/mixed", "Select", (mask, x, Array([1, 2, 3], "int32")))
    yield Trial("selection/Select/shapes", "Select", (mask, x, Array([1, 2])))
    yield Trial("selection/Select/condition", "Select", (Array([[1], [0]], "int32"), x, x))
    yield Trial("selection/MaskedFill/value", "MaskedFill", (x, mask, Array(9.0)), gradient=(0, 2))
    yield Trial("selection/MaskedFill/mask", "MaskedFill", (x, Array([1, 0, 1], "int32"), Array(9.0)))
    for source, target in product((*BOOL, *REAL), (*BOOL, *REAL)):
        given = Array([True, False], source) if source == "bool_" else Array([0, 1, 2, 100], source)
        yield Trial(
            f"selection/Cast/{source} {target}",
            "Cast",
            (given,),
            {"dtype": DTypeName(target)},
            {},
            (given, DTypeName(target)),
        )
    fractions = Array([-1.5, 1.5, 2.9, -0.9, 300.0, -300.0])
    for target in ("int8", "int16", "int32", "int64", "bool_", "float16", "bfloat16"):
        key = f"selection/Cast/fractions {target}"
        yield Trial(key, "Cast", (fractions,), {"dtype": DTypeName(target)}, {}, (fractions, DTypeName(target)))
    extreme = Array([np.nan, np.inf, -np.inf, 1e20, -1e20, 3e9, -3e9, 2.0**31, 2.0**63])
    for target in (*INTS, "bool_", "float64"):
        attrs = {"dtype": DTypeName(target)}
        yield Trial(f"selection/Cast/extreme {target}", "Cast", (extreme,), attrs, {}, (extreme, DTypeName(target)))
    for axis, name in product((-1, 0, 1, 3), ("int32", "int64")):
        indices, on, off = Array([0, 2, 5, -1], name), Array(2.0), Array(-1.0)
        key, attrs = f"selection/OneHot/{name} {axis}", {"depth": 3, "axis": axis}
        yield Trial(key, "OneHot", (indices, on, off), attrs, {"axis": axis}, (indices, 3, on, off))
    for n, m, dtype in ((2, 3, "float32"), (3, 3, "int32"), (3, 1, "bool_")):
        attrs = {"n": n, "m": m, "dtype": DTypeName(dtype)}
        yield Trial(f"selection/Eye/{n} {m} {dtype}", "Eye", (), attrs, {}, (n, m, DTypeName(dtype)))
    yield Trial("selection/AddN/two", "AddN", (x, x), {}, {}, ((x, x),), (0, 1))
    yield Trial(
        "selection/AddN/types",
        "AddN",
        (Array([1, 2]), Array([1, 2], "int32")),
        {},
        {},
        ((Array([1, 2]), Array([1, 2], "int32")),),
    )


def contraction() -> Iterator[Trial]:
    for name, lead, other in (("MatMul", (), ()), ("BatchMatMul", (2,), (2,)), ("BatchMatMul", (2, 1), (3,))):
        for a, b in product((False, True), repeat=2):
            x = values("left", (*lead, *((3, 2) if a else (2, 3))), "float32", -3, 3)
            y = values("right", (*other, *((2, 3) if b else (3, 2))), "float32", -3, 3)
            attrs = {"transpose_a": a, "transpose_b": b}
            yield Trial(f"contraction/{name}/{lead}{other} {a} {b}", name, (x, y), attrs, attrs, gradient=(0, 1))
    for dtype in ("int32", "float16", "float64", "bfloat16"):
        x, y = values("left", (2, 3), dtype, -3, 3), values("right", (3, 2), dtype, -3, 3)
        yield Trial(f"contraction/MatMul/{dtype}", "MatMul", (x, y))
    x = values("left", (2, 3), "float32", -3, 3)
    yield Trial("contraction/MatMul/shapes", "MatMul", (x, x))
    yield Trial("contraction/MatMul/rank", "MatMul", (Array([1, 2, 3]), x))
    yield Trial("contraction/MatMul/types", "MatMul", (x, Array([[1], [2], [3]], "int32")))
    yield Trial("contraction/BiasAdd/matrix", "BiasAdd", (x, Array([1, 2, 3])), gradient=(0, 1))
    yield Trial(
        "contraction/BiasAdd/images",
        "BiasAdd",
        (values("b", (2, 3, 2, 2), "float32", -3, 3), Array([1, 2, 3])),
        gradient=(0, 1),
    )
    yield Trial("contraction/BiasAdd/shapes", "BiasAdd", (x, Array([1, 2])))
    yield Trial("contraction/BiasAdd/rank", "BiasAdd", (x, Array([[1, 2, 3]])))


_CONVOLUTIONS: tuple[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]], ...] = (
    ((1, 2, 4, 5), (3, 2, 2, 3), {}), ((2, 2, 5, 5), (2, 2, 3, 3), {"pad_mode": "same", "stride": 2}),
    ((1, 2, 6, 5), (2, 2, 3, 2), {"pad_mode": "pad", "pad": (1, 0, 1, 1)}), ((1, 4, 5, 5), (4, 2, 2, 2), {"group": 2, "dilation": 2}),
    ((1, 2, 5, 7), (2, 2, 1, 1), {"stride": 2, "pad_mode": "same"}), ((1, 2, 5, 5), (2, 2, 3, 3), {"stride": 3, "pad_mode": "same"}),
    ((1, 2, 5, 5), (2, 3, 3, 3), {}), ((1, 2, 2, 2), (2, 2, 3, 3), {}), ((1, 2, 5, 5), (2, 2, 3, 3), {"pad_mode": "full"}),
    ((1, 2, 5, 5), (2, 2, 3, 3), {"pad": 1}), ((2, 5, 5), (2, 2, 3, 3), {}),
)  # fmt: skip


def windows() -> Iterator[Trial]:
    for number, (x, weight, attrs) in enumerate(_CONVOLUTIONS):
        full = {"out_channel": weight[0], "kernel_size": weight[2:], **attrs}
        given = (values("images", x, "float32", -3, 3), values("weights", weight, "float32", -3, 3))
        yield Trial(f"windows/Conv2D/{number}", "Conv2D", given, full, full, gradient=(0, 1))
    sizes = (
        (3, 2, "same"),
        (2, 2, "valid"),
        (3, 1, "same"),
        (2, 3, "SAME"),
        (1, 2, "valid"),
        (6, 1, "valid"),
        (2, 2, "pad"),
    )
    for name, (kernel, stride, mode) in product(("MaxPool", "AvgPool"), sizes):
        attrs = {"kernel_size": kernel, "strides": stride, "pad_mode": mode}
        images = values("pooled", (1, 2, 5, 4), "float32", -30, 30)
        yield Trial(f"windows/{name}/{kernel} {stride} {mode}", name, (images,), attrs, attrs, gradient=(0,))
    for dtype in ("float16", "float64", "int32"):
        for name in ("MaxPool", "AvgPool"):
            attrs = {"kernel_size": 2, "strides": 1}
            images = values("pooled", (1, 2, 3, 4), dtype, -30, 30)
            yield Trial(f"windows/{name}/{dtype}", name, (images,), attrs, attrs)
    for begin, dtype in product((1, -1), ("float32", "float16")):
        shape = (3, 4) if begin == 1 else (4,)
        attrs = {"begin_norm_axis": begin, "begin_params_axis": begin, "epsilon": 1e-5}
        rows = (
            values("rows", (2, 3, 4), dtype, -3, 3),
            values("gamma", shape, dtype, 0.5, 2),
            values("beta", shape, dtype, -1, 1),
        )
        yield Trial(f"windows/LayerNorm/{begin} {dtype}", "LayerNorm", rows, attrs, attrs)
    matrix = values("rows", (2, 3), "float32", -3, 3)
    yield Trial("windows/LayerNorm/shapes", "LayerNorm", (matrix, Array([1, 1, 1]), Array([1, 2])))


def loss() -> Iterator[Trial]:
    logits, labels = values("logits", (3, 4), "float32", -4, 4), Array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    dense, sparse = "SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits"
    yield Trial(f"loss/{dense}/rows", dense, (logits, labels))
    yield Trial(f"loss/{dense}/shapes", dense, (logits, Array([[0, 1], [1, 0]])))
    yield Trial(f"loss/{dense}/large", dense, (Array([[1000, 0, -1000]]), Array([[0, 1, 0]])))
    for is_grad, name in product((False, True), ("int32", "int64")):
        key, attrs = f"loss/{sparse}/{name} {is_grad}", {"is_grad": is_grad}
        yield Trial(key, sparse, (logits, Array([1, 0, 3], name)), attrs, attrs, gradient=() if is_grad else (0,))
    yield Trial(f"loss/{sparse}/shapes", sparse, (logits, Array([1, 0], "int32")))
    yield Trial(f"loss/{sparse}/range", sparse, (logits, Array([1, 0, 7], "int32")))


def trials() -> Iterator[Trial]:
    for family in (unary, binary, reductions, movement, selection, contraction, windows, loss, functions, complexes):
        yield from family()


def functions() -> Iterator[Trial]:
    """Operators that the other side has as functions, and steps of optimizers."""
    attrs: dict[str, Any]
    x = Array([-4.0, -1.5, 0.0, 0.5, 3.0])
    yield Trial("function/SiLU/x", "SiLU", (x,), gradient=(0,), function="silu")
    yield Trial(
        "function/GeLU/erf",
        "GeLU",
        (x,),
        {"approximate": "none"},
        {"approximate": "none"},
        gradient=(0,),
        function="gelu",
    )
    for alpha in (0.2, 0.01):
        attrs = {"alpha": alpha}
        yield Trial(
            f"function/LeakyReLU/{alpha}", "LeakyReLU", (x,), attrs, attrs, gradient=(0,), function="leaky_relu"
        )
    limits = (x, Array(-1.0), Array(2.0))
    yield Trial("function/ClipByValue/numbers", "ClipByValue", limits, {}, {}, (x, -1.0, 2.0), function="clip_by_value")
    yield Trial("function/ClipByValue/tensors", "ClipByValue", limits, gradient=(0,), function="clip_by_value")
    crossed = (x, Array(2.0), Array(-1.0))
    yield Trial(
        "function/ClipByValue/crossed", "ClipByValue", crossed, {}, {}, (x, 2.0, -1.0), function="clip_by_value"
    )
    for start, stop, step, dtype in (
        (0, 10, 3, "int64"),
        (7, 0, -2, "int64"),
        (0.0, 1.0, 0.25, "float32"),
        (3, 3, 1, "int64"),
        (0, 3, 0, "int64"),
    ):
        attrs = {"start": start, "stop": stop, "step": step, "dtype": DTypeName(dtype)}
        yield Trial(
            f"function/Arange/{start} {stop} {step}", "Arange", (), attrs, {}, (start, stop, step), function="arange"
        )
    for shape, dtype in (((2, 3), "float32"), ((), "int32"), ((0, 2), "bool_"), ((2,), "bfloat16")):
        attrs, given = {"shape": shape, "value": 1, "dtype": DTypeName(dtype)}, {"dtype": DTypeName(dtype)}
        yield Trial(f"function/Full/{shape} {dtype}", "Full", (), attrs, given, (shape, 1), function="full")
    state = (Array([1, 2, -3]), Array([0.5, -0.5, 1]), Array(0.1), Array([1, 2, 0.25]), Array(0.9))
    for attrs in ({}, {"gradient_scale": 0.5}, {"use_nesterov": True}):
        yield Trial(f"function/ApplyMomentum/{attrs}", "ApplyMomentum", state, attrs, attrs)
    wrong = (*state[:3], Array([1, 2]), state[4])
    yield Trial("function/ApplyMomentum/shapes", "ApplyMomentum", wrong)


def complexes() -> Iterator[Trial]:
    for dtype in ("complex64", "complex128"):
        x, y = Array([1 + 2j, -0.5j, 3 - 1j], dtype), Array([2 - 1j, 1j, -1.5 + 0j], dtype)
        for name in ("Add", "Sub", "Mul", "Div", "Equal", "NotEqual"):
            yield Trial(f"complex/{name}/{dtype}", name, (x, y))
        for name in ("Neg", "Square", "Reciprocal", "ZerosLike", "OnesLike"):
            yield Trial(f"complex/{name}/{dtype}", name, (x,))
        for target in ("complex64", "complex128", "float32", "int32", "bool_"):
            attrs = {"dtype": DTypeName(target)}
            yield Trial(f"complex/Cast/{dtype} {target}", "Cast", (x,), attrs, {}, (x, DTypeName(target)))


NUMBERS: Mapping[str, Any] = {"True": True, "2": 2, "-1": -1, "2.5": 2.5}
"""Python numbers that are put beside tensors of every element type."""
