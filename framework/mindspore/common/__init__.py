"""Storey 7: tensors, parameters, and the functions made from functions (``jit``, ``grad``). Names are loaded when they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "mindspore.common.api": ("jit", "ms_function"),
    "mindspore.common.classes": ("jit_class", "ms_class"),
    "mindspore.common.gradients": ("GradOperation", "grad", "value_and_grad"),
    "mindspore.common.initializer": ("Initializer",),
    "mindspore.common.mutables": ("mutable",),
    "mindspore.common.parameter": ("Parameter", "ParameterTuple"),
    "mindspore.common.seed": ("get_seed", "set_seed"),
    "mindspore.common.tensor": ("Tensor", "from_numpy"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mindspore.common' has no attribute {name!r}.")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value
