"""``ops.composite`` (C): functions made from functions, and functions of containers of tensors."""

from __future__ import annotations

from typing import Any

from mindspore.common.gradients import GradOperation, grad, value_and_grad
from mindspore.ops import functional
from mindspore.ops import operators_of_types as multitype_ops
from mindspore.ops.clip import clip_by_global_norm, clip_by_value
from mindspore.ops.maps import HyperMap, Map, zip_operation
from mindspore.ops.multitype import MultitypeFuncGraph

__path__: list[str] = []
"""Further module paths begin with this one (`base.import_paths`)."""

batch_dot = functional.batch_dot
count_nonzero = functional.count_nonzero
dot = functional.dot
gamma = functional.gamma
laplace = functional.laplace
matmul = functional.matmul
multinomial = functional.multinomial
normal = functional.normal
ones_like = functional.ones_like
poisson = functional.poisson
repeat_elements = functional.repeat_elements
sequence_mask = functional.sequence_mask
tensor_dot = functional.tensor_dot
uniform = functional.uniform
zeros_like = functional.zeros_like
_add = HyperMap(functional.add)


def hyper_add(x: Any, y: Any) -> Any:
    """The sums of the tensors or numbers in two containers of one structure."""
    return _add(x, y)


def add_flags(fn: Any = None, **flags: Any) -> Any:
    """`fn` with flags as MindSpore keeps them: a mapping named ``_mindspore_flags``; a decorator when `fn` is not given."""
    if fn is None:
        return lambda function: add_flags(function, **flags)
    fn._mindspore_flags = {**getattr(fn, "_mindspore_flags", {}), **flags}
    return fn


core = add_flags


def tail(x: Any) -> Any:
    """A tuple or list without its first element."""
    return x[1:]


__all__ = [
    "GradOperation",
    "HyperMap",
    "Map",
    "MultitypeFuncGraph",
    "add_flags",
    "batch_dot",
    "clip_by_global_norm",
    "clip_by_value",
    "core",
    "count_nonzero",
    "dot",
    "gamma",
    "grad",
    "hyper_add",
    "laplace",
    "matmul",
    "multinomial",
    "multitype_ops",
    "normal",
    "ones_like",
    "poisson",
    "repeat_elements",
    "sequence_mask",
    "tail",
    "tensor_dot",
    "uniform",
    "value_and_grad",
    "zeros_like",
    "zip_operation",
]
