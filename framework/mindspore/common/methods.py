"""What tensors can do: fills the tables of `base.protocols`, which graph mode reads, and puts the same functions on `Tensor`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mindspore import _native
from mindspore.base import dtypes as dt
from mindspore.base.protocols import tensor_classes, tensor_methods, tensor_operators, tensor_properties
from mindspore.common import changes, choosing, counts, matrices, measures, products, special, statistics
from mindspore.common import functions as f
from mindspore.common.dtype import pytype_to_dtype
from mindspore.common.eager import comparison, function
from mindspore.common.hook_handle import register_hook
from mindspore.common.indexing import (
    getitem,
    graph_getitem,
    graph_masked_region,
    graph_masked_value,
    graph_masked_write,
    graph_setitem,
    setitem,
)
from mindspore.common.tensor_class import Tensor, from_numpy, tensor
from mindspore.ir.operator import find

__all__ = ["Tensor", "from_numpy", "tensor", "tensor_methods"]

_SAME_NAME = (
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "cos", "cosh", "div", "equal",
    "erf", "erfc", "exp", "expm1", "floor", "floor_div", "greater", "greater_equal", "invert", "isfinite", "isinf", "isnan",
    "less", "less_equal", "log", "log1p", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum",
    "mul", "neg", "not_equal", "pow", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt", "square",
    "sub", "tan", "tanh", "trunc",
)  # fmt: skip
"""Methods that are one operator of the same name."""

_ALIASES: Mapping[str, str] = {
    "absolute": "abs", "negative": "neg", "multiply": "mul", "subtract": "sub", "divide": "div", "true_divide": "div",
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "floor_divide": "floor_div",
}  # fmt: skip


def _astype(self: Any, dtype: Any, copy: bool = True) -> Any:
    """The values as another element type: ``mindspore.float32``, a numpy type, or their name; always a copy unless `copy` is False."""
    target = pytype_to_dtype(dtype)
    if self.dtype is not target:
        return f.cast(self, target)
    return self.copy() if copy else self


_identity = function("identity")
_full = function("full")


def _copy(self: Tensor) -> Any:
    """A tensor with the same values in memory of its own."""
    made = _native.TensorBase.copy(self)
    tape = _native.get_tape()
    if tape is not None:
        tape.append((_identity, (self,), made))
    return made


def _to(self: Any, dtype: Any) -> Any:
    """The values as another element type."""
    return f.cast(self, dtype)


def _max(self: Any, axis: Any = None, keepdims: bool = False, *, return_indices: bool = False) -> Any:
    """The largest element over `axis`, all dimensions when None; with `return_indices` the positions along one `axis` beside it."""
    return f.max(self, axis, keepdims) if return_indices else f.amax(self, axis, keepdims)


def _min(self: Any, axis: Any = None, keepdims: bool = False, *, return_indices: bool = False) -> Any:
    """The smallest element over `axis`, all dimensions when None; with `return_indices` the positions along one `axis` beside it."""
    return f.min(self, axis, keepdims) if return_indices else f.amin(self, axis, keepdims)


def value(self: Any) -> Any:
    """The tensor itself; of a Parameter, its values as a tensor that shares its memory."""
    return self


def _fill(self: Any, value: Any) -> Any:
    """A tensor of the same shape and type with one value."""
    return _full(self.shape, value, self.dtype)


def _reversed_axes(self: Any) -> Any:
    """The dimensions in reverse order."""
    return self if self.ndim < 2 else f.transpose(self)


def _as_float(self: Any) -> Any:
    """As float32."""
    return f.cast(self, dt.float32)


def _as_half(self: Any) -> Any:
    """As float16."""
    return f.cast(self, dt.float16)


def _as_double(self: Any) -> Any:
    """As float64."""
    return f.cast(self, dt.float64)


def _as_int(self: Any) -> Any:
    """As int32."""
    return f.cast(self, dt.int32)


def _as_long(self: Any) -> Any:
    """As int64."""
    return f.cast(self, dt.int64)


def _as_bool(self: Any) -> Any:
    """As bool_: whether each element is not zero."""
    return f.cast(self, dt.bool_)


_CHOOSING: Mapping[str, Callable[..., Any]] = {
    "addbmm": products.addbmm, "addmm": matrices.addmm, "addmv": products.addmv, "addr": products.addr,
    "amax": f.amax, "amin": f.amin, "argsort": measures.argsort, "argwhere": choosing.nonzero,
    "baddbmm": matrices.baddbmm, "bfloat16": changes.as_bfloat16, "bmm": function("BatchMatMul"), "byte": changes.as_byte,
    "chunk": choosing.chunk,
    "count_nonzero": measures.count_nonzero, "cumprod": measures.cumprod, "cumsum": measures.cumsum, "diag": matrices.diag,
    "diagonal": matrices.diagonal, "dot": matrices.dot, "dsplit": matrices.dsplit, "expand_as": choosing.expand_as, "flip": choosing.flip,
    "fliplr": matrices.fliplr, "flipud": matrices.flipud, "gather": choosing.tensor_gather,
    "gather_elements": choosing.gather_elements, "gather_nd": function("gather_nd"), "ger": products.ger, "hsplit": matrices.hsplit,
    "index_add": choosing.tensor_index_add, "index_fill": choosing.index_fill, "index_put": changes.index_put,
    "index_select": choosing.index_select, "inner": products.inner, "isclose": measures.isclose, "item": changes.graph_item,
    "logsumexp": measures.logsumexp, "masked_select": choosing.masked_select, "mm": f.matmul, "moveaxis": matrices.movedim,
    "movedim": matrices.movedim,
    "nan_to_num": measures.nan_to_num, "nansum": measures.nansum, "narrow": choosing.narrow,
    "new_full": changes.new_full, "new_ones": changes.new_ones,
    "new_zeros": changes.new_zeros, "nonzero": choosing.nonzero, "norm": measures.norm, "outer": matrices.outer,
    "ptp": measures.ptp, "repeat": choosing.repeat, "repeat_interleave": choosing.repeat_interleave,
    "reshape_as": choosing.view_as, "roll": choosing.roll, "rot90": matrices.rot90, "scatter": choosing.scatter,
    "scatter_add": choosing.tensor_scatter_add, "select": matrices.select_slice, "short": changes.as_short, "sort": measures.sort,
    "swapdims": f.swapaxes, "t": matrices.t, "take": choosing.tensor_take, "tensor_split": choosing.tensor_split,
    "topk": measures.topk, "trace": matrices.trace, "tril": matrices.tril, "triu": matrices.triu, "type_as": changes.type_as,
    "unbind": f.unstack, "view_as": choosing.view_as, "vsplit": matrices.vsplit,
}  # fmt: skip

_WRITTEN: Mapping[str, Callable[..., Any]] = {
    "all": f.all, "any": f.any, "argmax": f.tensor_argmax, "argmin": f.argmin, "astype": _astype, "bool": _as_bool,
    "broadcast_to": f.broadcast_to, "clamp": f.clamp, "clip": f.clamp, "double": _as_double, "expand": f.expand,
    "expand_dims": f.expand_dims, "fill": _fill, "flatten": f.tensor_flatten, "float": _as_float, "half": _as_half, "int": _as_int,
    "long": _as_long, "masked_fill": f.masked_fill, "matmul": f.matmul, "max": _max, "mean": f.mean, "min": _min,
    "permute": f.transpose, "prod": f.prod, "ravel": f.ravel, "reshape": f.view, "softmax": f.softmax, "split": f.split,
    "squeeze": f.squeeze, "std": f.std, "sum": f.tensor_sum, "swapaxes": f.swapaxes, "tile": f.tile, "to": _to,
    "transpose": f.transpose, "type": _to, "unsqueeze": f.expand_dims, "value": value, "var": f.var, "view": f.view,
    "where": f.tensor_where,
}  # fmt: skip

_OPERATORS: Mapping[str, tuple[str, str]] = {
    "+": ("add", "add"), "-": ("sub", "sub"), "*": ("mul", "mul"), "/": ("truediv", "div"), "//": ("floordiv", "floor_div"),
    "%": ("mod", "floor_mod"), "**": ("pow", "pow"), "<": ("lt", "less"), "<=": ("le", "less_equal"), ">": ("gt", "greater"),
    ">=": ("ge", "greater_equal"), "unary -": ("neg", "neg"), "abs": ("abs", "abs"),
    "&": ("and", "bitwise_and"), "|": ("or", "bitwise_or"), "^": ("xor", "bitwise_xor"), "unary ~": ("invert", "logical_not"),
}  # fmt: skip
"""Python's operator: the native slot and the function."""


def _positive(self: Any) -> Any:
    """The tensor itself."""
    return self


def _tolist(self: Any) -> Any:
    """The elements as nested lists: of 0-d tensors where they are known only at run time."""
    return [_tolist(each) for each in self] if self.ndim else self.item()


def _register() -> None:
    tensor_methods.update({name: function(name) for name in _SAME_NAME})
    tensor_methods.update({name: function(target) for name, target in _ALIASES.items()})
    tensor_methods.update({name: function(target) for name, target in special.OPERATORS.items()})
    tensor_methods.update({**special.METHODS, **statistics.METHODS, **counts.METHODS, **_WRITTEN, **_CHOOSING})
    tensor_methods["copy"] = tensor_methods["clone"] = _identity
    in_memory = {
        "copy": _copy,
        "clone": _copy,
        "item": changes.item,
        "itemset": changes.itemset,
        "stride": changes.stride,
    }
    tensor_methods["tolist"] = _tolist
    tensor_methods["register_hook"] = register_hook
    for name, written in {**in_memory, **changes.IN_PLACE}.items():
        setattr(Tensor, name, written)
    tensor_classes["Tensor"] = Tensor
    tensor_properties["T"] = _reversed_axes
    tensor_properties["mT"] = matrices.transposed_matrices
    for symbol, (slot, name) in _OPERATORS.items():
        tensor_operators[symbol] = function(name)
        _native.set_operator(slot, function(name))
    for symbol, slot, name in (("==", "eq", "equal"), ("!=", "ne", "not_equal")):
        tensor_operators[symbol] = function(name)
        _native.set_operator(slot, comparison(find(name), slot == "ne"))
    for symbol, slot, meaning in (("@", "matmul", f.matmul), ("unary +", "pos", _positive)):
        tensor_operators[symbol] = meaning
        _native.set_operator(slot, meaning)
    tensor_operators["getitem"] = graph_getitem
    tensor_operators["setitem"] = graph_setitem
    tensor_operators["masked region"] = graph_masked_region
    tensor_operators["masked value"] = graph_masked_value
    tensor_operators["masked write"] = graph_masked_write
    _native.set_operator("getitem", getitem)


def _put_on_class() -> None:
    for name, meaning in tensor_methods.items():
        if name not in vars(Tensor):
            setattr(Tensor, name, meaning)
    for name, meaning in tensor_properties.items():
        setattr(Tensor, name, property(meaning))
    setattr(Tensor, "__setitem__", setitem)  # noqa: B010 -- the class is complete only here
    setattr(Tensor, "__round__", function("round"))  # noqa: B010


_register()
_put_on_class()
