"""How operators are declared: combinators that fill in what the operators of a family share, so that most declarations are one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, broadcast, normalize_axes
from mindspore.base.symbolic import integer
from mindspore.ir.operator import NotDifferentiable, Operator, register
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Elementwise, Reduce
from mindspore.primitives.samples import BINARY, UNARY, Case, Domain, Samples, Wrong

BOOL = (dt.bool_,)
EVERY_REAL = (dt.bool_, *dt.REAL)
FLOATS_AND_COMPLEX = (*dt.FLOATS, *dt.COMPLEX)
STEP = NotDifferentiable("piecewise constant: the derivative is zero wherever there is one")
DISCRETE = NotDifferentiable("the result is not a floating-point number")
Rule = Callable[..., Any]


def snake(name: str) -> str:
    """``ReduceSum`` -> ``reduce_sum``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def operator(name: str, inputs: str, function: str = "", attrs: dict[str, Any] | None = None, **facts: Any) -> Operator:
    """Register one operator; `inputs` are names separated by commas, `facts` the remaining fields of `Operator`."""
    names = tuple(i.strip() for i in inputs.split(",")) if inputs else ()
    return register(Operator(name, function or snake(name), names, attrs=MappingProxyType(attrs or {}), **facts))


def check_dtype(op: str, argument: str, given: TensorType, allowed: Sequence[DType]) -> None:
    """TypeError naming operator, argument, expected and got, when the element type is not allowed."""
    if given.dtype not in allowed:
        names = ", ".join(str(t) for t in allowed)
        raise TypeError(f"{op}: argument {argument!r} must have one of the element types {names}, but got {given}.")


def check_same_dtype(op: str, names: Sequence[str], types: Sequence[TensorType]) -> None:
    """TypeError when element types differ."""
    for name, each in zip(names, types, strict=True):
        if each.dtype is not types[0].dtype:
            raise TypeError(
                f"{op}: arguments {names[0]!r} and {name!r} must have the same element type, but got {types[0]} and {each}; "
                f"convert one with cast."
            )


def check_rank(op: str, argument: str, given: TensorType, least: int, most: int | None = None) -> None:
    """ValueError when the number of dimensions is out of range."""
    if given.rank < least or (most is not None and given.rank > most):
        wanted = f"{least}" if most == least else f"at least {least}" if most is None else f"{least} to {most}"
        raise ValueError(f"{op}: argument {argument!r} must have {wanted} dimension(s), but got {given}.")


def check_sizes(op: str, attribute: str, given: Any) -> Shape:
    """`given` as a tuple of ints; TypeError for anything else."""
    if not isinstance(given, tuple | list) or not all(hasattr(d, "__index__") for d in given):
        raise TypeError(f"{op}: attribute {attribute!r} must be a tuple of ints, but got {given!r}.")
    return tuple(integer(d) for d in given)


def broadcast_shape(op: str, names: Sequence[str], types: Sequence[TensorType]) -> Shape:
    """The common shape; ValueError names the arguments and their shapes."""
    try:
        return broadcast(*[t.shape for t in types])
    except ValueError:
        # Without element types: these are promoted already, and not what the caller gave.
        listed = " and ".join(f"{n!r} {list(t.shape)}" for n, t in zip(names, types, strict=True))
        raise ValueError(
            f"{op}: the shapes of {listed} do not broadcast: counted from the last, dimensions must be equal or 1."
        ) from None


def wide(function: Rule) -> Rule:
    """A numpy function that computes half-precision arguments in float32 and rounds the result once, as kernels do."""

    def run(*arrays: Any, **attrs: Any) -> Any:
        half = next((a.dtype for a in arrays if a.dtype.itemsize == 2 and a.dtype.kind not in "iub"), None)
        if half is None:
            return function(*arrays, **attrs)
        result = function(*[a.astype(np.float32) if a.dtype == half else a for a in arrays], **attrs)
        return result.astype(half) if result.dtype == np.float32 else result

    return run


def quiet(function: Rule) -> Rule:
    """A reference without numpy's warnings: NaN and infinity are values here."""

    def run(*arrays: Any, **attrs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arrays, **attrs)

    return run


def unary(
    name: str,
    body: str | Rule,
    reference: Rule,
    gradient: Rule | NotDifferentiable,
    *,
    function: str = "",
    dtypes: Sequence[DType] = dt.REAL,
    result: DType | None = None,
    promote: str | None = None,
    attrs: dict[str, Any] | None = None,
    domain: Domain | None = None,
    trials: tuple[Case, ...] = UNARY,
    check: Callable[..., None] | None = None,
    doc: str = "",
) -> Operator:
    """An element-wise operator of one input; `gradient` is ``(b, x, out, d, **attrs) -> gradient``, `body` a scalar operation or a body.

    `check` refuses values of attributes.
    """

    def infer(x: TensorType, **given: Any) -> TensorType:
        check_dtype(name, "x", x, dtypes)
        if check is not None:
            check(**given)
        return TensorType(result or x.dtype, x.shape)

    rule = (
        gradient
        if isinstance(gradient, NotDifferentiable)
        else real_gradient(name, lambda *a, **k: (gradient(*a, **k),))
    )
    # Bool is promoted where integers are.
    refused_types = [t for t in (dt.complex64, dt.bool_) if t not in dtypes and (promote is None or t.is_complex)]
    refused = tuple(Wrong(((2,),), TypeError, (name, "'x'", str(t)), (t,)) for t in refused_types)
    samples = Samples(trials, (domain or Domain(),), specials=True, wrong=refused)
    return operator(
        name, "x", function, attrs, infer=infer, reference=quiet(wide(reference)), gradient=rule, promote=promote,
        compute=Elementwise(_body(body)), dtypes=tuple(dtypes), samples=samples, doc=doc,
    )  # fmt: skip


def floating(
    name: str, reference: Rule, gradient: Rule, *, function: str = "", domain: Domain | None = None
) -> Operator:
    """A real function of floating numbers whose scalar operation has its function name; integers become float32 first."""
    return unary(
        name, function or snake(name), reference, gradient,
        function=function, dtypes=dt.FLOATS, promote="float", domain=domain,
    )  # fmt: skip


def binary(
    name: str,
    body: str | Rule,
    reference: Rule,
    gradient: tuple[Rule | None, Rule | None] | NotDifferentiable,
    *,
    function: str = "",
    dtypes: Sequence[DType] = dt.REAL,
    result: DType | None = None,
    promote: str | None = "same",
    domains: tuple[Domain, ...] = (Domain(),),
    doc: str = "",
) -> Operator:
    """An element-wise operator of two broadcast inputs; `gradient`: one ``(b, x, y, out, d)`` per input, summed to the input's shape."""

    def infer(x: TensorType, y: TensorType) -> TensorType:
        check_dtype(name, "x", x, dtypes)
        check_dtype(name, "y", y, dtypes)
        if promote is not None:
            check_same_dtype(name, ("x", "y"), (x, y))
        return TensorType(result or x.dtype, broadcast_shape(name, ("x", "y"), (x, y)))

    rule = gradient if isinstance(gradient, NotDifferentiable) else real_gradient(name, elementwise_gradient(*gradient))
    wrong = (Wrong(((2,), (3,)), ValueError, (name, "'x'", "'y'", "[2]", "[3]"), (dtypes[-1], dtypes[-1])),)
    return operator(
        name, "x, y", function, infer=infer, reference=quiet(wide(reference)), gradient=rule, promote=promote,
        compute=Elementwise(_body(body)), dtypes=tuple(dtypes), doc=doc,
        samples=Samples(BINARY, domains, broadcast=True, specials=True, wrong=wrong),
    )  # fmt: skip


def compare(name: str, scalar: str, reference: Rule, dtypes: Sequence[DType] = EVERY_REAL) -> Operator:
    """A comparison of two broadcast inputs; gives Bool."""
    return binary(name, scalar, reference, DISCRETE, dtypes=dtypes, result=dt.bool_)


def logical(name: str, scalar: str, reference: Rule) -> Operator:
    """A truth function of two inputs; numbers other than zero are true."""

    def body(s: Any, x: Any, y: Any) -> Any:
        return getattr(s, scalar)(truth(s, x), truth(s, y))

    return binary(name, body, reference, DISCRETE, dtypes=EVERY_REAL, result=dt.bool_, promote=None)


def truth(s: Any, x: Any) -> Any:
    """The expression that is true where `x` is not zero."""
    return x if x.dtype is dt.bool_ else s.ne(x, 0)


def _body(body: str | Rule) -> Rule:
    if not isinstance(body, str):
        return body
    return lambda s, *operands, **_: getattr(s, body)(*operands)


def real_gradient(name: str, rule: Rule) -> Rule:
    """`rule` for real inputs; a TypeError for complex ones, whose derivatives would need conjugates."""

    def gradient(b: Any, x: Any, *rest: Any, **attrs: Any) -> Any:
        if b.dtype(x).is_complex:
            raise TypeError(f"{name}: gradients are defined for real tensors, but argument 'x' has type {b.dtype(x)}.")
        return rule(b, x, *rest, **attrs)

    return gradient


def elementwise_gradient(*rules: Rule | None) -> Rule:
    """The gradient of a broadcasting operator: each rule is ``(b, *inputs, out, d, **attrs)``; None is zero."""

    def gradient(b: Any, *args: Any, **attrs: Any) -> tuple[Any, ...]:
        inputs = args[: len(rules)]
        parts = [None if rule is None else rule(b, *args, **attrs) for rule in rules]
        return tuple(
            None if part is None else b.sum_to(part, b.shape(given)) for part, given in zip(parts, inputs, strict=True)
        )

    return gradient


def reduced_shape(op: str, x: TensorType, axis: Any, keep_dims: bool) -> Shape:
    """The shape after folding `axis`; ValueError names the operator and the allowed range."""
    try:
        axes = normalize_axes(axis, x.rank)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{op}: attribute 'axis' does not fit argument 'x' {x}: {error}.") from None
    if keep_dims:
        return tuple(1 if i in axes else d for i, d in enumerate(x.shape))
    return tuple(d for i, d in enumerate(x.shape) if i not in axes)


def kept_shape(b: Any, x: Any, axis: Any) -> Shape:
    """The shape of a reduction of `x` with its dimensions kept as 1."""
    shape = b.shape(x)
    axes = normalize_axes(axis, len(shape))
    return tuple(1 if i in axes else d for i, d in enumerate(shape))


def reduction_trials(**attrs: Any) -> tuple[Case, ...]:
    """Shapes and axes on which reductions are tried."""
    shapes_and_axes: tuple[tuple[Shape, Any], ...] = (
        ((), ()), ((5,), ()), ((5,), 0), ((2, 3), -1), ((2, 3), (0,)), ((2, 3, 4), (0, 2)), ((2, 3, 4), 1),
        ((2, 3, 4), ()), ((3, 1, 2), (1, 2)), ((3, 33), 1), ((33, 3), 0), ((300,), ()),
    )  # fmt: skip
    return tuple(
        Case((shape,), {"axis": axis, "keep_dims": keep, **attrs})
        for shape, axis in shapes_and_axes
        for keep in (False, True)
    )


def empty_reduction_trials() -> tuple[Case, ...]:
    return tuple(Case((s,), {"axis": a, "keep_dims": False}) for s, a in (((0,), ()), ((2, 0, 3), 1), ((0, 3), 1)))


def reduction(
    name: str,
    kind: str | Rule,
    reference: Rule,
    gradient: Rule | NotDifferentiable,
    *,
    dtypes: Sequence[DType] = dt.REAL,
    result: DType | None = None,
    empty: bool = True,
    domain: Domain | None = None,
    doc: str = "",
) -> Operator:
    """A fold over attribute ``axis`` (an int or several; ``()`` and None mean all); `kind` is that of `compute.Reduce` or an expansion.

    `gradient` is ``(b, x, kept out, kept d, axis) -> gradient``, where kept means with the folded dimensions as 1.
    """

    def infer(x: TensorType, axis: Any, keep_dims: bool) -> TensorType:
        check_dtype(name, "x", x, dtypes)
        return TensorType(result or x.dtype, reduced_shape(name, x, axis, keep_dims))

    def rule(b: Any, x: Any, out: Any, d: Any, axis: Any, keep_dims: bool) -> tuple[Any]:
        kept = kept_shape(b, x, axis)
        out, d = (v if keep_dims else b.reshape(v, shape=kept) for v in (out, d))
        return (gradient(b, x, out, d, axis),)  # type: ignore[operator]

    def fold(x: Any, axis: Any, keep_dims: bool) -> Any:
        axes = normalize_axes(axis, x.ndim)
        return np.asarray(reference(x, axis=axes, keepdims=keep_dims))

    how = {"compute": Reduce(kind)} if isinstance(kind, str) else {"expand": kind}
    wrong = (Wrong(((2, 3),), ValueError, (name, "axis", "2"), (dtypes[-1],), {"axis": 2}),)
    return operator(
        name, "x", attrs={"axis": (), "keep_dims": False}, infer=infer, reference=quiet(wide(fold)),
        gradient=gradient if isinstance(gradient, NotDifferentiable) else rule, dtypes=tuple(dtypes), doc=doc,
        samples=Samples(
            reduction_trials() + (empty_reduction_trials() if empty else ()), (domain or Domain(),),
            specials=True, wrong=wrong,
        ),
        call=("x", "axis"), **how,
    )  # fmt: skip
