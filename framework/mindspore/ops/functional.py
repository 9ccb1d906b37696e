"""``ops.functional`` (F): functions with MindSpore's names and signatures; those that are one operator are made from its declaration."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import choosing, counts, matrices, measures, products, special, statistics
from mindspore.common import functions as f
from mindspore.common.batching import vmap
from mindspore.common.directional import jvp, vjp
from mindspore.common.eager import eager_op, function
from mindspore.common.gradients import GradOperation, get_grad, grad, value_and_grad
from mindspore.common.jacobians import jacfwd, jacrev
from mindspore.common.methods import Tensor
from mindspore.common.state import assign, assign_add, assign_sub
from mindspore.common.taylor import derivative, jet
from mindspore.ir.operator import all_operators
from mindspore.ops import (
    activations,
    adaptive,
    attention,
    binary_losses,
    blocks,
    channel_dropout,
    clip,
    conversions,
    convolving,
    layers,
    losses,
    margin_losses,
    padding,
    pooling,
    random,
    resizing,
    sampling,
    sums_of_products,
    updates,
    values,
)
from mindspore.ops.debug import print_
from mindspore.primitives.compute import Update

_INTERNAL = frozenset(
    {
        "argmax_index", "argmin_index", "avg_pool",
        "conv2d_backprop_filter", "conv2d_backprop_input", "conv3d_backprop_filter", "conv3d_backprop_input",
        "cum_prod", "cum_sum", "flash_attention", "gather_strided", "iota",
        "linear_recurrence", "max_pool", "max_pool_grad", "philox_uniform", "plane_convolution",
        "plane_filter", "rotate", "row_sums", "running_log_sum", "running_max",
        "running_min", "running_product", "running_sum", "scatter_rows", "scatter_strided", "search_positions", "sort_positions",
        "sparse_gather_v2",
        "strided_products", "strided_slice_grad", "top_k", "window_index", "window_max", "window_place",
        "window_spread", "window_sum", "window_take",
    }
)  # fmt: skip

_full = function("full")
_arange = function("arange")
_eye = function("eye")
_one_hot = function("one_hot")
_div = function("div")
_floor = function("floor")
_truncate_div = function("truncate_div")
_floor_div = function("floor_div")
_gelu = function("gelu")
_concat = function("concat")
_stack = function("stack")
_cast = function("cast")
_softplus = function("softplus")
_select = function("select")
_matmul = function("MatMul")
_add = function("add")


def _sizes(shape: Any) -> Any:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def ones(shape: Any, dtype: Any = None) -> Any:
    """Ones.

    Args:
        shape: an int or a tuple of ints that are not negative.
        dtype: the element type; float32 when None.

    Examples:
        >>> from mindspore import ops
        >>> print(ops.ones((2, 2)))
        [[1. 1.]
         [1. 1.]]
    """
    return _full(_sizes(shape), 1, dt.float32 if dtype is None else dtype)


def zeros(size: Any, dtype: Any = None) -> Any:
    """Zeros.

    Args:
        size: an int or a tuple of ints that are not negative.
        dtype: the element type; float32 when None.

    Examples:
        >>> from mindspore import ops
        >>> print(ops.zeros(2))
        [0. 0.]
    """
    return _full(_sizes(size), 0, dt.float32 if dtype is None else dtype)


def full(size: Any, fill_value: Any, *, dtype: Any = None) -> Any:
    """One value.

    Args:
        size: an int or a tuple of ints that are not negative.
        fill_value: a number.
        dtype: the element type; when None int64 for an int, bool_ for a bool, float32 for a float.

    Raises:
        TypeError: `fill_value` is no number, or `dtype` no element type.
        ValueError: a negative size.

    Examples:
        >>> from mindspore import ops
        >>> print(ops.full((2,), 7))
        [7 7]
    """
    return _full(_sizes(size), fill_value, _number_type(fill_value) if dtype is None else dtype)


def _number_type(value: Any) -> Any:
    if isinstance(value, bool):
        return dt.bool_
    return dt.int64 if isinstance(value, int) else dt.float32


def ones_like(input: Any, *, dtype: Any = None) -> Any:
    """Ones of the shape of a tensor.

    Args:
        input: a Tensor.
        dtype: the element type; that of `input` when None.

    Raises:
        TypeError: `input` is no Tensor.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.ones_like(Tensor([5, 6])))
        [1 1]
    """
    f.needs_tensor("ones_like", "input", input)
    return _full(input.shape, 1, input.dtype if dtype is None else dtype)


def zeros_like(input: Any, *, dtype: Any = None) -> Any:
    """Zeros of the shape of a tensor.

    Args:
        input: a Tensor.
        dtype: the element type; that of `input` when None.

    Raises:
        TypeError: `input` is no Tensor.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.zeros_like(Tensor([5, 6])))
        [0 0]
    """
    f.needs_tensor("zeros_like", "input", input)
    return _full(input.shape, 0, input.dtype if dtype is None else dtype)


def full_like(input: Any, fill_value: Any, *, dtype: Any = None) -> Any:
    """One value in the shape of `input`."""
    f.needs_tensor("full_like", "input", input)
    return _full(input.shape, fill_value, input.dtype if dtype is None else dtype)


def arange(start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None) -> Any:
    """The numbers ``start, start + step, ...`` below `end`.

    Args:
        start: the first number; with one argument this is `end`, and the first number 0.
        end: where to stop, not included.
        step: the difference, not 0; with a negative one the numbers fall.
        dtype: the element type; when None int64 if all three are ints, else float32.

    Raises:
        TypeError: an argument is no number.
        ValueError: `step` is 0.

    Examples:
        >>> from mindspore import ops
        >>> print(ops.arange(1, 7, 2))
        [1 3 5]
    """
    first, stop = (0, start) if end is None else (start, end)
    whole = isinstance(first, int) and isinstance(stop, int) and isinstance(step, int)
    return _arange(first, stop, step, (dt.int64 if whole else dt.float32) if dtype is None else dtype)


def eye(n: int, m: Any = None, dtype: Any = None) -> Any:
    """Ones on the diagonal of an (n, m) matrix."""
    return _eye(n, m, dt.float32 if dtype is None else dtype)


def one_hot(indices: Any, depth: int, on_value: Any = 1, off_value: Any = 0, axis: int = -1) -> Any:
    """A new dimension in which the place that an index names has `on_value`, and all others `off_value`.

    Args:
        indices: a Tensor of int32, int64 or uint8.
        depth: the size of the new dimension. An index outside of ``[0, depth)`` names no place.
        on_value, off_value: numbers or Tensors of one element.
        axis: where the new dimension stands; -1 is the last.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.one_hot(Tensor([0, 2]), 3, 1.0, 0.0))
        [[1. 0. 0.]
         [0. 0. 1.]]
    """
    return _one_hot(indices, on_value, off_value, depth, axis)


def concat(tensors: Any, axis: int = 0) -> Any:
    """The tensors behind each other.

    Args:
        tensors: a tuple or list of Tensors whose sizes agree but along `axis`; mixed element types become their common one.
        axis: the dimension along which they follow each other.

    Raises:
        TypeError: `tensors` is no tuple or list.
        ValueError: it is empty, or the sizes disagree.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.concat((Tensor([1, 2]), Tensor([3]))))
        [1 2 3]
    """
    return _concat(tensors, axis)


def stack(tensors: Any, axis: int = 0) -> Any:
    """The tensors side by side along a new dimension.

    Args:
        tensors: a tuple or list of Tensors of one shape.
        axis: where the new dimension stands in the result.

    Raises:
        ValueError: the shapes differ, or `axis` is out of range.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.stack((Tensor([1, 2]), Tensor([3, 4])), axis=1))
        [[1 3]
         [2 4]]
    """
    return _stack(tensors, axis)


def div(input: Any, other: Any, *, rounding_mode: Any = None) -> Any:
    """The quotient; `rounding_mode` "floor" or "trunc" rounds it."""
    if rounding_mode is None:
        return _div(input, other)
    if rounding_mode == "floor":
        return _floor_div(input, other)
    if rounding_mode == "trunc":
        return _truncate_div(input, other)
    raise ValueError(f"For 'div', 'rounding_mode' must be None, 'floor' or 'trunc', but got {rounding_mode}.")


def gelu(input: Any, approximate: str = "none") -> Any:
    """Gaussian error linear unit: exact for "none", or by the "tanh" approximation."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"For 'gelu', 'approximate' must be 'none' or 'tanh', but got {approximate!r}.")
    return _gelu(input, approximate)


def softplus(input: Any, beta: Any = 1, threshold: Any = 20) -> Any:
    """``log(1 + exp(beta * x)) / beta``; the input itself where ``beta * x`` is above `threshold`."""
    scaled = input * beta
    return _select(scaled > threshold, input, _softplus(scaled) / beta)


def dense(input: Any, weight: Any, bias: Any = None) -> Any:
    """``input @ weight.T + bias`` over the last dimension."""
    f.needs_tensor("dense", "input", input)
    rows = input if input.ndim == 2 else f.view(input, -1, input.shape[-1])
    result = _matmul(rows, weight, False, True)
    shaped = result if input.ndim == 2 else f.view(result, (*input.shape[:-1], weight.shape[0]))
    return shaped if bias is None else _add(shaped, bias)


def shape(input_x: Any) -> Any:
    """The sizes of the dimensions.

    Args:
        input_x: a Tensor.

    Returns:
        A tuple of ints.

    Raises:
        TypeError: `input_x` is no Tensor.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> ops.shape(Tensor([[1, 2, 3]]))
        (1, 3)
    """
    f.needs_tensor("shape", "input_x", input_x)
    return input_x.shape


def size(input_x: Any) -> Any:
    """The number of elements."""
    f.needs_tensor("size", "input_x", input_x)
    return input_x.size


def rank(input_x: Any) -> Any:
    """The number of dimensions."""
    f.needs_tensor("rank", "input_x", input_x)
    return input_x.ndim


def dtype(x: Any) -> Any:
    """The element type."""
    f.needs_tensor("dtype", "x", x)
    return x.dtype


def transpose(input: Any, dims: Any) -> Any:
    """The dimensions in another order.

    Args:
        input: a Tensor.
        dims: a tuple that names every dimension once; dimension i of the result is dimension ``dims[i]`` of `input`.

    Raises:
        ValueError: `dims` does not name every dimension once.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> ops.transpose(ops.ones((2, 3, 4)), (2, 0, 1)).shape
        (4, 2, 3)
    """
    return f.transpose(input, dims)


def permute(input: Any, axis: Any) -> Any:
    """The dimensions in the order `axis`."""
    return f.transpose(input, axis)


def unsqueeze(input: Any, dim: int) -> Any:
    """With a new dimension of size 1."""
    return f.expand_dims(input, dim)


def unbind(input: Any, dim: int = 0) -> Any:
    """The slices along `dim`, without it, as a tuple."""
    return f.unstack(input, dim)


def partial(func: Any, *args: Any) -> Any:
    """`func` with its first arguments fixed to `args`."""
    if not callable(func):
        raise TypeError(f"For 'partial', the first argument must be a function, but got {func!r}.")
    return functools.partial(func, *args)


def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


_WRITTEN: Mapping[str, Any] = {
    "batch_norm": layers.batch_norm, "layer_norm": layers.layer_norm, "all": f.all, "amax": f.amax,
    "amin": f.amin, "any": f.any, "arange": arange, "argmax": f.argmax, "argmin": f.argmin, "assign": assign,
    "assign_add": assign_add, "assign_sub": assign_sub, "bmm": function("BatchMatMul"), "broadcast_to": f.broadcast_to,
    "cast": f.cast, "cat": concat, "clamp": f.clamp, "clip": f.clamp, "clip_by_global_norm": clip.clip_by_global_norm,
    "clip_by_value": clip.clip_by_value, "concat": concat, "cross_entropy": losses.cross_entropy, "dense": dense,
    "div": div, "dropout": random.dropout, "dtype": dtype, "expand_dims": f.expand_dims, "eye": eye,
    "flatten": f.flatten,
    "full": full, "full_like": full_like, "gelu": gelu, "hardsigmoid": function("hsigmoid"),
    "hardswish": function("hswish"), "is_tensor": is_tensor, "l1_loss": losses.l1_loss, "logsumexp": measures.logsumexp,
    "masked_fill": f.masked_fill, "matmul": f.matmul, "max": f.max, "mean": f.mean, "min": f.min,
    "mse_loss": losses.mse_loss, "nansum": measures.nansum, "dot": matrices.dot, "nll_loss": losses.nll_loss, "one_hot": one_hot,
    "ones": ones, "ones_like": ones_like,
    "partial": partial, "permute": permute, "print_": print_, "prod": f.prod, "rank": rank, "reshape": f.reshape,
    "shape": shape,    "size": size, "softmax": f.softmax, "softplus": softplus, "split": f.split, "squeeze": f.squeeze, "stack": stack,
    "std": f.std, "sum": f.sum, "swapaxes": f.swapaxes, "tile": f.tile, "transpose": transpose, "unbind": unbind,
    "unsqueeze": unsqueeze, "unstack": f.unstack, "var": f.var, "where": f.where, "zeros": zeros, "zeros_like": zeros_like,
}  # fmt: skip

_CHOOSING: Mapping[str, Any] = {
    "argsort": measures.argsort, "chunk": choosing.chunk, "count_nonzero": measures.count_nonzero,
    "cumprod": measures.cumprod, "cumsum": measures.cumsum, "diag": matrices.diag, "diagonal": matrices.diagonal,
    "dsplit": matrices.dsplit, "embedding": updates.embedding, "flip": choosing.flip, "fliplr": matrices.fliplr,
    "flipud": matrices.flipud, "gather_d": choosing.gather_elements, "gather_elements": choosing.gather_elements,
    "hsplit": matrices.hsplit, "index_add": updates.index_add, "index_fill": choosing.index_fill,
    "index_select": choosing.index_select, "isclose": measures.isclose, "masked_select": choosing.masked_select,
    "meshgrid": matrices.meshgrid, "mm": f.matmul, "moveaxis": matrices.movedim, "movedim": matrices.movedim,
    "nan_to_num": measures.nan_to_num, "narrow": choosing.narrow, "nonzero": choosing.nonzero, "norm": measures.norm,
    "range": updates.range, "repeat_elements": updates.repeat_elements,
    "repeat_interleave": choosing.repeat_interleave, "roll": choosing.roll, "rot90": matrices.rot90, "scatter": choosing.scatter,
    "slice": updates.slice, "sort": measures.sort, "strided_slice": updates.strided_slice, "swapdims": f.swapaxes,
    "t": matrices.t, "take": choosing.take, "tensor_scatter_elements": choosing.tensor_scatter_elements,
    "tensor_split": choosing.tensor_split, "topk": measures.topk, "trace": matrices.trace, "tril": matrices.tril,
    "triu": matrices.triu, "vsplit": matrices.vsplit,
}  # fmt: skip

_MODULES = (
    channel_dropout,
    margin_losses,
    sampling,
    activations,
    adaptive,
    binary_losses,
    conversions,
    convolving,
    padding,
    pooling,
    products,
    resizing,
    sums_of_products,
)
_RANDOM: Mapping[str, Any] = {
    "rand": random.rand, "rand_like": random.rand_like, "randn": random.randn, "randn_like": random.randn_like,
}  # fmt: skip

_TRANSFORMATIONS: Mapping[str, Any] = {
    "derivative": derivative, "get_grad": get_grad, "grad": grad, "jacfwd": jacfwd, "jacrev": jacrev, "jet": jet, "jvp": jvp,
    "value_and_grad": value_and_grad, "vjp": vjp, "vmap": vmap,
}  # fmt: skip

_OTHER_NAMES: Mapping[str, str] = {
    "absolute": "abs", "addn": "add_n", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh",
    "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh", "bias_add": "bias_add", "divide": "div", "eq": "equal",
    "inv": "reciprocal", "soft_shrink": "softshrink",
    "floor_divide": "floor_div", "ge": "greater_equal", "gt": "greater", "le": "less_equal",
    "lt": "less", "multiply": "mul", "ne": "not_equal", "neg_tensor": "neg", "negative": "neg", "not_equal": "not_equal",
    "pows": "pow", "select": "select", "sqrt": "sqrt", "subtract": "sub", "tensor_add": "add", "tensor_div": "div",
    "tensor_floordiv": "floor_div", "tensor_ge": "greater_equal", "tensor_gt": "greater", "tensor_le": "less_equal",
    "tensor_lt": "less", "tensor_mod": "floor_mod", "tensor_mul": "mul", "tensor_pow": "pow", "tensor_sub": "sub",
    "true_divide": "div",
}  # fmt: skip

_BY_NAME: dict[str, Any] = {
    op.function: eager_op(op)
    for op in all_operators()
    if op.function not in _INTERNAL and not isinstance(op.compute, Update)
}
_BY_NAME |= {name: function(target) for name, target in _OTHER_NAMES.items()}
_BY_NAME |= special.FUNCTIONS
_BY_NAME |= {**blocks.FUNCTIONS, **layers.FUNCTIONS}
_BY_NAME |= statistics.FUNCTIONS
_BY_NAME |= counts.FUNCTIONS
_BY_NAME["flash_attention_score"] = attention.flash_attention_score
_BY_NAME |= _WRITTEN
_BY_NAME |= _CHOOSING
_BY_NAME |= updates.FUNCTIONS
_BY_NAME |= values.FUNCTIONS
_BY_NAME |= _RANDOM
_BY_NAME |= {name: getattr(module, name) for module in _MODULES for name in module.__all__}
_BY_NAME |= _TRANSFORMATIONS

globals().update(_BY_NAME)
__all__ = ["GradOperation", *_BY_NAME]


def __getattr__(name: str) -> Any:
    raise AttributeError(f"mindspore.ops has no function {name!r}.")
