"""Storey 7: operators as functions (``ops.matmul``) and as classes (``ops.MatMul``, ``ops.operations.MatMul``)."""

from __future__ import annotations

from typing import Any

from mindspore.ops import composite, functional, operations
from mindspore.ops.composite import GradOperation, HyperMap, Map, MultitypeFuncGraph, zip_operation
from mindspore.ops.constant import constexpr
from mindspore.ops.primitive import Primitive, PrimitiveWithCheck, PrimitiveWithInfer, prim_attr_register

globals().update({name: getattr(operations, name) for name in operations.__all__})
globals().update({name: getattr(functional, name) for name in functional.__all__})

__all__ = [
    "GradOperation", "HyperMap", "Map", "MultitypeFuncGraph", "Primitive", "PrimitiveWithCheck", "PrimitiveWithInfer", "composite",
    "constexpr", "functional", "operations", "prim_attr_register", "zip_operation",
]  # fmt: skip
__all__ += sorted({*operations.__all__, *functional.__all__} - set(__all__))


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'mindspore.ops' has no attribute {name!r}.")
