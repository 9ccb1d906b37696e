"""MindSpore: tensors, functional graphs with gradients by source transformation, kernels compiled for the machine.

Names are loaded when they are first used, so that the wheel build can run the kernel generator without the native module.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mindspore.base.import_paths import install

if TYPE_CHECKING:  # a decorator without a type would make what it decorates untyped
    from mindspore.common.api import jit as jit
    from mindspore.common.classes import jit_class as jit_class
    from mindspore.common.classes import ms_class as ms_class

_MODULES = ("common", "context", "nn", "numpy", "ops", "runtime")
_OTHER_MODULES = {"dtype": "mindspore.common.dtype", "log": "mindspore.base.log"}
_HOMES = {
    "mindspore.common.api": ("jit", "ms_function"),
    "mindspore.common.classes": ("jit_class", "ms_class"),
    "mindspore.common.dtype": (
        "byte", "cdouble", "cfloat", "double", "dtype_to_nptype", "dtype_to_pytype", "float_", "get_py_obj_dtype", "half", "int_", "intc",
        "intp", "issubclass_", "list_", "long", "number", "pytype_to_dtype", "short", "single", "string", "tensor_type", "tuple_",
        "type_none", "ubyte", "uint", "uintc", "uintp", "ushort",
    ),
    "mindspore.common.batching": ("vmap",),
    "mindspore.common.custom": ("recompute",),
    "mindspore.common.directional": ("jvp", "vjp"),
    "mindspore.common.dynamic": ("enable_dynamic",),
    "mindspore.common.jacobians": ("jacfwd", "jacrev"),
    "mindspore.common.gradients": ("get_grad", "grad", "value_and_grad"),
    "mindspore.common.tensor": ("Tensor", "from_numpy", "tensor"),
    "mindspore.common.mutables": ("mutable",),
    "mindspore.common.parameter": ("Parameter", "ParameterTuple"),
    "mindspore.common.row_tensor": ("RowTensor",),
    "mindspore.common.seed": ("get_seed", "set_seed"),
    "mindspore.context": (
        "COMPATIBLE", "GRAPH_MODE", "LAX", "PYNATIVE_MODE", "STRICT", "ParallelMode", "get_auto_parallel_context", "get_context",
        "reset_auto_parallel_context", "set_auto_parallel_context", "set_context",
    ),
    "mindspore.ops.constant": ("constexpr",),
    "mindspore.common.version": ("__version__",),
}  # fmt: skip
_DTYPES = (
    "bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "bfloat16", "complex64", "complex128",
)  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}
_HOME |= dict.fromkeys(_DTYPES, "mindspore.base.dtypes")

__all__ = sorted([*_HOME, *_MODULES, *_OTHER_MODULES])


install()


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    elif name in _OTHER_MODULES:
        value = import_module(_OTHER_MODULES[name])
    elif name in _MODULES:
        value = import_module(f"mindspore.{name}")
    else:
        raise AttributeError(f"module 'mindspore' has no attribute {name!r}.")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
